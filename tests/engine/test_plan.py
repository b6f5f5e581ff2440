"""Tests of the plan as a value: it can be sent, and split by host."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time, timedelta
from enum import StrEnum
from typing import Any

from probe import app
from probe.engine.plan import Plan
from probe.model.estate import Authentication, Effect, Endpoint, Estate, SecretReference, ServerType
from tests.estates import CORP, DEPLOYMENT, SERVED

ALL = app.Options(allow=frozenset({Effect.LOGS_IN, Effect.PROVOKES, Effect.SENDS_MAIL}), tls="full")


def branch(name: str, incoming: str, outgoing: str, username: str) -> Any:
    """A POP3/SMTP profile with an account of its own."""
    return replace(
        CORP,
        name=name,
        server_type=ServerType.POP3_SMTP,
        incoming=Endpoint.parse(incoming),
        outgoing=Endpoint.parse(outgoing),
        authentication=Authentication.BASIC,
        impersonation=False,
        username=username,
        password=SecretReference("env", "PROBE_TESTS_NO_SUCH_SECRET"),
    )


def plan_of(*profiles: Any) -> Plan:
    mailboxes = tuple(replace(SERVED, address=profile.username, profile=profile.name) for profile in profiles)
    return app.plan_check(Estate(deployment=DEPLOYMENT, profiles=profiles, mailboxes=mailboxes), mailboxes, ALL)


APART = (
    branch("a", "pop3s://pop.a.test", "smtps://smtp.a.test", "a@contoso.test"),
    branch("b", "imaps://mail.b.test", "smtps://mail.b.test", "b@contoso.test"),
)


def test_a_plan_can_be_sent_to_another_process() -> None:
    """Pickled and read again it is equal, though a secret refuses that."""
    plan = plan_of(CORP, *APART)
    assert any(c.login is not None for c in plan.conversations)
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_a_plan_is_plain_data() -> None:
    """Nothing in it is more than JSON can hold: no function, no prober, no secret."""

    def leaves(value: Any) -> Iterator[Any]:
        if dataclasses.is_dataclass(value):
            for part in dataclasses.fields(value):
                if part.init:  # else it follows from the others
                    yield from leaves(getattr(value, part.name))
        elif isinstance(value, tuple | frozenset):
            for part in value:
                yield from leaves(part)
        else:
            yield value

    for leaf in leaves(plan_of(CORP, *APART)):
        assert leaf is None or isinstance(leaf, str | int | bool | StrEnum | date | time | timedelta), leaf
        json.dumps(leaf, default=str)


def test_attempts_have_their_names_from_the_plan() -> None:
    """Each conversation has its own, in their order, held or not."""
    plan = plan_of(CORP, *APART)
    assert [c.name for c in plan.conversations] == [f"a{n}" for n in range(1, len(plan.conversations) + 1)]


def test_a_plan_is_split_by_host() -> None:
    """Each conversation is in one part, under its name, and no host in two; each part knows the whole estate."""
    plan = plan_of(CORP, *APART)
    parts = plan.by_host()
    assert [{endpoint.host for endpoint in part.endpoints} for part in parts] == [
        {"mail.contoso.test"},
        {"pop.a.test", "smtp.a.test"},
        {"mail.b.test"},
    ]
    assert sorted((c for part in parts for c in part.conversations), key=plan.conversations.index) == list(plan.conversations)
    assert all(replace(part, conversations=plan.conversations) == plan for part in parts)


def test_hosts_where_the_same_account_signs_in_stay_together() -> None:
    """Once refused at one it is not tried at the next, so that one process must hold both; its name counts in whatever case."""
    shared = replace(APART[1], username="A@contoso.test")
    parts = plan_of(APART[0], shared).by_host()
    assert [{endpoint.host for endpoint in part.endpoints} for part in parts] == [{"pop.a.test", "smtp.a.test", "mail.b.test"}]


def test_hosts_that_read_only_are_split_though_a_profile_has_both() -> None:
    """Without a sign-in nothing ties the server that takes mail to the one that gives it."""
    estate = Estate(deployment=DEPLOYMENT, profiles=APART[:1], mailboxes=(replace(SERVED, address="a@contoso.test", profile="a"),))
    parts = app.plan_check(estate, estate.mailboxes, app.Options(tls="none")).by_host()
    assert [{endpoint.host for endpoint in part.endpoints} for part in parts] == [{"pop.a.test"}, {"smtp.a.test"}]


def test_a_look_is_a_plan_without_an_estate() -> None:
    """It holds what is allowed, once for each endpoint, and names no mailbox."""
    there = Endpoint.parse("pop3s://pop.a.test")
    plan = app.plan_look([there, there], app.Options(tls="quick"), date(2026, 11, 28))
    assert (plan.estate, plan.mailboxes, plan.endpoints, plan.on) == (None, (), (there,), date(2026, 11, 28))
    assert {c.prober for c in plan.conversations} >= {"pop3-capabilities", "tls-posture"}
    assert len({c.prober for c in plan.conversations}) == len(plan.conversations)
    assert not any(c.not_held for c in plan.conversations)
