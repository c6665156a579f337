"""Split's published client of its Admin API, unmodified: what it changes reaches a running SDK."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from driver import Driver
from matrix import Passed
from sdks import WORKSPACE

from trackside import Lab
from trackside.sdks import sdk_named

PACKAGE = "splitapiclient"

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


def client_of(options: dict[str, Any]) -> Any:
    from splitapiclient.main import get_client

    return get_client(options)


def passed(capability: str) -> None:
    from splitapiclient.version import __version__

    Passed("split", PACKAGE, "PyPI", __version__, "Admin API", capability).write()


@pytest.fixture
def banner(trackside: Lab) -> Any:
    """Return the definition of the declared flag, as the Admin API's client finds it."""
    client = client_of(trackside.split.options(PACKAGE))
    workspace = client.workspaces.list()[0]
    environment = client.environments.find("production", workspace.id)
    passed("ready")
    return client.split_definitions.get_definition("banner", environment.id, workspace.id)


@pytest.mark.rule("split.admin.workspaces")
def test_the_admin_client_finds_the_declared_flag(trackside: Lab, banner: Any) -> None:
    assert [rule.export_dict() for rule in banner.default_rule] == [{"treatment": "blue", "size": 100}]
    passed("declared value")
    assert list(trackside.findings()) == []
    passed("no finding")


@pytest.mark.rule("split.admin.workspaces")
def test_a_flag_that_the_admin_client_kills_changes_in_a_running_sdk(
    trackside: Lab, banner: Any, driver: Callable[..., Driver]
) -> None:
    sdk, asked = driver("py_splitio_client.py"), {"flag": "banner", "kind": "flag", "user": "user-1", "default": ""}
    key = trackside.split.keys["production"]["sdk_key"]
    sdk.ask("start", key=key, options=trackside.split.python_options(), streaming=True, user="user-1")
    assert sdk.ask("evaluate", **asked) == "blue"
    banner.kill()
    assert sdk.ask("wait", **asked, until="green") == "green"
    banner.restore()
    assert sdk.ask("wait", **asked, until="blue") == "blue"
    passed("live change")


@pytest.mark.rule("split.admin.workspaces")
def test_the_admin_client_is_refused_with_a_wrong_key(trackside: Lab) -> None:
    from splitapiclient.util.exceptions import HTTPUnauthorizedError

    options = sdk_named(trackside.split.vendor.sdks, PACKAGE).options(trackside.split.url, "key-of-nobody")
    with pytest.raises(HTTPUnauthorizedError):
        client_of(dict(options)).workspaces.list()
    passed("wrong key refused")
