"""The control API of a running lab, as commands ask it."""

from __future__ import annotations

from typing import Any

from trackside.cli.output import reason
from trackside.errors import TracksideError

ADMIN = "http://127.0.0.1:8800"
_SECONDS = 120.0


class Control:
    """The control API of one lab.

    Args:
        admin: its address.
        token: what it wants off loopback.
        fix: what to do where it does not answer.
    """

    def __init__(self, admin: str, token: str, fix: str = "start trackside serve, or name its --admin") -> None:
        import urllib3

        self.address = admin.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._fix = fix
        self._http = urllib3.PoolManager(retries=False, timeout=_SECONDS)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON answer to a request.

        Raises:
            TracksideError: it does not answer, or refuses.
        """
        import orjson
        import urllib3

        url = self.address + path
        try:
            data = None if body is None else orjson.dumps(body)
        except TypeError as error:
            fix = "give text in UTF-8, of at most 254 levels"
            raise TracksideError(f"that cannot be sent as JSON: {error}", url, fix) from error
        try:
            answer = self._http.request(method, url, body=data, headers=self._headers, redirect=False)
            value = orjson.loads(answer.data)
        except (urllib3.exceptions.HTTPError, orjson.JSONDecodeError) as error:
            raise TracksideError(
                f"the control API does not answer: {reason(error)}", self.address, self._fix
            ) from error
        if answer.status >= 400:
            fault = value.get("error", {}) if isinstance(value, dict) else {}
            raise TracksideError(str(fault.get("what", answer.status)), url, str(fault.get("fix", "")))
        return value
