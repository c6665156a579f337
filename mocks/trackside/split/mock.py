"""Split of a running lab as tests see it: its flags and segments, and the identities that it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackside import expect
from trackside.errors import TracksideError
from trackside.split.export import exported
from trackside.split.handles import FlagHandle, SegmentHandle
from trackside.split.segment_destination import WEBHOOK
from trackside.split.store import Split
from trackside.steps import Record
from trackside.vendor import Mock
from trackside.wire import Vendor

if TYPE_CHECKING:
    from trackside.exports import Exported
    from trackside.lab import Lab
    from trackside.split.changes import TrafficTypes
    from trackside.split.settings import SplitSettings


class SplitMock(Mock):
    """Split of a running lab: beside events it keeps identities, the attributes of a key."""

    live: Split

    def __init__(self, vendor: Vendor, lab: Lab) -> None:
        super().__init__(vendor, lab)
        self.live.webhook.tell = lambda step: lab.tell(step, self.name)

    # ---- its SDKs

    def python_options(self, environment: str = "") -> dict[str, Any]:
        """Return the arguments of ``get_factory`` of ``splitio_client``."""
        return self.options("splitio_client", environment)

    def node_options(self, environment: str = "") -> dict[str, Any]:
        """Return the settings of ``SplitFactory`` of ``@splitsoftware/splitio`` on a server."""
        return self.options("@splitsoftware/splitio", environment)

    def browser_options(self, environment: str = "") -> dict[str, Any]:
        """Return the settings of ``SplitFactory`` in a browser; ``core.key``, the user, is yours to add."""
        return self.options("@splitsoftware/splitio-browserjs", environment)

    def admin_options(self) -> dict[str, Any]:
        """Return the settings of ``get_client`` of ``splitapiclient``."""
        return self.options("splitapiclient")

    # ---- Segment

    def webhook_url(self, environment: str = "") -> str:
        """Return the address that Segment's webhook destination posts to, with the secret in ``Authorization``.

        In the workspace itself the address is ``https://events.split.io/segment/webhook/<environment>``
        (split.in.webhook-url).

        Args:
            environment: of the configuration; the first one with a secret by default.

        Raises:
            TracksideError: no configuration with a secret is of this environment.
        """
        settings: SplitSettings = self._lab.workspace.split
        for name, inbound in settings.webhooks.items():
            if environment in ("", inbound.environment):
                return self.url + WEBHOOK.replace("<webhook>", name)
        of = f" of {environment}" if environment else ""
        fix = "give one its secret: split.segment_inbound[].secret"
        raise TracksideError(f"no configuration{of} has a secret", "$.split.segment_inbound", fix)

    def exports(self, settings: SplitSettings) -> bool:
        """Return whether a configuration sends impressions to Segment."""
        return bool(settings.segment_outbound)

    def export_state(self) -> TrafficTypes:
        """Return the traffic type of every flag as it stands."""
        return self.live.traffic_types()

    def exported(self, records: list[Record], settings: SplitSettings, state: TrafficTypes) -> Exported:
        """Return what it sends to Segment of records that it keeps."""
        return exported(records, settings, state.of)

    # ---- its flags and segments

    def flag(self, name: str, environment: str = "") -> FlagHandle:
        """Return a flag to change; it is made by the first change where it does not exist.

        Args:
            name: of the flag.
            environment: where; the first one by default.
        """
        return FlagHandle(self.live, name, environment)

    def segment(self, name: str, environment: str = "", *, large: bool = False) -> SegmentHandle:
        """Return a segment to change, or a large one; it is made by the first change where it does not exist."""
        return SegmentHandle(self.live, name, environment, large=large)

    def control(self, control_type: str, environment: str = "") -> None:
        """Send a control message to streaming SDKs (split.sdk.control).

        Args:
            control_type: ``STREAMING_PAUSED``, ``STREAMING_RESUMED``, ``STREAMING_DISABLED`` or ``STREAMING_RESET``.
            environment: to its SDKs only; to all by default.

        Raises:
            TracksideError: there is no such control message.
        """
        with self._lab.lock:
            self.live.control(control_type, environment)

    def occupancy(self, publishers: int, environment: str = "") -> None:
        """Tell streaming SDKs how many publishers there are: with 0 they poll, with more they stream (split.sdk.occupancy)."""
        with self._lab.lock:
            self.live.occupancy(publishers, environment)

    # ---- what it keeps beside events

    def identities(self, **match: Any) -> list[Record]:
        """Return the identities that it keeps, in the order of arrival.

        Args:
            match: ``key``, ``traffic_type``, ``environment``, ``values`` (the attributes) or ``where``.
        """
        return expect.records(self._lab, self.name, match, sort="identity")

    def expect_identity(
        self,
        key: Any,
        *,
        traffic_type: Any = "user",
        timeout: float = expect.TIMEOUT_SECONDS,
        where: dict[str, Any] | None = None,
        **values: Any,
    ) -> Record:
        """Wait for an identity with these attributes and return it, the first where there are several.

        Args:
            key: whose.
            traffic_type: of the key.
            timeout: seconds to wait at most.
            where: dotted paths in the record, such as ``environmentName``, or ``values.key``.
            values: attributes by name.
        """
        __tracebackhide__ = True
        asked = {
            "key": key,
            "traffic_type": traffic_type,
            "where": where or {},
            **({"values": values} if values else {}),
        }
        return expect.expect(self._lab, self.name, asked, timeout=timeout, sort="identity")

    def impressions(self, **match: Any) -> list[Record]:
        """Return the impressions that SDKs posted, in the order of arrival (split.impressions).

        Args:
            match: ``flag``, ``key``, ``treatment``, ``label``, ``bucketing_key``, ``change_number``, ``time``,
                ``previous_time``, ``properties``, ``environment``, ``mode``, ``sdk`` or ``where``.
        """
        return expect.records(self._lab, self.name, match, sort="impression")

    def expect_impression(
        self, flag: Any, *, timeout: float = expect.TIMEOUT_SECONDS, count: int | None = None, **match: Any
    ) -> Record:
        """Wait for an impression and return it, the first where there are several.

        Args:
            flag: that was evaluated.
            timeout: seconds to wait at most.
            count: exactly so many, where given.
            match: further fields, as `impressions` takes them.
        """
        __tracebackhide__ = True
        asked = {"flag": flag, **match}
        return expect.expect(self._lab, self.name, asked, count=count, timeout=timeout, sort="impression")
