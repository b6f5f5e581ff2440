"""A way to a server that a test can cut, or let nothing through."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress


class Cable:
    """A port of loopback that leads to another until it is cut: then every connection ends, and every new one is closed at once. While it is
    stalled, what is sent waits in it, in both directions, and a new connection is taken and hears nothing."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._is_cut = False
        self._flows = threading.Event()
        self._flows.set()
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._start(self._serve)

    def cut(self) -> None:
        """Cut it."""
        self._is_cut = True
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Make it whole again."""
        self._is_cut = False

    def stall(self) -> None:
        """Let nothing through."""
        self._flows.clear()

    def flow(self) -> None:
        """Let through what waits, and what comes."""
        self._flows.set()

    def close(self) -> None:
        """Leave nothing open."""
        self.cut()
        self._flows.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in (*self._ends, self._listener):
            end.close()

    def _start(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                if self._is_cut:
                    here.close()
                    continue
                there = socket.create_connection(("127.0.0.1", self._to))
                self._ends += (here, there)
                self._start(self._copy, here, there)
                self._start(self._copy, there, here)

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                self._flows.wait()
                target.sendall(piece)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
