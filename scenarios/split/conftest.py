"""What the scenarios of Split's wire share: what an SDK asks and gets, a post over HTTP, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
import urllib3

from trackside import Lab, catalog
from trackside.wire import Answer, Request

Post = Callable[..., urllib3.BaseHTTPResponse]


@pytest.fixture
def post(trackside: Lab) -> Post:
    """Return a function that posts JSON, or bytes, to Split of the running lab with an SDK key and further headers."""

    def to(path: str, body: Any, key: str | None = "sdk-local", **headers: str) -> urllib3.BaseHTTPResponse:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        own = {} if key is None else {"Authorization": f"Bearer {key}"}
        sent = {"Content-Type": "application/json", **own, **headers}
        with urllib3.PoolManager(retries=False) as pool:
            return pool.request("POST", trackside.split.url + path, body=content, headers=sent)

    return to


@pytest.fixture
def kept(trackside: Lab) -> Callable[[str], list[dict[str, Any]]]:
    """Return a function that gives the records of a kind that Split keeps, each held against its contract."""

    def of(kind: str) -> list[dict[str, Any]]:
        records = [one.record for one in trackside.kept("split") if one.record["kind"] == kind]
        assert [catalog.faults(f"split/{kind}", record) for record in records] == [[] for _ in records]
        return records

    return of


@pytest.fixture
def found(trackside: Lab) -> Callable[[], list[tuple[str, str | None, str]]]:
    """Return a function that gives each finding's rule, level and place."""
    return lambda: [(one.step.rule, one.step.level, one.step.at) for one in trackside.findings(notes=True)]


# ---- what SDKs download, asked without sockets

NOW = 1767322800.0
"""2026-01-02T03:00:00Z, the time of every request."""

KEY = "sdk-key"


class Sdk:
    """What an SDK of one environment asks a lab's Split, and what it gets."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def ask(self, path: str, key: str = KEY, **query: object) -> Answer:
        """Return the answer to a GET."""
        headers = {"authorization": f"Bearer {key}"}
        asked = {name: str(value) for name, value in query.items()}
        return self.lab.receive("split", Request("GET", path, headers, b"", asked))

    def get(self, path: str, **query: object) -> Any:
        """Return the JSON of an answer that is 200."""
        answer = self.ask(path, **query)  # type: ignore[arg-type] - the query has no field called key
        assert answer.status == 200, answer.body
        return orjson.loads(answer.body)

    def changes(self, since: object = -1, rb_since: object = -1, **query: object) -> Any:
        """Return what changed, by spec 1.3."""
        return self.get("/api/splitChanges", **{"s": "1.3", "since": since, "rbSince": rb_since, **query})

    def flags(self, **query: object) -> dict[str, Any]:
        """Return every definition by its name."""
        return {row["name"]: row for row in self.changes(**query)["ff"]["d"]}


@pytest.fixture
def make_sdk() -> Iterator[Callable[..., Sdk]]:
    """Return a function from the fields of the workspace's ``split`` block to an SDK of its first environment."""
    labs: list[Lab] = []

    def make(**split: Any) -> Sdk:
        lab = Lab({"split": {"environments": {"production": {"sdk_key": KEY}}, **split}}, start_at=NOW)
        labs.append(lab)
        return Sdk(lab)

    yield make
    for lab in labs:
        lab.stop()
        assert lab.errors == []


# ---- the Admin API


@pytest.fixture
def client(trackside: Lab) -> Any:
    """The published client of the Admin API."""
    from splitapiclient.main import get_client

    return get_client(trackside.split.admin_options())


@pytest.fixture
def workspace(client: Any) -> Any:
    """The one workspace, as the client finds it."""
    return client.workspaces.find("Default")


@pytest.fixture
def production(client: Any, workspace: Any) -> Any:
    """The environment ``production``, as the client finds it."""
    return client.environments.find("production", workspace.id)


@pytest.fixture
def ask(trackside: Lab) -> Any:
    """Return a function that calls the Admin API without its client; the answer is held against a contract."""

    def to(method: str, path: str, contract: str = "", headers: Any = None, **more: Any) -> urllib3.BaseHTTPResponse:
        sent = {"Authorization": "Bearer admin-local"} if headers is None else headers
        answer = urllib3.request(method, f"{trackside.split.url}{path}", headers=sent, **more)
        if contract:
            assert catalog.faults(f"split/{contract}", answer.json()) == []
        return answer

    return to
