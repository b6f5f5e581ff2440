"""A modelled world for the service: endpoints and accounts as real conversations of the simulated estate found them, changed as a test says.

No socket is opened. What a look at a server would find is what the demonstration found at one of its kind, under another name.
"""

from __future__ import annotations

import asyncio
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from probe import app
from probe.dynamics.state import AskedPause
from probe.engine.observe import Progress
from probe.engine.plan import Conversation, Plan
from probe.model import vocabulary as v
from probe.model.attempts import WHY_AFTER, Attempt, Outcome
from probe.model.estate import Estate
from probe.model.facts import Fact, Missing, Reading
from probe.model.keys import FactKey
from probe.model.provenance import Observed
from probe.model.runs import Run
from probe.net.failures import Throttled
from probe.organization import DynamicsState
from probe.simulation.estate import Simulation
from tests.config.estates import DEPLOYMENT

GOOD_EWS = "ex2019.contoso.test"
GOOD_ACCOUNT = "finance@contoso.test"
_NOT_KEPT_OF_DYNAMICS = (v.DYNAMICS_ORGANIZATION_ID, v.DYNAMICS_FOUND, v.DYNAMICS_DIFFERS)
Change = Callable[[Attempt], Attempt]
"""What a test makes of what would be found."""


@cache
def demonstration() -> Run:
    """What a check of the good account finds in the simulated estate, once."""
    with ThreadPoolExecutor(1) as pool:  # where no loop runs yet
        return pool.submit(lambda: asyncio.run(_checked())).result()


async def _checked() -> Run:
    async with Simulation.start() as simulation:
        options = app.Options(hosts=simulation.hosts, ca_file=simulation.ca_file)
        return await app.check(simulation.estate, [one for one in simulation.estate.mailboxes if one.address == GOOD_ACCOUNT], options)


@cache
def _found_by(prober: str) -> Attempt:
    """What a prober found at the good server, or of the good account there."""
    return next(
        attempt
        for attempt in demonstration().attempts
        if attempt.prober == prober and (GOOD_EWS in attempt.subject or GOOD_ACCOUNT in (attempt.subject, attempt.mailbox))
    )


class World:
    """Servers and accounts. It is what the service looks at."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._changes: dict[str, list[Change]] = {}
        self._once: set[str] = set()
        self._made: dict[tuple[object, ...], Attempt] = {}
        self.held: Counter[tuple[str, str, str | None]] = Counter()
        """How often each prober was held, by subject and mailbox."""
        self.looked: defaultdict[tuple[str, str], array[float]] = defaultdict(lambda: array("d"))
        """When each prober that needs no account was held, by its name and subject; seconds since 1970."""
        self.times: list[tuple[datetime, str, str, str | None]] = []
        """When somebody was signed in."""
        self.listed: list[datetime] = []
        """When all of Dynamics' mailboxes were listed."""
        self.read_dynamics: list[datetime] = []
        """When Dynamics' own state was read."""
        self.of_dynamics: Callable[[Estate], tuple[Reading, ...]] = lambda estate: ()
        self.pauses: list[AskedPause] = []
        """The pauses that Dynamics asks for, one each time that its state is read."""
        self.throttled_listings: list[Throttled] = []
        """Those that it asks for instead of listing its mailboxes."""
        self.unlisted: tuple[str, ...] | None = ()
        self._kept_of_dynamics: tuple[Reading, ...] = ()

    async def hold(self, plan: Plan, stop: asyncio.Event, progress: Progress | None = None) -> tuple[Attempt, ...]:
        """What the conversations find."""
        return tuple(self._attempt(one) for one in plan.conversations)

    async def state_of_dynamics(self, estate: Estate, stop: asyncio.Event) -> DynamicsState:
        """What Dynamics says."""
        self.read_dynamics.append(self._now())
        readings = self.of_dynamics(estate)
        if any(one.key is v.DYNAMICS_ORGANIZATION_ID and isinstance(one, Fact) for one in readings):
            self._kept_of_dynamics = tuple(one for one in readings if one.key not in _NOT_KEPT_OF_DYNAMICS)
        return DynamicsState(readings, self.pauses.pop(0) if self.pauses else None)

    async def last_of_dynamics(self, estate: Estate) -> tuple[Reading, ...]:
        """What it said when it was read last, as `probe.organization` keeps it."""
        return self._kept_of_dynamics

    async def unlisted_mailboxes(self, estate: Estate) -> tuple[str, ...] | None:
        """Mailboxes of Dynamics that the estate does not have."""
        self.listed.append(self._now())
        if self.throttled_listings:
            raise self.throttled_listings.pop(0)
        return self.unlisted

    def change(self, subject: str, change: Change) -> None:
        """From now on, what is found of an endpoint or an account is changed so."""
        self._changes.setdefault(subject, []).append(change)
        self._forget(subject)

    def change_once(self, subject: str, change: Change) -> None:
        """The next conversation with an endpoint or account alone is changed so."""
        self.change(subject, change)
        self._once.add(subject)

    def restore(self, subject: str) -> None:
        """From now on, it is as it was in the beginning."""
        self._changes.pop(subject, None)
        self._forget(subject)

    def _forget(self, subject: str) -> None:
        self._made = {of: attempt for of, attempt in self._made.items() if subject not in of}

    def _attempt(self, conversation: Conversation) -> Attempt:
        now, subject, mailbox = self._now(), conversation.told_of, conversation.mailbox
        self.held[conversation.prober, subject, mailbox] += 1
        if conversation.login is not None:
            self.times.append((now, conversation.prober, subject, mailbox))
        elif mailbox is None:
            self.looked[conversation.prober, subject].append(now.timestamp())
        of = (conversation.prober, subject, mailbox, conversation.name)
        if of not in self._made:
            found = under_another_name(_found_by(conversation.prober), subject, conversation.account_of, conversation.name)
            for name in dict.fromkeys((subject, mailbox)):
                for change in self._changes.get(name or "", ()):
                    found = change(found)
            self._made[of] = replace(found, mailbox=mailbox)
        made = replace(self._made[of], at=now)
        for name in {subject, mailbox or ""} & self._once:
            self._once.discard(name)
            self.restore(name)
        return made


