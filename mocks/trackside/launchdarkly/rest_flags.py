"""Feature flags of the REST API: a change reaches connected SDKs through the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trackside import catalog
from trackside.errors import TracksideError
from trackside.launchdarkly.evaluation import context_of
from trackside.launchdarkly.instructions import Target
from trackside.launchdarkly.item_checks import contract_faults, reference_faults
from trackside.launchdarkly.representation import (
    Representation,
    about_of,
    changed_items,
    flag_representation,
    link,
    made_id,
    new_item,
    not_kept,
    rollout_fault,
    with_ids,
)
from trackside.launchdarkly.rest import (
    DIGITS,
    Refusal,
    Resources,
    body_of,
    conflict,
    environment_of,
    invalid,
    listed,
    not_found,
    resources,
    routes,
)
from trackside.launchdarkly.rest_patches import EXTRA, json_patched, merge_patched
from trackside.launchdarkly.semantic_patch import CONTENT_TYPE, patched
from trackside.steps import Step
from trackside.wire import Answer, Request, json_answer

if TYPE_CHECKING:
    from trackside.launchdarkly.model import Item
    from trackside.launchdarkly.store import LaunchDarkly

FLAG = "launchdarkly/feature-flag"
NEW_FLAG = "launchdarkly/feature-flag-post"
PATCH = "launchdarkly/feature-flag-patch"
CONTEXT = "launchdarkly/context"
ENVIRONMENTS_ALWAYS = 20240415
"""Before this version of the API, a list of flags held their environments unasked."""


# ---- reading


def list_flags(request: Request, live: LaunchDarkly) -> Answer:
    """Return the project's flags, sorted by key, a page of them.

    ``env`` names the one environment to show, ``tag`` what a flag must carry, ``filter`` holds ``query:TEXT``, ``tags:A+B``
    and ``filterEnv:NAME`` (launchdarkly.rest.flag-list). Environments are shown where one is asked for, as in the API's
    latest version, or where an earlier version is asked for; ``summary=0`` shows rules and targets.
    """
    wanted = _filters(request)
    shown = [_shown(request, live, key) for key in sorted(_keys(live))]
    shown = [flag for flag in shown if _passes(flag, wanted)]
    return listed(request, [_in_list(flag, request, wanted.get("filterEnv", "")) for flag in shown])


def _filters(request: Request) -> dict[str, str]:
    pairs = (part.partition(":") for part in request.query.get("filter", "").split(",") if part)
    wanted = {name: value for name, _, value in pairs}
    if "tag" in request.query:
        wanted["tags"] = request.query["tag"]
    if "env" in request.query:
        wanted["filterEnv"] = request.query["env"]
    return wanted


def _passes(flag: Representation, wanted: Mapping[str, str]) -> bool:
    query = wanted.get("query", "").lower()
    tags = [tag for tag in wanted.get("tags", "").replace("+", " ").split() if tag]
    found = query in flag["key"].lower() or query in flag["name"].lower()
    return found and all(tag in flag["tags"] for tag in tags)


def _in_list(flag: Representation, request: Request, environment: str) -> Representation:
    version = request.headers.get("ld-api-version", str(ENVIRONMENTS_ALWAYS))
    always = version.isdecimal() and len(version) <= DIGITS and int(version) < ENVIRONMENTS_ALWAYS
    own: dict[str, Any] = {
        name: one for name, one in flag["environments"].items() if name == environment or (always and not environment)
    }
    if request.query.get("summary") != "0":
        brief = ("rules", "targets", "contextTargets", "prerequisites")
        own = {key: {name: value for name, value in one.items() if name not in brief} for key, one in own.items()}
    rest = {name: value for name, value in flag.items() if name != "environments"}
    return {**rest, **({"environments": own} if own else {})}


def get_flag(request: Request, live: LaunchDarkly) -> Answer:
    """Return a flag with its configuration in each environment, or in the one of ``env`` (launchdarkly.rest.flags)."""
    flag = _shown(request, live, request.params["key"])
    if only := request.query.get("env"):
        flag["environments"] = {name: one for name, one in flag["environments"].items() if name == only}
    return json_answer(200, flag)


def _keys(live: LaunchDarkly) -> set[str]:
    return {key for data in live.environments.values() for key in data.flags}


def _items(live: LaunchDarkly, key: str) -> dict[str, Item]:
    return {name: data.flags[key] for name, data in live.environments.items() if key in data.flags}


def _shown(request: Request, live: LaunchDarkly, key: str) -> Representation:
    items = _items(live, key)
    if not items:
        raise not_found(f"flag {key}", request, "declare it in the workspace, or create it with POST")
    return flag_representation(request.params["project"], key, items, resources(live).flags.get(key, {}))


# ---- changing


def create_flag(request: Request, live: LaunchDarkly) -> Answer:
    """Return the 201 of a new flag, which is in every environment at once, off unless ``isFlagOn`` (launchdarkly.rest.flag-create).

    Without variations it is true or false. A key that is taken is answered 409.
    """
    posted = body_of(request, NEW_FLAG)
    key = posted["key"]
    if key in _keys(live):
        raise conflict("conflict", f"A feature with key {key} already exists", "choose another key, or patch that flag")
    variations = posted.get("variations") or [{"value": True}, {"value": False}]
    item = new_item(posted, [variation["value"] for variation in variations])
    for name in live.environments:
        _check(live, name, item)
    about = {name: value for name, value in posted.items() if name not in ("variations", "isFlagOn", "key")}
    about["variations"] = [{"_id": made_id(key, one["value"]), **one} for one in variations]
    now = int(request.at * 1000)
    about |= {"creationDate": now, "lastModified": dict.fromkeys(live.environments, now)}
    resources(live).flags[key] = about
    for name in live.environments:
        live.put(name, "flags", item)
    return json_answer(201, _shown(request, live, key))


def delete_flag(request: Request, live: LaunchDarkly) -> Answer:
    """Return the 204 of a flag that is gone from every environment (launchdarkly.rest.flag-delete)."""
    _shown(request, live, request.params["key"])
    live.delete("flags", request.params["key"])
    resources(live).flags.pop(request.params["key"], None)
    return Answer(204)


def patch_flag(request: Request, live: LaunchDarkly) -> Answer:
    """Return a flag after a change: JSON patch, merge patch, or semantic patch.

    The content type says which is semantic (launchdarkly.rest.semantic-patch); of the others an array, or an object with
    ``patch``, is a JSON patch (launchdarkly.rest.json-patch), any other object a merge patch (launchdarkly.rest.merge-patch).
    With ``dryRun=true`` nothing is changed (launchdarkly.rest.dry-run). SDKs are told of each environment that changed
    (launchdarkly.rest.reaches-sdks).
    """
    key = request.params["key"]
    body = body_of(request, PATCH)
    before = _shown(request, live, key)
    after = with_ids(_after(request, live, before, body))
    changed = changed_items(before, _checked(before, after), _items(live, key))
    for name, item in changed.items():
        _check(live, name, item)
    if request.query.get("dryRun") == "true":
        return json_answer(200, after)
    remembered: Resources = resources(live)
    about = about_of(after, remembered.flags.get(key, {}))
    about["lastModified"] = {**about.get("lastModified", {}), **dict.fromkeys(changed, int(request.at * 1000))}
    remembered.flags[key] = about
    for name, item in changed.items():
        live.put(name, "flags", item)
    shown = _shown(request, live, key)
    return json_answer(200, shown, steps=[_is_not_kept(name) for name in not_kept(after, shown)])


def _is_not_kept(name: str) -> Step:
    text, fix = f"{name} cannot be changed here and is as before", "leave it out of the patch"
    return Step("assumed", "launchdarkly.rest.read-only", text, f"$.{name}", fix, "warning")


def _after(request: Request, live: LaunchDarkly, before: Representation, body: Any) -> Representation:
    if CONTENT_TYPE in request.headers.get("content-type", ""):
        if not isinstance(body, dict) or "instructions" not in body:
            raise invalid(TracksideError("a semantic patch has no instructions", "$.instructions", 'send {"instructions": [...]}'))  # fmt: skip
        target = Target(before, body.get("environmentKey", ""), lambda key: _variations(request, live, key))
        return patched(target, body["instructions"])
    operations = body.get("patch") if isinstance(body, dict) else body
    if isinstance(operations, list):
        return json_patched(before, operations)
    if isinstance(body, dict) and "instructions" in body:
        fix = f"send the content type application/json; {CONTENT_TYPE}"
        raise invalid(TracksideError("the body is a semantic patch, and its content type does not say so", "Content-Type header", fix))  # fmt: skip
    merged: Representation = merge_patched(before, body)
    return merged


def _variations(request: Request, live: LaunchDarkly, key: str) -> list[dict[str, Any]] | None:
    try:
        found: list[dict[str, Any]] = _shown(request, live, key)["variations"]
    except Refusal:
        return None
    return found


def _checked(before: Representation, after: Representation) -> Representation:
    """Return a changed representation where it still is one.

    Raises:
        Refusal: it is not.
    """
    if not catalog.validator(FLAG).is_valid(after):
        faults = catalog.faults(FLAG, after, limit=5)
        raise invalid(*(TracksideError(fault.what, fault.at, fault.fix) for fault in faults))
    if list(after.get("environments", ())) != list(before["environments"]):
        raise invalid(TracksideError("an environment is gone or new", "$.environments", "patch what is inside of one"))
    if fault := rollout_fault(after):
        raise invalid(TracksideError(*fault, "let all weights of a rollout add up to 100000"))
    return after


def _check(live: LaunchDarkly, environment: str, item: Item) -> None:
    """Refuse a flag that SDKs could not take, or that names what is not there (launchdarkly.rest.checked)."""
    data = live.environments[environment]
    faults = contract_faults({"flags": {item["key"]: item}})
    if not faults:
        before = {str(fault) for fault in reference_faults(data.flags, data.segments)}
        after = reference_faults({**data.flags, item["key"]: item}, data.segments)
        faults = [fault for fault in after if str(fault) not in before]
    if faults:
        raise invalid(*faults)


# ---- evaluating


def evaluate(request: Request, live: LaunchDarkly) -> Answer:
    """Return every flag of an environment for the context in the body, evaluated by the server SDK (launchdarkly.rest.evaluate)."""
    data = environment_of(request, live)
    body = body_of(request, CONTEXT)
    try:
        context, evaluator = context_of(body), live.evaluator(data.name)
    except ValueError as error:
        raise invalid(TracksideError(str(error), "$", 'send {"kind": "user", "key": "u-1"}')) from error
    except ImportError as error:
        text = "launchdarkly-server-sdk is not installed"
        step = Step("fault", "launchdarkly.extra-missing", text, request.path, EXTRA, "error")
        raise Refusal(503, "service_unavailable", "Flags cannot be evaluated", [step]) from error
    told = evaluator.evaluate(context, "usingEnvironmentId", with_reasons=True)
    told |= evaluator.evaluate(context, "usingMobileKey", with_reasons=True)
    others = {key: {"value": evaluator.value(key, context)} for key in data.flags if key not in told}
    return listed(request, [_evaluated(request, key, one) for key, one in sorted({**told, **others}.items())])


def _evaluated(request: Request, key: str, told: Mapping[str, Any]) -> Representation:
    reason = {("ruleID" if name == "ruleId" else name): value for name, value in (told.get("reason") or {}).items()}
    links = {"self": link(f"/api/v2/flags/{request.params['project']}/{key}")}
    return {"name": key, "key": key, "_value": told["value"], "reason": reason, "_links": links}


_FLAGS, _FLAG = "/flags/<project>", "/flags/<project>/<key>"
_EVALUATE = "/projects/<project>/environments/<environment>/flags/evaluate"

ROUTES = routes(
    {
        ("GET", _FLAGS): list_flags,
        ("POST", _FLAGS): create_flag,
        ("GET", _FLAG): get_flag,
        ("PATCH", _FLAG): patch_flag,
        ("DELETE", _FLAG): delete_flag,
        ("POST", _EVALUATE): evaluate,
    },
    {("POST", _FLAGS): NEW_FLAG, ("PATCH", _FLAG): PATCH, ("POST", _EVALUATE): CONTEXT},
)
