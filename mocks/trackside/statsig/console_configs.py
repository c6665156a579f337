"""The Console API's dynamic configs and layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackside.errors import TracksideError
from trackside.statsig import experiments
from trackside.statsig.console import Body, Function, NotFoundError, head, page, route, told, touched
from trackside.statsig.console_rules import as_rows, as_rules, identifier, is_override
from trackside.statsig.specs import Kind, Spec, spec
from trackside.wire import Answer, Request, Route

if TYPE_CHECKING:
    from trackside.statsig.store import Statsig

KEPT = ("name", "description", "tags", "targetApps", "team", "creatorEmail")
"""Fields that SDKs do not read."""


def found(request: Request, live: Statsig, kind: Kind) -> Spec:
    """Return the spec that a path names.

    Raises:
        NotFoundError: there is none.
    """
    one = live.spec(kind, request.params["id"])
    if one is None:
        raise NotFoundError
    return one


def new_name(live: Statsig, kind: Kind, body: Body) -> str:
    """Return the ID of what a body makes (statsig.console.ids).

    Raises:
        TracksideError: there is one of that ID.
    """
    name = str(body.get("id") or identifier(body["name"]))
    kinds: tuple[Kind, ...] = (kind,) if kind in ("gate", "layer") else ("dynamic_config", "experiment")
    if any(live.spec(each, name) for each in kinds):
        raise TracksideError(f"the {kind} {name} exists", "$.name", "choose another name, or patch it")
    return name


# ---- dynamic configs


def list_configs(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return the dynamic configs of the project (statsig.console.configs)."""
    rows = [_config_row(live, one) for one in live.specs("dynamic_config").values()]
    return page(request, "Dynamic Configs listed successfully.", rows)


def create_config(request: Request, live: Statsig, body: Body) -> Answer:
    """Make a dynamic config and return its row with 201."""
    name, id_type = new_name(live, "dynamic_config", body), body.get("idType", "userID")
    default = body.get("defaultValue", {})
    rules = as_rules(body.get("rules", ()), "$.rules", id_type, value=default)
    one = {**spec(name, "dynamic_config", default, rules, id_type), "enabled": body.get("isEnabled", True)}
    return _config_kept(request, live, one, body, "created", 201)


def read_config(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return one dynamic config."""
    return told("Dynamic config read successfully.", _config_row(live, found(request, live, "dynamic_config")))


def update_config(request: Request, live: Statsig, body: Body) -> Answer:
    """Change what the body names, and return the dynamic config; ``rules`` takes the place of all rules but overrides."""
    one = dict(found(request, live, "dynamic_config"))
    for field, key in (("isEnabled", "enabled"), ("idType", "idType"), ("defaultValue", "defaultValue")):
        one[key] = body.get(field, one[key])
    if "rules" in body:
        rules = as_rules(body["rules"], "$.rules", one["idType"], value=one["defaultValue"])
        one["rules"] = [*filter(is_override, one["rules"]), *rules]
    return _config_kept(request, live, one, body, "updated")


def switch_config(request: Request, live: Statsig, _body: Body) -> Answer:
    """Enable or disable a dynamic config; one that is disabled or archived gives everyone its default value."""
    on = request.path.rpartition("/")[2] in ("enable", "unarchive")
    one = {**found(request, live, "dynamic_config"), "enabled": on}
    return _config_kept(request, live, one, {}, "updated")


def delete(kind: Kind, title: str) -> Function:
    """Return the function that takes a spec of a kind away."""

    def deleted(request: Request, live: Statsig, _body: Body) -> Answer:
        name = found(request, live, kind)["name"]
        if kind == "experiment":
            experiments.remove(live, name)
        else:
            live.remove(kind, name)
        live.console.get(kind, {}).pop(name, None)
        return told(f"{title} deleted successfully.")

    deleted.__doc__ = f"Take the {title.lower()} away: SDKs do not know it any more."
    return deleted


def _config_kept(request: Request, live: Statsig, one: Spec, body: Body, verb: str, status: int = 200) -> Answer:
    live.put("dynamic_config", one)
    touched(live, "dynamic_config", one["name"], request, body, KEPT)
    kept = live.spec("dynamic_config", one["name"]) or one
    return told(f"Dynamic Config {verb} successfully.", _config_row(live, kept), status)


def _config_row(live: Statsig, one: Spec) -> Body:
    row = {**head(live, "dynamic_config", one), "isEnabled": one["enabled"], "rules": as_rows(one)}
    return {**row, "defaultValue": one["defaultValue"], "status": "Enabled" if one["enabled"] else "Disabled"}


# ---- layers


def list_layers(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return the layers of the project (statsig.console.layers)."""
    rows = [_layer_row(live, one) for one in live.specs("layer").values()]
    return page(request, "Layers listed successfully.", rows)


def create_layer(request: Request, live: Statsig, body: Body) -> Answer:
    """Make a layer without parameters and return its row with 201."""
    name = new_name(live, "layer", body)
    return _layer_kept(request, live, spec(name, "layer", {}, [], body["idType"]), body, "created", 201)


def read_layer(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return one layer."""
    return told("Layer read successfully.", _layer_row(live, found(request, live, "layer")))


def update_layer(request: Request, live: Statsig, body: Body) -> Answer:
    """Change what the body names, and return the layer; ``parameters`` sets the defaults."""
    one = dict(found(request, live, "layer"))
    if "parameters" in body:
        one["defaultValue"] = {row["name"]: row["defaultValue"] for row in body["parameters"]}
        live.console.setdefault("layers", {})[one["name"]] = one["defaultValue"]
    return _layer_kept(request, live, one, body, "updated")


def _layer_kept(request: Request, live: Statsig, one: Spec, body: Body, verb: str, status: int = 200) -> Answer:
    live.put("layer", one)
    touched(live, "layer", one["name"], request, body, KEPT)
    kept = live.spec("layer", one["name"]) or one
    return told(f"Layer {verb} successfully.", _layer_row(live, kept), status)


def _layer_row(live: Statsig, one: Spec) -> Body:
    parameters = [
        {"name": key, "type": _type(value), "defaultValue": value} for key, value in one["defaultValue"].items()
    ]
    return {**head(live, "layer", one), "isImplicitLayer": False, "parameters": parameters}


def _type(value: Any) -> str:
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}
    return names.get(type(value), "object")


ROUTES: list[Route[Any]] = [
    route("GET", "/dynamic_configs", list_configs),
    route("POST", "/dynamic_configs", create_config, "statsig/console-dynamic-config"),
    route("GET", "/dynamic_configs/<id>", read_config),
    route("POST PATCH", "/dynamic_configs/<id>", update_config, "statsig/console-dynamic-config-update"),
    route("DELETE", "/dynamic_configs/<id>", delete("dynamic_config", "Dynamic Config")),
    *(
        route("PUT", f"/dynamic_configs/<id>/{action}", switch_config)
        for action in ("enable", "disable", "archive", "unarchive")
    ),
    route("GET", "/layers", list_layers),
    route("POST", "/layers", create_layer, "statsig/console-layer"),
    route("GET", "/layers/<id>", read_layer),
    route("POST PATCH", "/layers/<id>", update_layer, "statsig/console-layer-update"),
    route("DELETE", "/layers/<id>", delete("layer", "Layer")),
]
