"""How far back Statsig takes what Segment replays. Pure: the moment of the replay is an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackside.statsig.values import shown
from trackside.steps import Message, Step, drop
from trackside.times import epoch_ms, in_ms

if TYPE_CHECKING:
    from trackside.statsig.settings import StatsigSettings

DAY_MS = 86_400_000


def too_old(message: Message, settings: StatsigSettings, now: float) -> Step | None:
    """Return the drop of a replayed call that lies too far back by its own timestamp, or None (statsig.in.replay).

    Args:
        message: one Segment call as Segment would post it.
        settings: the Statsig project.
        now: when it is replayed, epoch seconds.

    Source: Statsig, "Segment", on Segment Replay.

    >>> from trackside.statsig.settings import StatsigSettings
    >>> too_old({"timestamp": "2026-01-01T00:00:00Z"}, StatsigSettings(), 1767916800.0).at  # eight days later
    '$.timestamp'
    """
    days, moment = settings.segment_inbound.replay_days, epoch_ms(message.get("timestamp"), now)
    if moment is None or in_ms(now) - moment <= days * DAY_MS:
        return None
    text = f"the timestamp {shown(message.get('timestamp'))} lies over {days:g} days back: Statsig takes no replayed event so old"
    fix = "replay later messages, or raise statsig.segment_inbound.replay_days"
    return drop("statsig.in.replay", text, at="$.timestamp", fix=fix)
