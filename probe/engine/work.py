"""What a plan holds, by endpoint and by mailbox: what a schedule spreads over the day, and what it costs each server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from probe.engine.plan import Conversation, Plan
from probe.model.watching import Load, MailboxWork, PlannedWork
from probe.probing import Prober, Scope

_Counts = dict[str, Counter[str]]
"""Conversations by whom they are for, then by the URL of the endpoint."""


def work_of(plan: Plan, probers: Mapping[str, Prober]) -> PlannedWork:
    """What of a plan is held at each endpoint and for each mailbox. A conversation counts as one connection."""
    endpoints: Counter[str] = Counter()
    held: _Counts = {}
    sign_ins: _Counts = {}
    round_trips: _Counts = {}
    accounts: dict[str, set[str]] = {}
    for one in plan.conversations:
        if one.not_held is not None:
            continue
        match probers[one.prober].scope:
            case Scope.ENDPOINT:
                endpoints[one.endpoint.url] += 1
            case Scope.TLS:
                pass
            case Scope.ROUND_TRIP:
                _count(round_trips, one)
            case Scope.MAILBOX | Scope.LOGIN:
                _count(held, one)
        if one.login is not None and one.mailbox is not None:
            accounts.setdefault(one.mailbox, set()).add(one.login.username.lower())
            if probers[one.prober].scope is Scope.LOGIN:
                _count(sign_ins, one)
    return PlannedWork(
        endpoints={url: Load(connections=count) for url, count in endpoints.items()},
        mailboxes={
            mailbox: MailboxWork(
                places={
                    url: Load(connections=count, sign_ins=sign_ins.get(mailbox, Counter())[url]) for url, count in at_endpoints.items()
                },
                round_trip={url: Load(connections=count, sign_ins=count) for url, count in round_trips.get(mailbox, Counter()).items()},
                accounts=frozenset(accounts.get(mailbox, ())),
            )
            for mailbox, at_endpoints in held.items()
        },
    )


def _count(counts: _Counts, conversation: Conversation) -> None:
    assert conversation.mailbox is not None
    counts.setdefault(conversation.mailbox, Counter()).update(endpoint.url for endpoint in conversation.endpoints)
