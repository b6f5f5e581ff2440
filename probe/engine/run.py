"""One pass: what to try, trying it, judging it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from probe import __version__
from probe.engine.judge import Book, infer_endpoints, judge_estate
from probe.engine.observe import Terms, observe
from probe.engine.select import Conversation
from probe.model.attempts import Attempt
from probe.model.estate import Endpoint, Estate, Mailbox
from probe.model.facts import Reading
from probe.model.runs import Run
from probe.net.failures import NameUnresolved
from probe.net.names import Resolver


@dataclass(frozen=True, slots=True)
class Identity:
    """What a run is called, and where it was made."""

    id: str
    host: str


async def check(
    identity: Identity,
    estate: Estate,
    mailboxes: Sequence[Mailbox],
    conversations: Sequence[Conversation],
    book: Book,
    on: date,
    terms: Terms,
) -> Run:
    """One run over an estate, or over some of its mailboxes."""
    started = terms.clock()
    attempts, interrupted = await observe(conversations, terms)
    finished = terms.clock()
    judgement = judge_estate(estate, _readings(attempts), mailboxes, book, on, finished)
    return Run(
        id=identity.id,
        probe=__version__,
        host=identity.host,
        started=started,
        finished=finished,
        judged_at=on,
        estate=estate,
        attempts=attempts,
        readings=judgement.readings,
        assessments=judgement.assessments,
        interrupted=interrupted,
    )


async def look(
    identity: Identity, endpoints: Sequence[Endpoint], conversations: Sequence[Conversation], book: Book, on: date, terms: Terms
) -> Run:
    """Facts of some endpoints, nothing judged."""
    started = terms.clock()
    attempts, interrupted = await observe(conversations, terms)
    finished = terms.clock()
    return Run(
        id=identity.id,
        probe=__version__,
        host=identity.host,
        started=started,
        finished=finished,
        judged_at=on,
        estate=None,
        attempts=attempts,
        readings=infer_endpoints(endpoints, _readings(attempts), book, on, finished),
        assessments=(),
        interrupted=interrupted,
    )


async def at_each_address(conversations: Sequence[Conversation], resolver: Resolver, timeout: float) -> tuple[Conversation, ...]:
    """The same conversations, once for each address of their names. A name without any, or too slow to have any, stays as it is, to fail as it will."""
    found: dict[str, tuple[str, ...]] = {}

    async def look_up(host: str) -> None:
        with contextlib.suppress(NameUnresolved, TimeoutError):
            async with asyncio.timeout(timeout):
                found[host] = await resolver.addresses(host)

    async with asyncio.TaskGroup() as group:
        for host in dict.fromkeys(c.endpoint.host for c in conversations):
            group.create_task(look_up(host))
    spread: list[Conversation] = []
    for conversation in conversations:
        addresses = found.get(conversation.endpoint.host, ())
        if conversation.not_held or conversation.prober.signs_in or len(addresses) < 2:
            spread.append(conversation)
        else:
            spread += (replace(conversation, only_address=address) for address in addresses)
    return tuple(spread)


def _readings(attempts: Sequence[Attempt]) -> tuple[Reading, ...]:
    return tuple(reading for attempt in attempts for reading in attempt.readings)
