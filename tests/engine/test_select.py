"""Tests of choosing conversations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from probe import app
from probe.engine import select
from probe.engine.plan import Conversation, Login
from probe.model.estate import Authentication, Cloud, Credentials, Delivery, Effect, Endpoint, Estate, Location, SecretReference, ServerType
from probe.model.facts import Why
from probe.probing import EndpointSubject
from tests.estates import CORP, DEPLOYMENT, SERVED, ends


def effect(conversation: Conversation) -> Effect:
    return app.probers()[conversation.prober].effect


def planned(estate: Estate, allowed: frozenset[Effect] = frozenset()) -> tuple[Conversation, ...]:
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
    held = [c for c in planned(Estate(deployment=DEPLOYMENT, profiles=profiles, mailboxes=mailboxes)) if not c.not_held]
    conversations = [c for c in held if c.prober in ("pop3-capabilities", "smtp-extensions")]
    assert len(conversations) == 20
    assert len({(c.prober, c.told_of) for c in held}) == len(held)
    assert {c.endpoint for c in conversations} == set(endpoints)


def test_only_reading_is_held_unasked() -> None:
    """What does more than read is listed with the reason why it is not held."""
    conversations = planned(Estate(deployment=DEPLOYMENT, profiles=(CORP,), mailboxes=(SERVED,)))
    assert {effect(c) for c in conversations if not c.not_held} == {Effect.READS}
    assert all(c.not_held and "not allowed" in c.not_held.detail for c in conversations if effect(c) is not Effect.READS)


def test_signing_in_is_held_for_each_mailbox() -> None:
    """With logins allowed, each mailbox has its own conversation, as the profile's account."""
    mailboxes = (SERVED, replace(SERVED, address="b@contoso.test"))
    conversations = planned(Estate(deployment=DEPLOYMENT, profiles=(CORP,), mailboxes=mailboxes), frozenset({Effect.LOGS_IN}))
    logins = [c for c in conversations if c.prober == "ews-inbox"]
    assert [c.mailbox for c in logins] == ["a@contoso.test", "b@contoso.test"]
    assert all(c.login is not None and c.login.username == CORP.username and c.login.impersonates for c in logins)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": None}, "names no password"),
        ({"authentication": Authentication.OAUTH, "password": None}, "names no password"),
        ({"credentials": Credentials.SERVER_TO_SERVER}, "server-to-server"),
        ({"credentials": Credentials.MAILBOX}, "names no password"),
    ],
)
def test_an_account_that_cannot_sign_in_from_here_says_why(changes: dict[str, object], reason: str) -> None:
    """Where the estate gives nothing to sign in with, the conversation is not held, with the reason."""
    profile = replace(CORP, **changes)  # type: ignore[arg-type]
    conversations = planned(Estate(deployment=DEPLOYMENT, profiles=(profile,), mailboxes=(SERVED,)), frozenset({Effect.LOGS_IN}))
    (login,) = [c for c in conversations if c.prober == "ews-inbox"]
    assert login.not_held is not None
    assert reason in login.not_held.detail
    assert login.not_held.why is Why.NO_CREDENTIALS


@pytest.mark.parametrize(
    ("incoming", "authentication", "may_ask"),
    [
        ("https://mail.contoso.test", Authentication.OAUTH, ("login.microsoftonline.us", "adfs.contoso.test:8443")),
        ("https://outlook.office365.us", Authentication.AUTO, ("login.microsoftonline.us", "adfs.contoso.test:8443")),
        ("https://outlook.office365.com", Authentication.OAUTH, ()),
        ("https://mail.contoso.test", Authentication.NTLM, ()),
    ],
)
def test_a_plan_names_everybody_who_may_be_sent_a_secret(incoming: str, authentication: Authentication, may_ask: tuple[str, ...]) -> None:
    """The estate's cloud and its own authorities with their ports, where a token may be wanted; nobody where none may be asked for."""
    deployment = replace(DEPLOYMENT, cloud=Cloud.US_GOVERNMENT, authorities=("adfs.contoso.test:8443",))
    endpoint = Endpoint.parse(incoming)
    profile = replace(CORP, incoming=endpoint, outgoing=endpoint, authentication=authentication)
    conversations = planned(Estate(deployment=deployment, profiles=(profile,), mailboxes=(SERVED,)), frozenset({Effect.LOGS_IN}))
    assert {c.login.may_ask for c in conversations if c.login is not None} == {may_ask}


