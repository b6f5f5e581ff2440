"""Examines a set-up: everything that a check needs on this machine, one item after the other.

It connects to the HTTP endpoints of the estate, without a sign-in, and signs in to Dynamics where the estate has `[dynamics]`, through the
ledger of refused sign-ins as everything else does. Nothing is changed but in the state folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path

from probe.alerts import RefusedTarget, alert_references, name_of, scheme_of
from probe.config import SecretUnavailable
from probe.document.telling.words import some_of
from probe.dynamics import Client
from probe.engine.secrets import Secrets
from probe.memory.folder import Folder, MemoryUnavailable
from probe.model.estate import Authentication, Credentials, Estate, SecretReference
from probe.model.runs import Run
from probe.model.values import dataclass
from probe.net.failures import NameUnresolved, expected
from probe.net.kerberos import kerberos_settings, running_as
from probe.net.names import Resolver
from probe.net.threads import in_thread
from probe.net.tls import check_anchors
from probe.net.trust import number_of_anchors
from probe.probing.proofs import NotClaimed

_MOST_SECONDS_APART = 300
"""Kerberos refuses clocks that are further apart (RFC 4120, section 1.6)."""
_SECONDS_APART = 30


class Health(StrEnum):
    """The state of an examined item. Earlier members win."""

    WRONG = "wrong"
    UNKNOWN = "unknown"
    GOOD = "good"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """The result for one item."""

    about: str
    health: Health
    words: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """What an examination uses."""

    folder: Folder
    resolver: Resolver
    ca_file: Path | None
    system_anchors: Path | None
    timeout: float
    """Seconds for one name, and for one secret where that is shorter than its own bound."""
    deadline: float | None
    """Seconds for all of it."""
    look: Callable[[], Awaitable[Run]] | None = None
    """A look at the HTTP endpoints of the estate, where it has any."""
    to_organization: Callable[[], AbstractAsyncContextManager[Client]] | None = None
    """A sign-in to Dynamics, where the estate has it."""


def _good(about: str, words: str) -> Symptom:
    return Symptom(about=about, health=Health.GOOD, words=words)


def _wrong(about: str, words: str, remedy: str) -> Symptom:
    return Symptom(about=about, health=Health.WRONG, words=words, remedy=remedy)


def _unknown(about: str, words: str, remedy: str = "") -> Symptom:
    return Symptom(about=about, health=Health.UNKNOWN, words=words, remedy=remedy)


async def examine(estate: Estate | None, instruments: Instruments) -> list[Symptom]:
    """The result for each item; of those that the deadline left no time for, that. Without an estate, only this machine is examined."""
    symptoms: list[Symptom] = []
    try:
        async with asyncio.timeout(instruments.deadline) as patience:
            async for symptom in _examined(estate, instruments):
                symptoms.append(symptom)  # noqa: PERF401 - what was found until the deadline is kept
    except TimeoutError:
        if not patience.expired():
            raise
        words = f"the deadline of {instruments.deadline:g} s had come; what is not told of here was not examined to its end"
        symptoms.append(_unknown("deadline", words, "Give it more time by --deadline."))
    return symptoms


async def _examined(estate: Estate | None, instruments: Instruments) -> AsyncIterator[Symptom]:
    """The result for each item as soon as it is known."""
    yield await in_thread(lambda: _state_folder(instruments.folder), "probe-folder")
    for symptom in await in_thread(lambda: list(_anchors(estate, instruments)), "probe-anchors"):
        yield symptom
    if estate is None:
        return
    async for symptom in _secrets(estate, instruments.timeout):
        yield symptom
    async for symptom in _alert_targets(estate, instruments.timeout):
        yield symptom
    async for symptom in _names(estate, instruments):
        yield symptom
    if _wants_ticket(estate):
        yield await in_thread(_ticket, "probe-ticket")
    if instruments.look is not None:
        for symptom in clocks(await instruments.look()):
            yield symptom
    if instruments.to_organization is not None:
        yield await _dynamics(instruments.to_organization)


def _state_folder(folder: Folder) -> Symptom:
    about = "state folder"
    try:
        folder.key()
        folder.database()
    except MemoryUnavailable as unavailable:
        return _wrong(
            about,
            str(unavailable),
            "Make a folder that this account alone may write to, and name it in PROBE_STATE_DIR. Until then nobody signs in.",
        )
    if (passing := folder.passes_away()) is not None:
        return _wrong(about, passing, "Name a folder that lasts in PROBE_STATE_DIR.")
    return _good(about, f"{folder.path} can be written, and nobody else may")


def _anchors(estate: Estate | None, instruments: Instruments) -> Iterator[Symptom]:
    about = "trust anchors"
    if number := number_of_anchors(instruments.system_anchors):
        yield _good(about, f"this machine trusts {number:,} authorities")
    else:
        remedy = "Install them (Debian: ca-certificates), or name a file with --ca."
        yield _wrong(about, "this machine trusts no authority, so that no certificate is trusted", remedy)
    named = {instruments.ca_file: "--ca"}
    if estate is not None and estate.dynamics is not None and estate.dynamics.ca is not None:
        named[Path(estate.dynamics.ca)] = "ca of [dynamics]"
    for file, whence in named.items():
        if file is None:
            continue
        try:
            check_anchors(file)
        except ValueError as wrong:
            yield _wrong(f"{about}: {whence}", str(wrong), "Name a PEM file of certificates that this account may read.")
        else:
            yield _good(f"{about}: {whence}", f"{file} can be read")


def _references(estate: Estate) -> Iterator[tuple[str, SecretReference | None]]:
    """Each reference to a secret, with the profile or mailbox that it belongs to."""
    if estate.dynamics is not None:
        yield "password of [dynamics]", estate.dynamics.password
    for profile in estate.profiles:
        for key in ("password", "outgoing_password", "client_secret", "client_certificate"):
            yield f'{key} of profile "{profile.name}"', getattr(profile, key)
    for mailbox in estate.mailboxes:
        yield f"password of {mailbox.address}", mailbox.password


async def _secrets(estate: Estate, seconds: float) -> AsyncIterator[Symptom]:
    about = "secrets"
    named = [(whose, reference) for whose, reference in _references(estate) if reference is not None]
    secrets = await Secrets.read([reference for _, reference in named], seconds)
    broken: dict[str, list[str]] = {}
    for whose, reference in named:
        try:
            secrets.of(reference)
        except SecretUnavailable as unavailable:
            broken.setdefault(str(unavailable), []).append(whose)
    for words, of_them in broken.items():
        remedy = "Put the secret where the estate says, readable by the account that runs probe."
        yield _wrong(about, f"{some_of(of_them)}: {words}", remedy)
    if good := len(named) - sum(map(len, broken.values())):
        yield _good(about, f"{good:,} of {len(named):,} are where the estate says")


async def _alert_targets(estate: Estate, seconds: float) -> AsyncIterator[Symptom]:
    """Whether each target is there, and of a kind that is used, and whether the heartbeat's URL is there. Nothing is sent."""
    targets, heartbeat = alert_references(estate), estate.alerts.heartbeat
    secrets = await Secrets.read([*targets, *([] if heartbeat is None else [heartbeat])], seconds)
    for reference in targets:
        whose = f"alert target: {name_of(reference)}"
        try:
            what = scheme_of(secrets.of(reference).reveal()).what
        except SecretUnavailable as unavailable:
            yield _wrong(whose, str(unavailable), _PUT_ITS_URL)
        except RefusedTarget as refused:
            yield _wrong(whose, str(refused), "Write the URL as the contract says (Alerts).")
        else:
            yield _good(whose, f"{what}; whether it takes alerts is seen by: probe alert test")
    if heartbeat is not None:
        whose = f"heartbeat: {name_of(heartbeat)}"
        try:
            is_https = secrets.of(heartbeat).reveal().lower().startswith("https://")
        except SecretUnavailable as unavailable:
            yield _wrong(whose, str(unavailable), _PUT_ITS_URL)
        else:
            words = "what stands there is not a URL that begins with https://, and no other is called"
            yield _good(whose, "a URL over HTTPS; nobody called it") if is_https else _wrong(whose, words, _PUT_ITS_URL)


