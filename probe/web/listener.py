"""Serves the application on uvicorn, within a loop that is there already: with TLS and tokens, or on loopback alone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

import uvicorn

from probe.memory.folder import MemoryUnavailable
from probe.model.values import dataclass
from probe.net.listening import ClientLimits, ListeningPort, ServerIdentity
from probe.net.threads import in_thread
from probe.web.access import Gatekeeper, Hosts, is_local_name
from probe.web.ahead import WhatComes
from probe.web.application import application
from probe.web.connections import MOST_HEAD_BYTES, BoundedConnection, ClientPatience
from probe.web.jobs import Jobs
from probe.web.sessions import Sessions
from probe.web.state import States
from probe.web.tokens import Tokens
from probe.web.watch import Watch
from probe.wire.certificates import read_certificate

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8025
CLIENTS = ClientLimits(most=200, most_of_one=100, handshake_seconds=10.0)
PATIENCE = ClientPatience()
KEEP_ALIVE_SECONDS = 15
"""Prometheus asks each 15 s, as a rule."""
_CERTIFICATE_SECONDS = 60
"""How often it is looked whether the certificate was renewed."""

_log = logging.getLogger(__name__)
# It may log what was sent, and would do so on standard error.
logging.getLogger("uvicorn").addHandler(logging.NullHandler())
logging.getLogger("uvicorn").propagate = False


class CannotListen(Exception):
    """Why the listener does not start, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenSettings:
    """Where and how to listen."""

    host: str = DEFAULT_HOST
    """An address, or a name whose first address is taken."""
    port: int = DEFAULT_PORT
    """0: any free one."""
    certificate: Path | None = None
    """PEM: the certificate, then its chain."""
    key: Path | None = None
    """PEM, unencrypted."""
    require_token: bool = False
    """Whether readers on loopback want a token too."""


def listen_settings(
    listen: str | None, certificate: Path | None = None, key: Path | None = None, *, require_token: bool = False
) -> ListenSettings:
    """Settings out of `HOST:PORT`, an IPv6 address in brackets. Raises ValueError with one sentence."""
    host, port = DEFAULT_HOST, DEFAULT_PORT
    if listen is not None:
        host, colon, number = listen.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not colon or not host or not number.isascii() or not number.isdecimal() or int(number) > 65535:
            raise ValueError(f"{listen!r} is not HOST:PORT, as in {DEFAULT_HOST}:{DEFAULT_PORT} or [::1]:{DEFAULT_PORT}")
        port = int(number)
    if (certificate is None) is not (key is None):
        raise ValueError("a certificate wants its key, and a key its certificate")
    return ListenSettings(host=host, port=port, certificate=certificate, key=key, require_token=require_token)


@asynccontextmanager
async def listening(
    watch: Watch,
    settings: ListenSettings,
    tokens: Tokens,
    *,
    clock: Callable[[], datetime],
    monotonic: Callable[[], float],
    clients: ClientLimits = CLIENTS,
    patience: ClientPatience = PATIENCE,
) -> AsyncIterator[str]:
    """Serve for as long as the context lasts; gives the URL. At its end nothing new is accepted, and what is being answered has `patience.drain` seconds.

    `clock` gives the time in UTC, `monotonic` seconds since any moment. Raises CannotListen.
    """
    port, identity = await _opened(settings, tokens)
    with contextlib.closing(port):
        names = ListenerNames(port, identity)
        gatekeeper = Gatekeeper(
            tokens,
            Hosts(names.have, port.port),
            Sessions(clock, port.port),
            on_loopback=port.is_local,
            require_token=settings.require_token,
            clock=clock,
            monotonic=monotonic,
        )
        jobs, states = Jobs(clock, monotonic), States(watch)
        comes = WhatComes(states)
        front = application(watch, states, comes, gatekeeper, jobs, clock)
        server = _Server(_configuration(front, names, patience))
        # Before anybody can ask: whoever asks first waits for nothing.
        await states.begin()
        await front.begin()
        stop, failed = asyncio.Event(), None
        try:
            async with asyncio.TaskGroup() as group:
                serving, working = group.create_task(server.serve()), group.create_task(jobs.serve())
                following = [group.create_task(one.follow()) for one in (states, comes)]
                await server.ready.wait()
                context = None if identity is None else identity.context
                accepting = group.create_task(port.serve(partial(_connection, server, patience), context, clients, stop))
                url = f"{'http' if identity is None else 'https'}://{_in_url(port.address)}:{port.port}"
                _log.info("listening", extra={"url": url})
                try:
                    yield url
                except Exception as error:  # noqa: BLE001 - raised as it is once what is being answered has ended
                    failed = error
                finally:
                    stop.set()
                    jobs.close()
                    server.should_exit = True
                await serving
                for task in (accepting, working, *following):
                    task.cancel()
        finally:
            # What is answered yet goes no further, be it that its time is over or that the service is cancelled.
            await _cancelled(server.server_state.tasks)
        if failed is not None:
            raise failed


