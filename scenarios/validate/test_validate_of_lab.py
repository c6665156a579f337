"""What ``expect_valid()`` asks for: its own keywords, and the ``validate`` block of the lab's workspace."""

from __future__ import annotations

import json

import pytest

from trackside.errors import TracksideError
from trackside.lab import Lab
from trackside.validation.of_lab import findings
from trackside.workspace import load

WORKSPACE = {"segment": {"sources": {"web": {"write_key": "wk_web"}}}}


@pytest.mark.parametrize("level", ["error", "Off", True, None])
def test_a_level_that_is_none_hides_nothing(level):
    lab = Lab(load(WORKSPACE))

    with pytest.raises(TracksideError) as caught:
        findings(lab, None, {"levels": {"segment/*": level}})

    assert str(caught.value) == f"{level!r} is no level. levels of segment/*. use off, warn, strict."


def test_one_spec_may_be_named_alone():
    assert findings(Lab(load(WORKSPACE)), None, {"specs": "ecommerce"}) == []


def test_the_plan_of_a_workspace_file_is_read_from_its_folder(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "plan.json").write_text('{"Order Completed": {"type": "object"}}', encoding="utf-8")
    workspace = tmp_path / "workspace.json"
    workspace.write_text(json.dumps({**WORKSPACE, "validate": {"plan": "plan.json"}}), encoding="utf-8")
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert findings(Lab(load(workspace)), None, {}) == []