_PUT_ITS_URL = "Put its URL where the estate says, readable by the account that runs probe."


async def _names(estate: Estate, instruments: Instruments) -> AsyncIterator[Symptom]:
    hosts = [endpoint.host for endpoint in estate.endpoints]
    if estate.dynamics is not None:
        hosts.append(estate.dynamics.url.endpoint.host)
    # Beside each other: where no name server answers, each takes as long as it may.
    each = tuple(dict.fromkeys(hosts))
    troubles = await asyncio.gather(*(_trouble_with(host, instruments) for host in each))
    for host, trouble in zip(each, troubles, strict=True):
        if trouble:
            yield _wrong(f"name: {host}", trouble, "See that it is spelt right, and that this machine's name servers know it.")
    if found := troubles.count(""):
        yield _good("names", f"{found:,} host names have addresses")


async def _trouble_with(host: str, instruments: Instruments) -> str:
    """Why a name has no address; empty where it has one."""
    try:
        async with asyncio.timeout(instruments.timeout):
            await instruments.resolver.addresses(host)
    except NameUnresolved as unresolved:
        return str(unresolved)
    except TimeoutError:
        return f"no name server answered for {host} within {instruments.timeout:g} s"
    return ""


def _wants_ticket(estate: Estate) -> bool:
    """Whether the account that runs probe is to sign in by Kerberos."""
    access = estate.dynamics
    return (access is not None and access.username is None and access.authentication is Authentication.NEGOTIATE) or any(
        credentials is Credentials.WINDOWS_INTEGRATED
        for profile in estate.profiles
        for credentials in (profile.credentials, profile.outgoing_credentials)
    )