async def _cancelled(tasks: Collection[asyncio.Task[None]]) -> None:
    left = [*tasks]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


class ListenerNames:
    """The names under which the listener may be asked for: on loopback the local ones, elsewhere those of its certificate."""

    def __init__(self, port: ListeningPort, identity: ServerIdentity | None) -> None:
        self._is_local, self._identity = port.is_local, identity
        self._certificate = None if identity is None else read_certificate(identity.leaf)

    def have(self, host: str) -> bool:
        if self._is_local:
            return is_local_name(host)
        return self._certificate is not None and self._certificate.is_for(host) is True

    async def renew(self) -> None:
        """Take up a certificate that was renewed; one that is no good is told, and the old one stays."""
        if self._identity is None:
            return
        try:
            if await in_thread(self._identity.renew, "probe-web-certificate"):
                self._certificate = read_certificate(self._identity.leaf)
                _log.info("the renewed certificate is shown from now on")
        except ValueError as wrong:
            _log.error("the certificate is not taken up", extra={"error": str(wrong)})


class _Server(uvicorn.Server):
    """uvicorn's server without its signals and its accepting of connections: both are somebody else's here."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: object = None) -> None:
        await self.lifespan.startup()
        self.servers = []
        self.started = True
        self.ready.set()


def _configuration(app: object, names: ListenerNames, patience: ClientPatience) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http="h11",
        ws="none",
        interface="asgi3",
        lifespan="off",
        log_config=None,
        access_log=False,
        # Who sent a request is the other end of its connection, whatever it says.
        proxy_headers=False,
        server_header=False,
        date_header=False,
        workers=1,
        h11_max_incomplete_event_size=MOST_HEAD_BYTES,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=patience.drain,
        callback_notify=names.renew,
        timeout_notify=_CERTIFICATE_SECONDS,
    )


def _connection(server: _Server, patience: ClientPatience, gone: Callable[[], None]) -> BoundedConnection:
    return BoundedConnection(gone, patience, config=server.config, server_state=server.server_state, app_state={})


async def _opened(settings: ListenSettings, tokens: Tokens) -> tuple[ListeningPort, ServerIdentity | None]:
    """The port, and the certificate that is shown there. Raises CannotListen."""
    identity = None
    try:
        if settings.certificate is not None and settings.key is not None:
            identity = ServerIdentity(settings.certificate, settings.key)
            read_certificate(identity.leaf)
        port = await in_thread(lambda: ListeningPort(settings.host, settings.port), "probe-web-port")
    except ValueError as wrong:
        raise CannotListen(str(wrong)) from None
    except OSError as failed:
        raise CannotListen(f"{_in_url(settings.host)}:{settings.port} cannot be listened on: {failed.strerror}") from None
    try:
        if not port.is_local:
            await _check_outside(port, identity, tokens)
    except BaseException:
        port.close()
        raise
    return port, identity


async def _check_outside(port: ListeningPort, identity: ServerIdentity | None, tokens: Tokens) -> None:
    """See to it that nobody can read or ask from other machines without a certificate and a token. Raises CannotListen."""
    if identity is None:
        raise CannotListen(
            f"{port.address} is reached from other machines: it wants --certificate and --key, so that tokens are not sent in clear"
        )
    try:
        known = await in_thread(tokens.all, "tokens")
    except MemoryUnavailable as unavailable:
        raise CannotListen(f"the tokens cannot be read: {unavailable}") from None
    if not known:
        raise CannotListen(
            f"{port.address} is reached from other machines: it wants a token first, by `probe token create NAME --scope read`"
        )


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
