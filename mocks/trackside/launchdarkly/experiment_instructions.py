"""The instructions of the semantic patch that changes an experiment, one short function for each kind."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trackside import catalog
from trackside.errors import TracksideError
from trackside.launchdarkly.experiments import (
    allocation,
    attached,
    iterations_of,
    part_of,
    treatments_shown,
    with_part,
)
from trackside.launchdarkly.item_checks import contract_faults
from trackside.launchdarkly.representation import Representation, made_id, variations_of
from trackside.launchdarkly.rest import resources

if TYPE_CHECKING:
    from trackside.launchdarkly.model import Item
    from trackside.launchdarkly.store import LaunchDarkly

NEW_ITERATION = "launchdarkly/iteration-post"

Instruction = Mapping[str, Any]
"""One instruction: its ``kind``, and the parameters that the kind takes."""


@dataclass(slots=True)
class Changing:
    """What the instructions of one patch change.

    Attributes:
        shown: the experiment as the API shows it; the instructions change it.
        live: whose flags and metrics.
        environment: its key.
        project: its key.
        now: epoch milliseconds.
        flags: those that are to be changed with it, as SDKs will have them, by key.
        at: the place of the instruction at hand.
    """

    shown: Representation
    live: LaunchDarkly
    environment: str
    project: str
    now: int
    flags: dict[str, Item]
    at: str = "$"

    @property
    def running(self) -> Representation | None:
        """The iteration that is running."""
        current: Representation | None = self.shown.get("currentIteration")
        return current if current is not None and current["status"] == "running" else None

    def flag(self, key: str) -> Item:
        """Return a flag as the instructions before have made it.

        Raises:
            TracksideError: there is none of that key.
        """
        found = self.flags.get(key) or self.live.item(self.environment, "flags", key)
        if found is None:
            raise self.fault(f"there is no flag {key!r}", "", "create the flag again")
        return found

    def serve(self, flag: Item) -> None:
        """Take a flag as SDKs will have it.

        Raises:
            TracksideError: they could not take it.
        """
        if faults := contract_faults({"flags": {flag["key"]: flag}}):
            raise TracksideError(faults[0].what, self.at, faults[0].fix)
        self.flags[flag["key"]] = flag

    def variations(self, flag: Item) -> list[dict[str, Any]]:
        """Return the variations of a flag with their ids."""
        about = resources(self.live).flags.get(flag["key"], {})
        return variations_of(flag["key"], flag["variations"], about.get("variations", ()))

    def fault(self, what: str, name: str, fix: str) -> TracksideError:
        """Return what is wrong with the instruction at hand."""
        return TracksideError(what, f"{self.at}.{name}" if name else self.at, fix)


def _start_iteration(changing: Changing, instruction: Instruction) -> None:
    """Start the draft (launchdarkly.rest.start-iteration)."""
    draft = changing.shown.get("draftIteration")
    if draft is None:
        raise changing.fault("the experiment has no iteration to start", "", "create one by POST …/iterations")
    if changing.running is not None and not instruction.get("changeJustification"):
        what = "an iteration is running, and nothing says why another one starts"
        raise changing.fault(what, "changeJustification", "give changeJustification, or stop it first")
    _begin(changing, draft)
    del changing.shown["draftIteration"]


def _begin(changing: Changing, iteration: Representation) -> None:
    """Let an iteration run: the one before it ends, and the flag serves its treatments."""
    if "archivedDate" in changing.shown:
        raise changing.fault("the experiment is archived", "", "restore it first, with restoreExperiment")
    key, named = next(iter(iteration["flags"].items()), ("", _NO_FLAG))
    flag = changing.flag(key)
    if not flag["on"]:
        raise changing.fault(f"the flag {key!r} is off", "", "turn it on first")
    if not iteration["randomizationUnit"]:
        raise changing.fault("the iteration has no randomizationUnit", "", "set it, such as user")
    if not any(float(one["allocationPercent"]) for one in iteration["treatments"]):
        raise changing.fault("no treatment has any traffic", "", "give one an allocationPercent above 0")
    if part_of(flag, named["targetingRule"]) is None:
        fix = "name one of the flag's rules, or fallthrough"
        raise changing.fault(f"the flag {key!r} has no rule {named['targetingRule']!r}", "", fix)
    changing.serve(allocation(iteration, flag, changing.variations(flag), named["targetingRule"]))
    _end(changing)
    if (before := changing.shown.get("currentIteration")) is not None:
        changing.shown["previousIterations"] = [*changing.shown.get("previousIterations", ()), before]
    changing.shown["currentIteration"] = {**iteration, "status": "running", "startedAt": changing.now}


_NO_FLAG: Mapping[str, Any] = {}


def _end(changing: Changing, **told: str) -> None:
    """Let the iteration that runs be over, if there is one."""
    if (running := changing.running) is not None:
        running.update(status="stopped", endedAt=changing.now, **told)


def _stop_iteration(changing: Changing, instruction: Instruction) -> None:
    """Stop the iteration that runs, and serve the treatment that won (launchdarkly.rest.stop-iteration)."""
    iteration = changing.running
    if iteration is None:
        raise changing.fault("no iteration is running", "", "start one first")
    treatments = {one["_id"]: one for one in iteration["treatments"]}
    winner = treatments.get(instruction.get("winningTreatmentId", ""))
    if winner is None:
        given = repr(instruction["winningTreatmentId"]) if "winningTreatmentId" in instruction else "missing"
        known = ", ".join(f"{key} ({one['name']})" for key, one in treatments.items())
        raise changing.fault(f"winningTreatmentId is {given}", "winningTreatmentId", f"use one of: {known}")
    for key, named in iteration["flags"].items():
        flag = changing.flag(key)
        served = [one["variationId"] for one in winner["parameters"] if one["flagKey"] == key]
        numbers = [index for index, one in enumerate(changing.variations(flag)) if one["_id"] in served]
        if numbers and part_of(flag, named["targetingRule"]) is not None:
            changing.serve(with_part(flag, named["targetingRule"], {"variation": numbers[0]}))
    reason = {"winningReason": instruction["winningReason"]} if "winningReason" in instruction else {}
    _end(changing, winningTreatmentId=winner["_id"], **reason)


def _save_and_start(changing: Changing, instruction: Instruction) -> None:
    """Stop the iteration that runs, and start another like it with its changes (launchdarkly.rest.stop-iteration)."""
    running = changing.running
    if running is None:
        raise changing.fault("no iteration is running", "", "start one first, with startIteration")
    number = made_id(changing.environment, changing.shown["key"], "iteration", len(iterations_of(changing.shown)))
    new = {**copy.deepcopy(running), "_id": number, "status": "not_started", "createdAt": changing.now}
    del new["startedAt"]
    _update_all(changing, new, instruction.get("value") or {})
    _begin(changing, new)


def _update_fields(changing: Changing, instruction: Instruction) -> None:
    iteration = changing.shown.get("draftIteration") or changing.shown.get("currentIteration")
    _update_all(changing, iteration, instruction["value"])


def _update_all(changing: Changing, iteration: Representation | None, updates: Any) -> None:
    """Change fields of an experiment and of an iteration (launchdarkly.rest.experiment-patch)."""
    if not isinstance(updates, dict):
        raise changing.fault("value is no object of fields", "value", 'send {"name": {"operation": "update", "value": "…"}}')  # fmt: skip
    for name, update in updates.items():
        if not isinstance(update, dict) or update.get("operation") not in ("add", "update", "remove"):
            raise changing.fault(f"the update of {name} has no operation", f"value.{name}", "use add, update or remove")
        if name in _OWN:
            changing.shown[name] = _updated(changing, name, changing.shown[name], update)
        elif name in _OF_ITERATION:
            if iteration is None or iteration["status"] != "not_started":
                fix = "use saveAndStartNewIteration, or change it before the iteration starts"
                raise changing.fault(f"{name} cannot be changed of an iteration that has begun", f"value.{name}", fix)
            _update_iteration(changing, iteration, name, update)
        else:
            known = ", ".join((*_OWN, *_OF_ITERATION))
            raise changing.fault(f"{name} cannot be changed here", f"value.{name}", f"use one of: {known}")


_OWN: dict[str, type[Any]] = {"name": str, "description": str, "tags": list}
_OF_ITERATION: dict[str, type[Any]] = {
    "hypothesis": str,
    "randomizationUnit": str,
    "treatments": list,
    "metrics": list,
    "primarySingleMetricKey": str,
}


def _updated(changing: Changing, name: str, before: Any, update: Mapping[str, Any]) -> Any:
    """Return a field after an update: replaced, or of a list added to or taken from."""
    kind: type[Any] = {**_OWN, **_OF_ITERATION}[name]
    value = update.get("value")
    if update["operation"] == "remove" and value is None:
        return kind()
    if not isinstance(value, kind):
        raise changing.fault(f"the value of {name} is {value!r}", f"value.{name}.value", f"give {'text' if kind is str else 'a list'}")  # fmt: skip
    if update["operation"] == "update" or kind is str:
        return value
    kept = [one for one in before if one not in value]
    return [*kept, *value] if update["operation"] == "add" else kept


def _update_iteration(changing: Changing, iteration: Representation, name: str, update: Mapping[str, Any]) -> None:
    if name == "treatments":
        iteration[name] = _treatments(changing, iteration["_id"], update)
        return
    if name not in ("metrics", "primarySingleMetricKey"):
        iteration[name] = _updated(changing, name, iteration.get(name), update)
        return
    deciding = iteration.get("primarySingleMetric", {}).get("key", "")
    asked = [{"key": one["key"], "isGroup": one["isGroup"]} for one in iteration["metrics"]]
    if name == "metrics":
        asked = [{"key": key} for key in _updated(changing, name, [one["key"] for one in asked], _by_key(update))]
    else:
        deciding = _updated(changing, name, deciding, update)
    iteration.pop("primarySingleMetric", None)
    iteration.update(attached(changing.project, asked, resources(changing.live).metrics, deciding))


def _treatments(changing: Changing, number: str, update: Mapping[str, Any]) -> list[Representation]:
    """Return the treatments of an update, which are given whole, as an iteration is posted with them."""
    posted = {"hypothesis": "", "metrics": [], "primarySingleMetricKey": "any", "flags": {}}
    if update["operation"] != "update":
        raise changing.fault(f"treatments have the operation {update['operation']}", "value.treatments.operation", "update all of them at once")  # fmt: skip
    if faults := catalog.faults(NEW_ITERATION, {**posted, "treatments": update.get("value")}, limit=1):
        what, place = faults[0].what, faults[0].at.removeprefix("$.treatments")
        raise changing.fault(what, f"value.treatments.value{place}", faults[0].fix)
    return treatments_shown(update["value"], number)


def _by_key(update: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an update of metrics in which each is named by its key alone."""
    value = update.get("value")
    if not isinstance(value, list):
        return update
    return {**update, "value": [one.get("key") if isinstance(one, dict) else one for one in value]}


def _replace(name: str) -> Callable[[Changing, Instruction], None]:
    def apply(changing: Changing, instruction: Instruction) -> None:
        changing.shown[name] = _updated(changing, name, "", {"operation": "update", "value": instruction["value"]})

    return apply


def _archive(changing: Changing, _instruction: Instruction) -> None:
    changing.shown.setdefault("archivedDate", changing.now)


def _restore(changing: Changing, _instruction: Instruction) -> None:
    changing.shown.pop("archivedDate", None)


KINDS: dict[str, Callable[[Changing, Instruction], None]] = {
    "startIteration": _start_iteration,
    "stopIteration": _stop_iteration,
    "saveAndStartNewIteration": _save_and_start,
    "updateExperimentFields": _update_fields,
    "updateName": _replace("name"),
    "updateDescription": _replace("description"),
    "archiveExperiment": _archive,
    "restoreExperiment": _restore,
}
"""The instructions, by their kinds."""
