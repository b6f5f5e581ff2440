"""Delivery of alerts through apprise, and the heartbeat: what runs in a child process, which can be killed."""

from __future__ import annotations

from probe.net.alert_request import AppriseRequest, BeatRequest, Delivered
from probe.net.quiet import quiet


def deliver(request: AppriseRequest) -> Delivered:
    """Deliver one message. Blocks; raises nothing for what a peer does or what the URL holds."""
    with quiet():
        from probe.net import apprise_protocol

        return apprise_protocol.deliver(request)


def beat(request: BeatRequest) -> Delivered:
    """Call a URL once. As `deliver`."""
    with quiet():
        from probe.net import alert_session

        return alert_session.beat(request)