def test_one_that_a_header_carries_stands_for_all_of_its_domain() -> None:
    """The first such; where there is none the first, and where there are several domains nobody."""

    def stands_for(*addresses: str) -> set[str | None]:
        mailboxes = tuple(replace(SERVED, address=address, location=Location.ON_PREMISES) for address in addresses)
        found = planned(Estate(deployment=DEPLOYMENT, profiles=(CORP,), mailboxes=mailboxes))
        return {c.subject.identity for c in found if c.prober == "ews-anonymous" and isinstance(c.subject, EndpointSubject)}

    assert stands_for("müller@contoso.test", "b@Contoso.test", "c@contoso.test") == {"b@Contoso.test"}
    assert stands_for("müller@contoso.test", "анна@contoso.test") == {"müller@contoso.test"}
    assert stands_for("a@contoso.test", "b@branch.test") == {None}


@pytest.mark.parametrize("location", [None, *Location])
@pytest.mark.parametrize("unused", [(), ("incoming",), ("appointments",), ("outgoing",), ("incoming", "appointments")])
def test_autodiscover_is_asked_once_about_each_mailbox_whatever_the_estate_says(location: Location | None, unused: tuple[str, ...]) -> None:
    """The operator's word may be out of date. It is asked where the mailbox is collected, or, where it only sends, where it sends."""
    elsewhere = replace(CORP, outgoing=Endpoint.parse("https://out.contoso.test"))
    incoming, outgoing, appointments = (
        Delivery.NONE if way in unused else Delivery.SERVER_SIDE for way in ("incoming", "outgoing", "appointments")
    )
    mailbox = replace(SERVED, location=location, incoming=incoming, outgoing=outgoing, appointments=appointments)
    found = planned(Estate(deployment=DEPLOYMENT, profiles=(elsewhere,), mailboxes=(mailbox,)))
    (asked,) = [c for c in found if c.prober == "autodiscover-json"]
    only_sends = {"incoming", "appointments"} <= set(unused)
    assert (asked.told_of, asked.endpoint) == (mailbox.address, elsewhere.outgoing if only_sends else elsewhere.incoming)


def test_a_mailbox_that_is_not_served_calls_for_nothing() -> None:
    """Where server-side synchronization does nothing, nothing is probed."""
    idle = replace(SERVED, incoming=Delivery.OUTLOOK, outgoing=Delivery.NONE)
    assert planned(Estate(deployment=DEPLOYMENT, profiles=(CORP,), mailboxes=(idle,))) == ()


def test_services_that_nobody_speaks_are_named() -> None:
    """A service without a prober is said rather than passed over."""
    probers = {name: prober for name, prober in app.probers().items() if "imap" not in prober.services}
    assert select.unspoken([Endpoint.parse("imaps://mail.contoso.test"), ends(CORP)[0]], probers) == ("imap",)


def test_only_the_endpoints_that_serve_the_chosen_mailboxes_are_used() -> None:
    """Each endpoint is listed with the mailboxes that it serves, each mailbox once, and an endpoint that serves none is not."""
    branch = replace(CORP, name="branch", incoming=Endpoint.parse("pop3://a.test"), outgoing=Endpoint.parse("smtp://a.test"))
    collects = replace(SERVED, address="b@contoso.test", profile="branch", outgoing=Delivery.OUTLOOK)
    estate = Estate(deployment=DEPLOYMENT, profiles=(CORP, branch), mailboxes=(SERVED, collects))
    assert select.users_of_endpoints(estate, [SERVED]) == {CORP.incoming: (SERVED,)}
    assert select.users_of_endpoints(estate, [collects, collects]) == {branch.incoming: (collects,)}


