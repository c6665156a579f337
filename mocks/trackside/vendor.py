"""One vendor of a lab as users see it: its address, its faults, and what it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackside.delivery import Fault
from trackside.steps import Step
from trackside.wire import Answer, Request, Router, Vendor

if TYPE_CHECKING:
    from trackside.lab import Lab


class Mock:
    """One vendor of a running lab: its address, what it keeps, and its faults.

    Args:
        vendor: the registration.
        lab: the lab it belongs to.
    """

    def __init__(self, vendor: Vendor, lab: Lab) -> None:
        self.vendor = vendor
        self.name = vendor.name
        self.router: Router[Any] = Router(vendor.routes)
        self.faults: list[Fault] = []
        self._lab = lab

    @property
    def url(self) -> str:
        """Its base address, such as ``http://127.0.0.1:8801``."""
        return self._lab.urls[self.name]

    def handle(self, request: Request) -> Answer:
        """Return its answer to a request, or what a fault makes of it."""
        fault = self.take_fault()
        if fault is not None:
            delay = fault.seconds if fault.error == "ETIMEDOUT" else 0.0
            return Answer(fault.status or 503, fault.body, dict(fault.headers), steps=[_told(fault)], delay=delay)
        return self.answer(request, self._lab.settings(self.name))

    def answer(self, request: Request, settings: Any) -> Answer:
        """Return its answer under these settings, faults aside."""
        found = self.router.find(request.method, request.path)
        if found is None:
            answer = self.vendor.unknown_path(request, settings)
            answer.steps = [self._unknown(request)]
            return answer
        route, request.params = found
        return route.endpoint(request, settings)

    def _unknown(self, request: Request) -> Step:
        text = f"{request.method} {request.path} does not exist here"
        fix = "use one of: " + ", ".join(self.router.paths())
        return Step("fault", f"{self.name}.unknown-path", text, request.path, fix, "error")

    def take_fault(self) -> Fault | None:
        """Return the fault that this request meets, if any, and count it."""
        if not self.faults:
            return None
        fault = self.faults[0]
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.faults.pop(0)
        return fault

    def fail(self, status: int = 500, *, times: int | None = 1, error: str = "", **more: Any) -> None:
        """Let the next ``times`` requests fail (None: all, until `recover`).

        Args:
            status: the status to answer with.
            times: how many requests.
            error: instead of a status: ``ETIMEDOUT``, ``ECONNREFUSED`` or ``ECONNRESET``.
            more: ``body``, ``headers``, ``seconds`` of `trackside.delivery.Fault`.
        """
        self.faults.append(Fault(status=0 if error else status, times=times, error=error, **more))

    def recover(self) -> None:
        """Take every fault away."""
        self.faults.clear()


def _told(fault: Fault) -> Step:
    text = f"answered {fault.error or fault.status}, as the lab was told to"
    return Step("info", "", text, fix="take the fault away with recover()")
