"""``trackside audit``: what is wrong with how experiments are wired, in the report formats of ``validate``."""

from __future__ import annotations

import sys

import click

from trackside.cli.control import ADMIN
from trackside.cli.counted import counted
from trackside.cli.output import printable, remark
from trackside.cli.reporting import levels_of, report_options


@click.command("audit")
@click.argument("source", default=ADMIN, envvar="TRACKSIDE_ADMIN")
@click.option("--workspace", metavar="FILE", default="", help="Count a recording under this workspace.")
@report_options
@click.option("--admin-token", envvar="TRACKSIDE_ADMIN_TOKEN", default="", help="What serve printed, off loopback.")
def command(
    *,
    source: str,
    workspace: str,
    reports: tuple[str, ...],
    as_json: bool,
    levels: tuple[str, ...],
    strict: bool,
    baseline: str,
    write_baseline: str,
    admin_token: str,
) -> int:
    """Find experiments that could never count anything, events that nobody uses, and ids that never meet an exposure.

    SOURCE is the control API of a running lab, a recording, or the file of serve --data. Units per variation are told
    on standard error, beside the findings.

    Exit code 1 when a finding is strict; 2 when the source cannot be read.
    """
    from trackside.validation import reports as formats
    from trackside.validation.baseline import Baseline
    from trackside.validation.findings import FileResult
    from trackside.validation.options import Options
    from trackside.validation.run import tell

    options = Options(levels=levels_of(levels), strict=strict)
    old = Baseline(baseline, write_baseline)
    asked, taken = [*reports, *(["json"] if as_json else [])], [name for name in (source, workspace, baseline, write_baseline) if name]  # fmt: skip
    found = counted(source, workspace, admin_token)
    audited = found.audit()
    with formats.opened(asked, taken=taken) as told:
        summary = tell(
            audited.findings,
            FileResult(found.name, noun="experiment", others=len(audited.results)),
            options,
            told,
            old.has,
            found.faults,
        )
        sys.stdout.flush()
    for fault in summary.faults:
        remark(f"trackside: {printable(fault)}")
    for one in audited.results:
        units = ", ".join(f"{each.variation.name} {each.units:,}" for each in one.variations)
        remark(printable(f"{one.experiment.vendor} {one.experiment.key}: {one.counted:,} of {one.events:,} events counted; units: {units or 'none'}"))  # fmt: skip
    old.close(summary)
    return 2 if summary.faults else 0 if write_baseline else summary.exit_code
