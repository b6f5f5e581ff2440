"""Tests of choosing conversations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from probe import app
from probe.engine import select
from probe.model.estate import (
    Authentication,
    Credentials,
    Delivery,
    Deployment,
    DeploymentKind,
    Effect,
    Endpoint,
    Estate,
    Mailbox,
    SecretReference,
    ServerProfile,
    ServerType,
)

DEPLOYMENT = Deployment(
    name="contoso",
    kind=DeploymentKind.ON_PREMISES,
    version="9.1",
    runs_on="windows-server-2019",
    fips=False,
    mass_email=False,
    custom_email_providers=False,
    outlook_on_the_web_tracking=False,
    outlook_manual_tracking=False,
)
EWS = Endpoint.parse("https://mail.contoso.test/EWS/Exchange.asmx")
CORP = ServerProfile(
    name="corp",
    server_type=ServerType.EXCHANGE_SERVER,
    incoming=EWS,
    outgoing=EWS,
    credentials=Credentials.PROFILE,
    impersonation=True,
    username="svc@contoso.test",
    password=SecretReference("env", "X"),
)
SERVED = Mailbox(
    address="a@contoso.test", profile="corp", incoming=Delivery.SERVER_SIDE, outgoing=Delivery.SERVER_SIDE, appointments=Delivery.NONE
)


def planned(estate: Estate, allowed: frozenset[Effect] = frozenset()) -> tuple[select.Conversation, ...]:
    return select.for_estate(estate, estate.mailboxes, app.probers(), allowed)


def test_two_thousand_mailboxes_behind_twenty_endpoints_make_twenty_endpoints_conversations() -> None:
    """Each endpoint is probed once, however many mailboxes stand behind it."""
    endpoints = [Endpoint.parse(f"pop3s://pop{n}.contoso.test") for n in range(10)] + [
        Endpoint.parse(f"smtps://smtp{n}.contoso.test") for n in range(10)
    ]
    profiles = tuple(
        replace(CORP, name=f"p{n}", server_type=ServerType.POP3_SMTP, incoming=endpoints[n], outgoing=endpoints[10 + n]) for n in range(10)
    )
    mailboxes = tuple(replace(SERVED, address=f"m{n}@contoso.test", profile=f"p{n % 10}") for n in range(2000))
    conversations = planned(Estate(deployment=DEPLOYMENT, profiles=profiles, mailboxes=mailboxes))
    assert len(conversations) == 20
    assert {c.endpoint for c in conversations} == set(endpoints)


def test_only_reading_is_held_unasked() -> None:
    """What does more than read is listed with the reason why it is not held."""
    conversations = planned(Estate(deployment=DEPLOYMENT, profiles=(CORP,), mailboxes=(SERVED,)))
    assert {c.prober.effect for c in conversations if not c.not_held} == {Effect.READS}
    assert all("not allowed" in c.not_held for c in conversations if c.prober.effect is not Effect.READS)


def test_signing_in_is_held_for_each_mailbox() -> None:
    """With logins allowed, each mailbox has its own conversation, as the profile's account."""
    mailboxes = (SERVED, replace(SERVED, address="b@contoso.test"))
    conversations = planned(Estate(deployment=DEPLOYMENT, profiles=(CORP,), mailboxes=mailboxes), frozenset({Effect.LOGS_IN}))
    logins = [c for c in conversations if c.prober.signs_in]
    assert [c.mailbox for c in logins] == ["a@contoso.test", "b@contoso.test"]
    assert all(c.login is not None and c.login.username == "svc@contoso.test" and c.login.impersonates for c in logins)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": None}, "names no password"),
        ({"authentication": Authentication.OAUTH}, "OAuth"),
        ({"credentials": Credentials.SERVER_TO_SERVER}, "server-to-server"),
        ({"credentials": Credentials.MAILBOX}, "names no password"),
    ],
)
def test_an_account_that_cannot_sign_in_from_here_says_why(changes: dict[str, object], reason: str) -> None:
    """Where the estate gives nothing to sign in with, the conversation is not held, with the reason."""
    profile = replace(CORP, **changes)  # type: ignore[arg-type]
    conversations = planned(Estate(deployment=DEPLOYMENT, profiles=(profile,), mailboxes=(SERVED,)), frozenset({Effect.LOGS_IN}))
    (login,) = [c for c in conversations if c.prober.signs_in]
    assert reason in login.not_held


def test_a_mailbox_that_is_not_served_calls_for_nothing() -> None:
    """Where server-side synchronization does nothing, nothing is probed."""
    idle = replace(SERVED, incoming=Delivery.OUTLOOK, outgoing=Delivery.NONE)
    assert planned(Estate(deployment=DEPLOYMENT, profiles=(CORP,), mailboxes=(idle,))) == ()


def test_services_that_nobody_speaks_are_named() -> None:
    """IMAP has no prober yet, and that is said rather than passed over."""
    assert select.unspoken([Endpoint.parse("imaps://mail.contoso.test"), EWS], app.probers()) == ("imap",)