def _ticket() -> Symptom:
    about = "Kerberos"
    session = running_as(kerberos_settings())
    if session.trouble == "no-library":
        return _wrong(about, "the Kerberos library is not installed", "Install the extra: pip install d365-mail-probe[kerberos]")
    if not session.names:
        return _wrong(about, "the account that runs probe has no ticket", "Run kinit as the account that is to sign in, then again.")
    return _good(about, f"there is a ticket of {session.names[0]}")


def clocks(run: Run) -> Iterator[Symptom]:
    """Compare this machine's clock with each server's, by the Date header of its responses (RFC 9110, section 6.6.1)."""
    told: dict[str, float] = {}
    for attempt in run.attempts:
        for line in attempt.transcript:
            name, _, value = line.text.partition(":")
            if line.speaker == "peer" and name.lower() == "date":
                try:
                    at = parsedate_to_datetime(value.strip())
                except (ValueError, OverflowError):
                    continue
                begun = attempt.at
                ended = begun.timestamp() + attempt.seconds
                server = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
                told[attempt.subject] = server - begun.timestamp() if server < begun.timestamp() else max(0.0, server - ended)
    for subject, apart in told.items():
        about = f"clock: {subject}"
        how = f"{abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} this machine's"
        if abs(apart) > _MOST_SECONDS_APART:
            yield _wrong(
                about, f"the server's is {how}", "Set both by the same time server: Kerberos refuses clocks that are 5 minutes apart."
            )
        elif abs(apart) > _SECONDS_APART:
            yield _unknown(about, f"the server's is {how}", "Set both by the same time server.")
        else:
            yield _good(about, "the server's agrees with this machine's")
    if not told:
        yield _unknown("clock", "no server told the time")


async def _dynamics(to_organization: Callable[[], AbstractAsyncContextManager[Client]]) -> Symptom:
    about = "Dynamics"
    try:
        async with to_organization() as client:
            found = client.organization
            return _good(about, f"{found.name}, {found.version}, signed in {client.signed_in_by}")
    except SecretUnavailable as unavailable:
        return _wrong(about, str(unavailable), "Put the password where the estate says.")
    except NotClaimed as barred:
        return _wrong(about, str(barred), "Correct the password, or `probe forget` where it is right by now.")
    except Exception as failure:
        if (named := expected(failure)) is None:
            raise
        return _wrong(about, named[1], "See [dynamics] of the estate, and that this machine reaches the server.")


def worst(symptoms: Iterable[Symptom]) -> Health:
    """The worst state among the results."""
    found = {symptom.health for symptom in symptoms}
    return next((health for health in Health if health in found), Health.GOOD)
