"""The newest state of the estate, found by name: what a request asks about, and what is known of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

from probe.model.attempts import Attempt
from probe.model.endpoints import endpoint_id
from probe.model.estate import Endpoint, Estate, Mailbox
from probe.model.facts import Facts, Reading
from probe.model.rules import Assessment
from probe.model.runs import Run
from probe.net.threads import in_thread
from probe.web.watch import Watch

MOST_NAME = 512
"""Characters of what may be asked for by name. A subject that is longer has an id."""


class EstateNames:
    """What an estate names, by the names under which it may be asked for."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.endpoints = {endpoint.url: endpoint for endpoint in estate.endpoints}
        self.urls = sorted(self.endpoints)
        self._by_id = {endpoint_id(url): endpoint for url, endpoint in self.endpoints.items()}
        self._mailboxes = {mailbox.id: mailbox for mailbox in estate.mailboxes if mailbox.id is not None}
        self._mailboxes |= {mailbox.address.casefold(): mailbox for mailbox in estate.mailboxes}
        self.by_address = {
            mailbox.address.casefold(): mailbox for mailbox in sorted(estate.mailboxes, key=lambda one: one.address.casefold())
        }
        """The mailboxes by address in small letters, in that order."""
        self.served = Counter(url for mailbox in estate.mailboxes for url in {endpoint.url for endpoint in estate.endpoints_of(mailbox)})
        """How many mailboxes each endpoint serves, by URL."""

    def endpoint(self, name: str) -> Endpoint | None:
        """The endpoint of the estate with this id or subject."""
        return self._by_id.get(name) or self.endpoints.get(name)

    def mailbox(self, name: str) -> Mailbox | None:
        """The mailbox of the estate with this address, in small or capital letters, or with this id in Dynamics."""
        return self._mailboxes.get(name.casefold())


class EstateState:
    """A run of the whole estate, indexed."""

    def __init__(self, run: Run, names: EstateNames) -> None:
        self.run = run
        self.names = names
        self._attempts: dict[str, list[Attempt]] = {}
        for attempt in run.attempts:
            self._attempts.setdefault(attempt.subject, []).append(attempt)
        self._readings: dict[str, list[Reading]] = {}
        for reading in run.readings:
            self._readings.setdefault(reading.subject, []).append(reading)
        self.assessments: Mapping[str, Assessment] = {assessment.mailbox: assessment for assessment in run.assessments}

    def attempts_with(self, subject: str) -> Sequence[Attempt]:
        """The last attempts with a subject, those of accounts there among them, in the order of the plan."""
        return self._attempts.get(subject, ())

    def readings_of(self, subject: str) -> Sequence[Reading]:
        """What is known and missing of a subject and of accounts there."""
        return self._readings.get(subject, ())

    def facts_of(self, subject: str) -> Facts:
        """What is known of a subject itself."""
        return Facts(subject, [reading for reading in self.readings_of(subject) if reading.mailbox is None])


class States:
    """Gives the newest state, and indexes it once."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._names: EstateNames | None = None
        self._state: EstateState | None = None
        self._indexing = asyncio.Lock()

    def names(self) -> EstateNames:
        """What the estate names now."""
        estate = self._watch.estate
        if self._names is None or self._names.estate is not estate:
            self._names = EstateNames(estate)
        return self._names

    async def newest(self) -> EstateState:
        """The newest state."""
        async with self._indexing:
            run, names = self._watch.run(), self.names()
            if self._state is None or self._state.run is not run or self._state.names is not names:
                # Of ten thousand endpoints there are half a million readings; the schedule goes on meanwhile.
                self._state = await in_thread(lambda: EstateState(run, names), "probe-web-state")
            return self._state
