"""``trackside results``: what experiments have counted, as tables, as JSON, and as a page to keep."""

from __future__ import annotations

from pathlib import Path

import click

from trackside.cli.control import ADMIN
from trackside.cli.counted import counted
from trackside.cli.output import JSON_HELP, out, out_json, printable, remark
from trackside.counting.vendors import COUNTED
from trackside.errors import TracksideError


@click.command("results")
@click.argument("source", default=ADMIN, envvar="TRACKSIDE_ADMIN")
@click.option("--vendor", default=None, type=click.Choice(COUNTED), help="Only this vendor's experiments.")
@click.option("--experiment", default="", metavar="KEY", help="Only this experiment.")
@click.option("--environment", default="", help="Only experiments of this environment.")
@click.option("--workspace", metavar="FILE", default="", help="Count a recording under this workspace.")
@click.option("--html", metavar="FILE", default="", help="Write a page with plots too, in one file.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
@click.option("--admin-token", envvar="TRACKSIDE_ADMIN_TOKEN", default="", help="What serve printed, off loopback.")
def command(
    *,
    source: str,
    vendor: str | None,
    experiment: str,
    environment: str,
    workspace: str,
    html: str,
    as_json: bool,
    admin_token: str,
) -> int:
    """Show units, events and means by variation and metric, what was left out and why, and the sample-ratio check.

    SOURCE is the control API of a running lab, a recording, or the file of serve --data.
    """
    if html and Path(html).absolute() in [Path(one).absolute() for one in (source, workspace) if one]:
        raise TracksideError(f"the page goes to {html}, which this run reads", "--html", "give it another file")
    found = counted(source, workspace, admin_token)
    for fault in found.faults:
        remark(f"trackside: {printable(fault)}")
    results = found.results(vendor or "", experiment, environment)
    if as_json:
        from trackside.counting.as_json import result_json

        out_json([result_json(one) for one in results])
    else:
        from trackside.counting.table import lines

        for line in lines(results):
            out(line)
    if html:
        import time

        from trackside.counting.page import page
        from trackside.times import iso
        from trackside.validation.reports.sinks import ReportFile

        with ReportFile(Path(html)) as file:
            file.write(page(results, title="What counted", made_at=iso(int(time.time() * 1000)), source=found.name))
    return 2 if found.faults else 0
