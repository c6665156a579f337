"""JSON patch and JSON merge patch, which change a resource of the REST API as GET shows it."""

from __future__ import annotations

import copy
import re
from typing import Any

from trackside.errors import TracksideError
from trackside.launchdarkly.representation import Representation
from trackside.launchdarkly.rest import Refusal, conflict, invalid
from trackside.steps import Step

EXTRA = "install trackside[launchdarkly]"


def json_patched(document: Representation, operations: list[Any]) -> Representation:
    """Return a document after a JSON patch (launchdarkly.rest.json-patch).

    Raises:
        Refusal: 409 where a ``test`` does not hold, as a version that has moved on (launchdarkly.rest.conflict); 422 where a
            path leads nowhere; 503 where the extra is not installed (launchdarkly.extra-missing).
    """
    try:
        import jsonpatch  # noqa: PLC0415 - only the REST API needs it
    except ImportError as error:
        step = Step("fault", "launchdarkly.extra-missing", "jsonpatch is not installed", "request body", EXTRA, "error")
        raise Refusal(503, "service_unavailable", "JSON patch is not available", [step]) from error
    named = [_own_version(operation, document) for operation in operations]
    try:
        changed = jsonpatch.apply_patch(document, named)
    except jsonpatch.JsonPatchTestFailed as error:
        fix = "get the resource again, and patch what it is now"
        raise conflict("optimistic_locking_error", f"a test of the patch failed: {_line(error)}", fix) from error
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, KeyError) as error:
        fix = "look at the paths: they are those of the resource as GET shows it"
        raise invalid(TracksideError(f"the patch cannot be applied: {_line(error)}", "$", fix), status=422) from error
    if not isinstance(changed, dict):
        raise invalid(TracksideError("the patch leaves no object", "$", "name a field in each path"), status=422)
    return changed


def _own_version(operation: Any, document: Representation) -> Any:
    """Return an operation that tests ``/version``, as the API's guide writes it, of the ``_version`` that GET shows."""
    if operation.get("path") == "/version" and operation.get("op") == "test" and "version" not in document:
        return {**operation, "path": "/_version"}
    return operation


def _line(error: Exception) -> str:
    """Return what a patch's error says, without the whole document that it was about."""
    return re.sub(r" \(<class '\w+'>\)", "", " ".join(str(error).split())).partition(" in {")[0]


def merge_patched(document: Any, patch: Any) -> Any:
    """Return a document after a JSON merge patch, RFC 7386 (launchdarkly.rest.merge-patch).

    >>> merge_patched({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    kept = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = merge_patched(kept.get(name), value)
    return kept
