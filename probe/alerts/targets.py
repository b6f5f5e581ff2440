"""Where alerts go: targets of the estate, each by the name of its reference, and the logs of this machine."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeAlias

from probe.alerts.conditions import Severity
from probe.alerts.schemes import THREAD, RefusedTarget, scheme_of
from probe.alerts.wording import Message, body_of, title_of
from probe.config.secrets import SecretUnavailable, resolve
from probe.model.secrets import SecretReference
from probe.net.alert_delivery import beat, deliver
from probe.net.alert_request import AppriseRequest, BeatRequest, Delivered, DeliveryEnding
from probe.net.failures import ChildKilled
from probe.net.killable import ChildDied, Children
from probe.net.threads import in_thread

_log = logging.getLogger(__name__)

SECONDS = 30.0
"""For one delivery. A mail server may delay its greeting by 20."""
AT_ONCE = 2
"""Child processes: one target that hangs does not hold up the others."""

Log: TypeAlias = Callable[[Message, str, bool], None]
"""A log of this machine: takes a message, the id of the event, and whether it may be there already. Raises OSError."""
Send: TypeAlias = Callable[[str, Message, str, bool], Awaitable[Delivered]]
"""What `TargetSender.send` is."""

_SEVERITIES = {Severity.CRITICAL: "failure", Severity.WARNING: "warning", Severity.INFORMATION: "info"}


class TargetSender:
    """Delivers messages, each to one target, by child processes that end with it. Whoever closes the `children` closes it."""

    def __init__(
        self,
        children: Children,
        *,
        logs: Mapping[str, Log] | None = None,
        ca_file: str | None = None,
        hosts: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
    ) -> None:
        """`ca_file` has more trust anchors; `hosts` leads names to an `address:port`, which only tests do."""
        self._children = children
        self._logs = logs or {}
        self._ca_file = ca_file
        self._hosts = hosts or {}
        self._seconds = seconds

    @property
    def logs(self) -> tuple[str, ...]:
        """Names of the logs of this machine that are written to."""
        return tuple(self._logs)

    async def send(self, target: str, message: Message, event: str, is_repetition: bool) -> Delivered:
        """Deliver one message to the target of that name. Raises nothing for whatever goes wrong with it."""
        if target in self._logs:
            return _logged(self._logs[target], message, event, is_repetition)
        try:
            url = (await in_thread(partial(resolve, SecretReference.parse(target)), "probe-secret")).reveal()
        except (SecretUnavailable, ValueError) as unavailable:
            return Delivered(DeliveryEnding.NOT_TAKEN, str(unavailable))
        try:
            scheme = scheme_of(url)
        except RefusedTarget as refused:
            return Delivered(DeliveryEnding.REFUSED, str(refused))
        request = AppriseRequest(
            url=url,
            module=scheme.module,
            plugin=scheme.plugin,
            options=scheme.options,
            settings={name: value.replace(THREAD, message.thread or event) for name, value in scheme.settings.items()},
            passes_through=scheme.passes_through,
            title=title_of(message, scheme.style),
            body=body_of(message, scheme.style, event=event, is_repetition=is_repetition, most=scheme.most, line_end=scheme.line_end),
            severity="success" if message.is_over else _SEVERITIES[message.severity],
            seconds=self._seconds,
            ca_file=self._ca_file,
            hosts=self._hosts,
        )
        return await self._in_child(partial(self._children.run, deliver, request, seconds=self._seconds))

    async def beat(self, reference: SecretReference) -> Delivered:
        """Call a heartbeat's URL once. As `send`."""
        try:
            url = (await in_thread(partial(resolve, reference), "probe-secret")).reveal()
        except SecretUnavailable as unavailable:
            return Delivered(DeliveryEnding.NOT_TAKEN, str(unavailable))
        request = BeatRequest(url=url, seconds=self._seconds, ca_file=self._ca_file, hosts=self._hosts)
        return await self._in_child(partial(self._children.run, beat, request, seconds=self._seconds))

    async def _in_child(self, run: Callable[[], Awaitable[Delivered]]) -> Delivered:
        try:
            return await run()
        except TimeoutError:
            return Delivered(DeliveryEnding.UNSEEN, f"it did not take the message within {self._seconds:.3g} s")
        except (ChildDied, ChildKilled) as ended:
            return Delivered(DeliveryEnding.UNSEEN, str(ended))


def _logged(log: Log, message: Message, event: str, is_repetition: bool) -> Delivered:
    try:
        log(message, event, is_repetition)
    except OSError as failed:
        return Delivered(DeliveryEnding.NOT_TAKEN, f"it cannot be written to: {failed.strerror}")
    return Delivered(DeliveryEnding.TAKEN)