def under_another_name(attempt: Attempt, subject: str, account: str | None, name: str) -> Attempt:
    """An attempt as it would have been at another server, or with another account."""

    def renamed(reading: Reading) -> Reading:
        if isinstance(reading, Missing):
            return replace(reading, subject=subject, mailbox=account)
        provenance = reading.provenance
        evidence = tuple(replace(one, attempt=name) for one in provenance.evidence)
        return replace(reading, subject=subject, mailbox=account, attempt=name, provenance=replace(provenance, evidence=evidence))

    return replace(attempt, id=name, subject=subject, mailbox=account, readings=tuple(map(renamed, attempt.readings)))


def down(outcome: Outcome = Outcome.REFUSED, detail: str = "the connection was refused") -> Change:
    """The server does not answer."""

    def change(attempt: Attempt) -> Attempt:
        gaps = tuple(
            Missing(subject=attempt.subject, mailbox=reading.mailbox, key=reading.key, why=WHY_AFTER[outcome], detail=detail)
            for reading in attempt.readings
        )
        return replace(attempt, outcome=outcome, detail=detail, readings=gaps, transcript=())

    return change


def telling(key: FactKey[Any], value: Any, word: str = "") -> Change:
    """The server, or what is found of an account, has another value for a key."""

    def change(attempt: Attempt) -> Attempt:
        def changed(reading: Reading) -> Reading:
            if reading.key != key:
                return reading
            before = reading.provenance if isinstance(reading, Fact) else Observed()
            evidence = tuple(replace(one, excerpt=word or one.excerpt) for one in before.evidence)
            return Fact(
                subject=reading.subject,
                mailbox=reading.mailbox,
                key=key,
                value=value,
                provenance=replace(before, evidence=evidence),
                at=attempt.at,
                attempt=attempt.id,
            )

        return replace(attempt, readings=tuple(map(changed, attempt.readings)))

    return change


def estate_text(endpoints: int, mailboxes: int, more: str = "", allow: str = '["logs-in"]') -> str:
    """An estate of so many Exchange servers, and so many mailboxes behind each. `more` stands before the profiles."""
    head = f"""{DEPLOYMENT}allow = {allow}
{more}
"""
    profiles = (
        f"""
[[profile]]
name = "p{number}"
server_type = "exchange-server"
incoming = "https://ex{number}.contoso.test/EWS/Exchange.asmx"
authentication = "ntlm"
credentials = "mailbox"
"""
        for number in range(endpoints)
    )
    of_profiles = (
        f"""
[[mailbox]]
address = "m{which}@p{number}.contoso.test"
profile = "p{number}"
incoming = "server-side"
outgoing = "server-side"
appointments = "server-side"
password = "env:M{number}_{which}"
"""
        for number in range(endpoints)
        for which in range(mailboxes)
    )
    return "".join((head, *profiles, *of_profiles))


def url_of(number: int) -> str:
    """The URL of the endpoint with that number."""
    return f"https://ex{number}.contoso.test:443/EWS/Exchange.asmx"
