"""``trackside verdict``: whether somebody's events count in experiments, and what keeps them from it."""

from __future__ import annotations

import click

from trackside.cli.control import ADMIN
from trackside.cli.counted import counted
from trackside.cli.output import JSON_HELP, out, out_json, printable, remark
from trackside.counting.vendors import COUNTED
from trackside.errors import TracksideError


@click.command("verdict")
@click.argument("source", default=ADMIN, envvar="TRACKSIDE_ADMIN")
@click.option("--user", default="", help="Any id of the person: userId, anonymousId, context key, custom ID.")
@click.option("--message-id", default="", help="The messageId of one Segment message, in place of a person.")
@click.option("--event", default="", help="Only events of this name.")
@click.option("--vendor", default=None, type=click.Choice(COUNTED), help="Only this vendor's experiments.")
@click.option("--experiment", default="", metavar="KEY", help="Only this experiment.")
@click.option("--environment", default="", help="The experiment's environment.  [default: all]")
@click.option("--workspace", metavar="FILE", default="", help="Count a recording under this workspace.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
@click.option("--admin-token", envvar="TRACKSIDE_ADMIN_TOKEN", default="", help="What serve printed, off loopback.")
def command(
    *,
    source: str,
    user: str,
    message_id: str,
    event: str,
    vendor: str | None,
    experiment: str,
    environment: str,
    workspace: str,
    as_json: bool,
    admin_token: str,
) -> int:
    """Say of each event of a person, or of one message, whether it counts in each experiment that it is about.

    For each that does not: every documented condition that it fails, the rule and its source, and what to change.
    SOURCE is the control API of a running lab, a recording, or the file of serve --data.

    Exit code 1 when nothing counts; 2 when not all of the source can be read.
    """
    from trackside.counting.telling import verdict_lines

    if not user and not message_id:
        raise TracksideError("nobody is named", "--user", "name a person by any id, or a message by --message-id")
    found = counted(source, workspace, admin_token)
    for fault in found.faults:
        remark(f"trackside: {printable(fault)}")
    names = {"user": user, "message_id": message_id, "event": event}
    verdicts = found.verdicts({**names, "vendor": vendor or "", "experiment": experiment, "environment": environment})
    if as_json:
        out_json(verdicts)
    else:
        for verdict in verdicts:
            for line in verdict_lines(verdict):
                out(printable(line))
        if not verdicts:
            what = f"no event {event!r}" if event else "nothing"
            remark(f"{printable(what)} of {printable(user or message_id)} came that an experiment could count")
    return 2 if found.faults else int(not any(verdict["outcome"] == "counted" for verdict in verdicts))
