"""The command line ``trackside``: one module per command, imported when that command is called.

Exit codes: 0 fine, 1 findings, 2 wrong use. Results go to standard output, remarks to standard error.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from typing import Any, TextIO

import click

from trackside import __version__
from trackside.cli.output import forget_output, remark
from trackside.errors import TracksideError

COMMANDS = (
    "serve",
    "send",
    "record",
    "replay",
    "flags",
    "explain",
    "verdict",
    "results",
    "audit",
    "validate",
    "contracts",
    "generate",
    "rules",
)
"""Each is ``command`` in the module of its name."""


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""What the system says of output that has no room."""


class LazyGroup(click.Group):
    """A group whose commands are imported by name; each command returns its exit code (None for 0)."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click asks for it
        """Return the names in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click asks for it
        """Return a command, imported now; None for a name that is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"trackside.cli.{cmd_name}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and end with its exit code; wrong use is told in three clauses."""
        code = None
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except TracksideError as error:
            remark(f"trackside: {error}")
            code = 2
        except BrokenPipeError:
            forget_output()
            code = code or 0
        except OSError as error:
            if error.errno not in _FULL:
                raise
            forget_output()
            remark(f"trackside: standard output cannot be written: {error.strerror}. write to a disk with room.")
            code = 2
        except KeyboardInterrupt:
            code = 130
        ctx.exit(code or 0)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="trackside")
def group() -> None:
    """A local Segment, Statsig, Split (Harness FME), LaunchDarkly and OwnLayer: real SDKs in, every event's journey out."""


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - as long as the process


def main() -> None:
    """Run the command line; text that the terminal's encoding lacks is escaped instead of failing."""
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()  # None where the caller closed them
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # they are text files here
    group()
