"""What the service manager hears: sd_notify(3), against a socket as systemd has it."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from probe.net.service_manager import ServiceManager

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX") or sys.platform == "win32", reason="there is no systemd")


def test_it_hears_that_the_service_is_ready_lives_and_ends(tmp_path: Path) -> None:
    """Readiness, life and the end are told, each in one datagram, with a line for people."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        manager = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        manager.ready("2 endpoints are watched")
        manager.lives("2 endpoints are watched")
        manager.stopping()
        heard = [listener.recv(4096) for _ in range(3)]
    assert heard == [b"READY=1\nSTATUS=2 endpoints are watched", b"WATCHDOG=1\nSTATUS=2 endpoints are watched", b"STOPPING=1"]


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_an_abstract_socket_is_found() -> None:
    """A name that begins with @ is an abstract socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        name = f"probe-test-{os.getpid()}"
        listener.bind(f"\0{name}")
        ServiceManager({"NOTIFY_SOCKET": f"@{name}"}).stopping()
        assert listener.recv(4096) == b"STOPPING=1"


@pytest.mark.parametrize("address", ["", "vsock:2:1234", "/nowhere/at/all"])
def test_where_nobody_listens_nothing_happens(address: str) -> None:
    """Without a manager, or with one that does not listen, telling does nothing."""
    ServiceManager({"NOTIFY_SOCKET": address}).ready("words")


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_the_watchdog_says_how_often(environment: dict[str, str], seconds: float | None) -> None:
    """The watchdog's time counts where it is meant for this process."""
    assert ServiceManager(environment).watchdog_seconds == seconds