POP3_PROFILE = replace(
    CORP,
    server_type=ServerType.POP3_SMTP,
    incoming=Endpoint.parse("pop3s://pop.contoso.test"),
    outgoing=Endpoint.parse("smtps://smtp.contoso.test"),
)
SENDING = frozenset({Effect.LOGS_IN, Effect.SENDS_MAIL})


@pytest.mark.parametrize(
    ("address", "allowed", "outgoing", "incoming", "reason"),
    [
        (CORP.username, SENDING, "smtps://smtp.contoso.test", "pop3s://pop.contoso.test", ""),
        (CORP.username, SENDING, "smtps://smtp.contoso.test", "imaps://imap.contoso.test", ""),
        ("a@contoso.test", SENDING, "smtps://smtp.contoso.test", "pop3s://pop.contoso.test", "could not be fetched and deleted"),
        (CORP.username, frozenset({Effect.SENDS_MAIL}), "smtps://smtp.contoso.test", "pop3s://pop.contoso.test", "logs-in is not allowed"),
        (
            CORP.username,
            frozenset({Effect.LOGS_IN}),
            "smtps://smtp.contoso.test",
            "pop3s://pop.contoso.test",
            "sends-mail, which is not allowed",
        ),
        (CORP.username, SENDING, "smtps://smtp.contoso.test", "https://mail.contoso.test", ""),
        (CORP.username, SENDING, "https://mail.contoso.test", "https://mail.contoso.test", None),
    ],
)
def test_a_round_trip_needs_both_effects_both_servers_and_the_mailboxs_own_account(
    address: str, allowed: frozenset[Effect], outgoing: str, incoming: str, reason: str | None
) -> None:
    """A message goes only where it can be fetched and deleted again; where mail goes out by EWS, none is planned."""
    profile = replace(
        POP3_PROFILE, incoming=Endpoint.parse(incoming), outgoing=Endpoint.parse(outgoing), authentication=Authentication.BASIC
    )
    estate = Estate(deployment=DEPLOYMENT, profiles=(profile,), mailboxes=(replace(SERVED, address=address),))
    trips = [c for c in planned(estate, allowed) if c.prober == "mail-round-trip"]
    if reason is None:
        assert trips == []
    else:
        (trip,) = trips
        assert (trip.not_held is not None and reason in trip.not_held.detail) if reason else trip.not_held is None


OUTGOING = replace(
    CORP,
    outgoing=Endpoint.parse("smtp://relay.contoso.test"),
    outgoing_authentication=Authentication.BASIC,
    outgoing_impersonation=False,
    outgoing_username="svc-out@contoso.test",
    outgoing_password=SecretReference("env", "OUT_PASSWORD"),
)


def test_the_outgoing_endpoint_is_signed_in_to_by_its_own_settings() -> None:
    """Where a profile sends as another account, that account signs in there, and no other."""
    estate = Estate(deployment=DEPLOYMENT, profiles=(OUTGOING,), mailboxes=(SERVED,))
    logins = {c.prober: c.login for c in planned(estate, frozenset({Effect.LOGS_IN})) if c.login is not None and c.not_held is None}
    incoming, outgoing = logins["ews-inbox"], logins["smtp-login"]
    assert (incoming.username, incoming.authentication, incoming.impersonates) == (CORP.username, CORP.authentication, True)
    assert (outgoing.username, outgoing.authentication, outgoing.impersonates) == ("svc-out@contoso.test", Authentication.BASIC, False)
    assert outgoing.password == SecretReference("env", "OUT_PASSWORD")


def test_one_endpoint_that_is_signed_in_to_in_two_ways_is_not_signed_in_to() -> None:
    """What came of two accounts at one endpoint could not be told apart; a mailbox that goes one way alone has one account."""
    profile = replace(OUTGOING, outgoing=OUTGOING.incoming)
    estate = Estate(deployment=DEPLOYMENT, profiles=(profile,), mailboxes=(SERVED,))
    (not_held,) = [c.not_held for c in planned(estate, frozenset({Effect.LOGS_IN})) if c.prober == "ews-inbox"]
    assert not_held is not None
    assert "two ways" in not_held.detail
    sends = replace(SERVED, incoming=Delivery.NONE, appointments=Delivery.NONE)
    (login,) = [c.login for c in planned(replace(estate, mailboxes=(sends,)), frozenset({Effect.LOGS_IN})) if c.prober == "ews-inbox"]
    assert login is not None
    assert login.username == "svc-out@contoso.test"


