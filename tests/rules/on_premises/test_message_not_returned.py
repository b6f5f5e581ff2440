"""A test message that is refused, or that does not come back."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from probe import app
from probe.engine import select
from probe.engine.judge import Ruleset, judge_estate
from probe.model import vocabulary as v
from probe.model.estate import Credentials, Delivery, Effect, Endpoint, Estate, Mailbox, SecretReference
from probe.model.facts import Why
from probe.model.rules import Direction, Result, judge
from probe.rules.on_premises.message_not_returned import RULE
from tests.cases import DAY, NOON, Known, exchange_case, gmail_case, result_of
from tests.estates import CORP, DEPLOYMENT, SERVED

ALLOWED = {v.DEPLOYMENT_ALLOWS: ("logs-in", "sends-mail")}


def result(outgoing: Known, allowed: Known = ALLOWED) -> Result:
    return result_of(RULE, gmail_case(deployment=allowed, outgoing=outgoing))


def test_it_holds_where_the_message_came_back() -> None:
    """Taken and seen in the inbox, however long that took."""
    assert result({v.ROUNDTRIP_SENT: True, v.ROUNDTRIP_RETURNED: True}) is Result.HOLDS


def test_it_fails_where_the_server_did_not_take_it() -> None:
    """A refusal after the sign-in is not ready."""
    assert result({v.ROUNDTRIP_SENT: False, v.ROUNDTRIP_RETURNED: Why.NOT_APPLICABLE}) is Result.FAILS


def test_it_fails_where_the_message_was_not_seen() -> None:
    """A message that was taken and looked for in vain is not ready: Test & Enable waits for the same."""
    assert result({v.ROUNDTRIP_SENT: True, v.ROUNDTRIP_RETURNED: False}) is Result.FAILS


def test_it_is_unknown_where_the_looking_was_cut_short() -> None:
    """An inbox that went away says nothing of the message; nor does a round trip that was not begun."""
    assert result({v.ROUNDTRIP_SENT: True, v.ROUNDTRIP_RETURNED: Why.CLOSED}) is Result.UNKNOWN
    assert result({v.ROUNDTRIP_SENT: Why.THROTTLED, v.ROUNDTRIP_RETURNED: Why.THROTTLED}) is Result.UNKNOWN


Parts = dict[Direction, Result]
INCOMING, OUTGOING, APPOINTMENTS = Direction
TAKEN_AND_LOST: Known = {v.ROUNDTRIP_SENT: True, v.ROUNDTRIP_RETURNED: False}


@pytest.mark.parametrize(
    ("outgoing", "parts"),
    [
        ({v.ROUNDTRIP_SENT: True, v.ROUNDTRIP_RETURNED: True}, {INCOMING: Result.HOLDS, OUTGOING: Result.HOLDS}),
        (TAKEN_AND_LOST, {INCOMING: Result.FAILS, OUTGOING: Result.HOLDS}),
        ({v.ROUNDTRIP_SENT: False, v.ROUNDTRIP_RETURNED: Why.NOT_APPLICABLE}, {INCOMING: Result.HOLDS, OUTGOING: Result.FAILS}),
        ({v.ROUNDTRIP_SENT: True, v.ROUNDTRIP_RETURNED: Why.CLOSED}, {INCOMING: Result.UNKNOWN, OUTGOING: Result.HOLDS}),
        ({v.ROUNDTRIP_SENT: Why.TIMED_OUT, v.ROUNDTRIP_RETURNED: Why.TIMED_OUT}, {INCOMING: Result.UNKNOWN, OUTGOING: Result.UNKNOWN}),
        ({v.ROUNDTRIP_SENT: Why.DENIED, v.ROUNDTRIP_RETURNED: Why.DENIED}, {INCOMING: Result.HOLDS, OUTGOING: Result.UNKNOWN}),
    ],
    ids=["returned", "lost", "not taken", "looking cut short", "sending cut short", "never sent"],
)
def test_taking_is_of_outgoing_mail_and_arrival_of_incoming_mail(outgoing: Known, parts: Parts) -> None:
    """A refusal leaves incoming mail alone, since no message was sent that could arrive; one that was taken answers for outgoing mail."""
    assert judge(RULE, gmail_case(deployment=ALLOWED, outgoing=outgoing)).directions == parts


def test_arrival_is_of_outgoing_mail_where_only_appointments_come_in() -> None:
    """Appointments do not come by mail, so that a message that was lost speaks against sending alone."""
    appointments_only = {v.MAILBOX_INCOMING: "none", v.MAILBOX_APPOINTMENTS: "server-side"}
    finding = judge(RULE, gmail_case(deployment=ALLOWED, mailbox=appointments_only, outgoing=TAKEN_AND_LOST))
    assert finding.directions == {OUTGOING: Result.FAILS, APPOINTMENTS: Result.NOT_APPLICABLE}


def test_it_does_not_apply_where_no_message_may_be_sent() -> None:
    """Where sending is not allowed, or mail is sent by EWS, nothing is asked."""
    assert result({}, {v.DEPLOYMENT_ALLOWS: ("logs-in",)}) is Result.NOT_APPLICABLE
    own_account = {v.MAILBOX_OWN_ACCOUNT: True}
    assert result_of(RULE, exchange_case(deployment=ALLOWED, mailbox=own_account)) is Result.NOT_APPLICABLE


PASSWORD = SecretReference.parse("env:PASSWORD")
ACCOUNTS: tuple[tuple[Credentials, dict[str, object]], ...] = (
    (Credentials.MAILBOX, {}),
    (Credentials.MAILBOX, {"password": PASSWORD}),
    (Credentials.MAILBOX, {"password": PASSWORD, "username": "CONTOSO\\sales"}),
    (Credentials.PROFILE, {}),
    (Credentials.PROFILE, {"address": "SVC-CRM@contoso.test"}),
    (Credentials.WINDOWS_INTEGRATED, {"password": PASSWORD}),
    (Credentials.SERVER_TO_SERVER, {}),
    (Credentials.ANONYMOUS, {}),
)
WAYS = (
    ("pop3s://mail.contoso.test", "smtps://mail.contoso.test"),
    ("imap://mail.contoso.test", "smtp://mail.contoso.test"),
    ("https://mail.contoso.test", "smtp://mail.contoso.test"),
    ("https://mail.contoso.test", "https://mail.contoso.test"),
    ("pop3s://mail.contoso.test", "https://mail.contoso.test"),
)
DELIVERIES = tuple(product((Delivery.SERVER_SIDE, Delivery.NONE), repeat=3))
PERMISSIONS: tuple[frozenset[Effect], ...] = (
    frozenset(),
    frozenset({Effect.LOGS_IN}),
    frozenset({Effect.SENDS_MAIL}),
    frozenset({Effect.LOGS_IN, Effect.SENDS_MAIL}),
)


@pytest.mark.parametrize(("incoming", "outgoing"), WAYS)
@pytest.mark.parametrize(("credentials", "account"), ACCOUNTS)
def test_it_applies_exactly_where_a_trip_is_planned(
    incoming: str, outgoing: str, credentials: Credentials, account: dict[str, object]
) -> None:
    """Whatever is allowed, used and signed in with: the rule asks for the message that the plan sends, and for no other."""
    ruleset = Ruleset(inferences=app.inferences(), rules={RULE.id: RULE})
    profile = replace(CORP, credentials=credentials, incoming=Endpoint.parse(incoming), outgoing=Endpoint.parse(outgoing))
    for permitted, (collects, sends, synchronizes) in product(PERMISSIONS, DELIVERIES):
        mailbox: Mailbox = replace(SERVED, incoming=collects, outgoing=sends, appointments=synchronizes, **account)  # type: ignore[arg-type]
        estate = Estate(deployment=replace(DEPLOYMENT, allow=permitted), profiles=(profile,), mailboxes=(mailbox,))
        planned = select.for_estate(estate, estate.mailboxes, app.probers(), permitted)
        is_planned = any(c.prober == "mail-round-trip" and not c.not_held for c in planned)
        (assessment,) = judge_estate(estate, (), estate.mailboxes, ruleset, DAY, NOON).assessments
        results = [finding.result for finding in assessment.findings]
        assert (results == [Result.UNKNOWN]) is is_planned, (permitted, collects, sends, synchronizes)
