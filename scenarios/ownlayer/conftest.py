"""A lab whose OwnLayer is set up with a Segment source, called as a function, and what its scenarios ask it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from trackside import Lab
from trackside.wire import Answer, Request

SEGMENT = {
    "sources": {"llm": {"write_key": "wk_llm", "destinations": ["statsig", "fme-user", "ld"]}},
    "destinations": {
        "statsig": {"type": "statsig", "api_key": "secret-local"},
        "fme-user": {"type": "split", "api_key": "fme-key"},
        "ld": {"type": "launchdarkly", "client_side_id": "57be1db38b75bf0772d11384"},
    },
}


def workspace(**ownlayer: Any) -> dict[str, Any]:
    """Return a workspace whose source ``llm`` feeds three vendors; the keywords are of the ``ownlayer`` block."""
    return {
        "segment": SEGMENT,
        "statsig": {"server_secret": "secret-local"},
        "split": {
            "environments": {"production": {"sdk_key": "sdk-local"}},
            "segment_inbound": [{"api_key": "fme-key", "environment": "production", "identities": {"userId": "user"}}],
        },
        "launchdarkly": {"environments": {"production": {"client_side_id": "57be1db38b75bf0772d11384"}}},
        "ownlayer": {"api_key": "ownlayer-local", "segment": {"write_key": "wk_llm"}, **ownlayer},
    }


@pytest.fixture
def make_lab(new_lab: Callable[..., Lab]) -> Callable[..., Lab]:
    """Return a function from fields of the ``ownlayer`` block to a lab without sockets."""
    return lambda options=None, **ownlayer: new_lab(workspace(**ownlayer), **(options or {}))


@pytest.fixture
def lab(make_lab: Callable[..., Lab]) -> Lab:
    """A lab with every default."""
    return make_lab()


@pytest.fixture
def post() -> Callable[..., Answer]:
    """Return a function that posts an inference, or bytes, to OwnLayer of a lab."""

    def to(
        lab: Lab, body: Any, key: str | None = "ownlayer-local", path: str = "/api/v1/inferences/", **headers: str
    ) -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        own = {} if key is None else {"authorization": f"Bearer {key}"}
        return lab.receive("ownlayer", Request("POST", path, {**own, **headers}, content))

    return to


@pytest.fixture
def found() -> Callable[[Lab], list[tuple[str, str | None, str]]]:
    """Return a function that gives the rule, level and place of each finding of a lab, notes too."""
    return lambda lab: [(one.step.rule, one.step.level, one.step.at) for one in lab.findings(notes=True)]


@pytest.fixture
def evaluated(lab: Lab, post: Callable[..., Answer]) -> Callable[..., Any]:
    """Return a function from the ``segment`` attribute to the passed evaluation of an inference with it."""

    def of(segment: Any, **fields: Any) -> Any:
        post(
            lab, {"output": "Paris.", "end_time": 1767322790000, "additional_metadata": {"segment": segment}, **fields}
        )
        return lab.ownlayer.evaluate()

    return of