def test_what_autodiscover_found_decides_for_the_mailbox_that_has_it() -> None:
    """Both ways, and whom it signs in as there; where the profile does not use Autodiscover it counts for nothing."""
    found = Endpoint.parse("https://found.contoso.test/EWS/Exchange.asmx")
    mailbox = replace(SERVED, ews_url=found)
    allowed = frozenset({Effect.LOGS_IN})
    for profile, wanted in (
        (replace(CORP, autodiscover=True), found),
        (replace(CORP, autodiscover=True, incoming=None, outgoing=None), found),
        (CORP, ends(CORP)[0]),
    ):
        conversations = planned(Estate(deployment=DEPLOYMENT, profiles=(profile,), mailboxes=(mailbox,)), allowed)
        assert {c.endpoint for c in conversations if c.endpoint.service == "ews"} == {wanted}
        assert [c.not_held for c in conversations if c.prober == "ews-inbox"] == [None]


@pytest.mark.parametrize(
    ("changes", "account", "reason"),
    [
        ({}, None, "name its account (service_account of [deployment]), and run this program as that account"),
        ({"service_account": "svc@CONTOSO.TEST"}, "svc@CONTOSO.TEST", ""),
        ({"service_account": "svc@CONTOSO.TEST", "authentication": Authentication.NTLM}, None, "which only the Dynamics server has"),
    ],
)
def test_the_service_signs_in_where_the_estate_says_who_it_is(changes: dict[str, Any], account: str | None, reason: str) -> None:
    """Windows integrated credentials are planned for EWS as the service's account, which has no secret; else why not is told."""
    service = changes.get("service_account")
    profile = replace(
        CORP,
        credentials=Credentials.WINDOWS_INTEGRATED,
        username=None,
        password=None,
        authentication=changes.get("authentication", Authentication.NEGOTIATE),
    )
    estate = Estate(deployment=replace(DEPLOYMENT, service_account=service), profiles=(profile,), mailboxes=(SERVED,))
    (found,) = [c for c in planned(estate, frozenset({Effect.LOGS_IN})) if c.prober == "ews-inbox"]
    assert (found.login and found.login.username) == account
    assert found.login is None or (found.login.password is None and found.login.impersonates)
    assert reason in (found.not_held.detail if found.not_held else "")


def test_the_service_signs_in_at_the_endpoint_whose_settings_say_so() -> None:
    """As itself there, with no secret that an authority could be sent; the other endpoint keeps its account, and a mail server is not signed in to so."""
    profile = replace(OUTGOING, outgoing_credentials=Credentials.WINDOWS_INTEGRATED, outgoing_authentication=Authentication.AUTO)
    deployment = replace(DEPLOYMENT, service_account="svc@CONTOSO.TEST")
    allowed = frozenset({Effect.LOGS_IN})

    def sign_ins(outgoing: str) -> dict[str, Login | str]:
        sending = replace(profile, outgoing=Endpoint.parse(outgoing))
        conversations = planned(Estate(deployment=deployment, profiles=(sending,), mailboxes=(SERVED,)), allowed)
        of_logins = [c for c in conversations if c.prober in ("ews-inbox", "smtp-login")]
        return {c.endpoint.host: c.login or (c.not_held.detail if c.not_held else "") for c in of_logins}

    at_exchange = sign_ins("https://sends.contoso.test/EWS/Exchange.asmx")
    incoming, outgoing = at_exchange[ends(CORP)[0].host], at_exchange["sends.contoso.test"]
    assert isinstance(incoming, Login)
    assert (incoming.username, incoming.password) == (CORP.username, CORP.password)
    assert isinstance(outgoing, Login)
    assert (outgoing.username, outgoing.password, outgoing.impersonates, outgoing.may_ask) == ("svc@CONTOSO.TEST", None, False, ())
    assert "which only the Dynamics server has" in str(sign_ins("smtp://relay.contoso.test")["relay.contoso.test"])
