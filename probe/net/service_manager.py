"""Tells systemd how a service is: sd_notify(3), which is one datagram to the socket that NOTIFY_SOCKET names. Elsewhere it does nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class ServiceManager:
    """The service manager that started this process, if one did."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self.watchdog_seconds = _watchdog_seconds(environment)
        """Within which it wants to hear that the service lives; None where it does not."""

    def ready(self, words: str) -> None:
        """The service has begun."""
        self._tell(f"READY=1\nSTATUS={words}")

    def lives(self, words: str) -> None:
        """The service does what it is for."""
        self._tell(f"WATCHDOG=1\nSTATUS={words}")

    def stopping(self) -> None:
        """The service ends."""
        self._tell("STOPPING=1")

    def _tell(self, state: str) -> None:
        # A first @ stands for the zero byte of an abstract socket, sd_notify(3).
        if not self._address.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | getattr(socket, "SOCK_CLOEXEC", 0)) as sender:
                sender.setblocking(False)
                sender.sendto(state.encode(), address)
        except OSError:
            return  # a manager that does not listen is no reason to stop


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """WATCHDOG_USEC, where it is meant for this process: sd_watchdog_enabled(3)."""
    microseconds, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or (process and process != str(os.getpid())):
        return None
    return int(microseconds) / 1_000_000 or None
