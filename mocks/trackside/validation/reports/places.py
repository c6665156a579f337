"""Files and places as CI systems know them: relative names, ends of columns, places without numbers."""

from __future__ import annotations

import os
import re
from pathlib import Path

from trackside.validation.findings import Finding

CHECKOUTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")
"""Variables in which GitHub and GitLab name the folder of the repository."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s,:\[\]{}"]+')
_INDEX = re.compile(r'"(?:[^"\\]|\\.)*"|\[\d+\]')


def checkout() -> str:
    """Return the folder of the repository, as the CI system names it where this runs inside it; else this folder."""
    here = Path.cwd()
    for name in CHECKOUTS:
        folder = os.environ.get(name, "")
        if folder and here.is_relative_to(Path(folder).absolute()):
            return str(Path(folder).absolute())
    return str(here)


class Names(dict[str, str]):
    """The names of files, relative to a folder and with forward slashes; a file elsewhere has its whole path.

    Args:
        root: the folder.

    >>> Names("/repo")["/repo/events/a.ndjson"]
    'events/a.ndjson'
    """

    def __init__(self, root: str) -> None:
        super().__init__()
        self._root = Path(root)

    def __missing__(self, name: str) -> str:
        self[name] = found = name if is_no_file(name) else self._relative(name)
        return found

    def _relative(self, name: str) -> str:
        path = Path(os.path.abspath(name))  # noqa: PTH100 - resolve() would follow links
        return (path.relative_to(self._root) if path.is_relative_to(self._root) else path).as_posix()


def is_no_file(name: str) -> bool:
    """Return whether a name is that of standard input, or the address of a lab."""
    return name == "-" or "://" in name


def end_column(finding: Finding) -> int:
    """Return the column behind the key or the value that a finding points at; 0 where that is unknown."""
    match = _TOKEN.match(finding.excerpt, finding.caret) if finding.column else None
    return finding.column + len(match[0]) if match else 0


def any_index(at: str) -> str:
    """Return a JSON path without the numbers of items.

    >>> any_index('$.batch[12].properties["a[1]"]')
    '$.batch[*].properties["a[1]"]'
    """
    return _INDEX.sub(lambda match: "[*]" if match[0].startswith("[") else match[0], at)
