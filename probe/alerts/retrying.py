"""What becomes of a delivery: when it is tried again, and when it has failed for good."""

from __future__ import annotations

from datetime import datetime, timedelta

from probe.alerts.book import AlertDelivery, DeliveryState
from probe.net.alert_request import Delivered, DeliveryEnding

FIRST_PAUSE = timedelta(seconds=30)
"""Before a delivery is tried again; each further pause is twice as long."""
LONGEST_PAUSE = timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(hours=24)
"""After which a delivery has failed for good, counted from its event."""
REFUSED_AFTER = timedelta(minutes=15)
"""The same for a target that refuses it: those behind it wait meanwhile."""


def state_after(delivery: AlertDelivery, ended: Delivered, now: datetime) -> tuple[DeliveryState, dict[str, object]]:
    """What becomes of a delivery."""
    if ended.ending is DeliveryEnding.TAKEN:
        return DeliveryState.SENT, {"why": ""}
    given_up_after = {DeliveryEnding.PARTLY: timedelta(0), DeliveryEnding.REFUSED: REFUSED_AFTER}.get(ended.ending, GIVEN_UP_AFTER)
    pause = min(FIRST_PAUSE * 2 ** min(delivery.tries, 20), LONGEST_PAUSE)
    values: dict[str, object] = {"why": ended.why}
    if now - delivery.event_at >= given_up_after and (delivery.tries > 0 or ended.ending is DeliveryEnding.PARTLY):
        return DeliveryState.FAILED, values
    if ended.ending is DeliveryEnding.UNSEEN:
        values["is_repetition"] = True
    return DeliveryState.WAITING, values | {"due": now + pause}


def due_at(delivery: AlertDelivery, now: datetime) -> datetime:
    """When it may be sent; at once where the clock was set back since that was written."""
    return delivery.due if delivery.due <= now + LONGEST_PAUSE else now
