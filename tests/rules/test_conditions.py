"""The conditions that several rules are made of."""

from __future__ import annotations

import pytest

from probe import rules
from probe.model import vocabulary as v
from probe.model.answers import YES, Answer, Truth, ask
from probe.model.estate import Location, ServerType, Service
from probe.model.facts import Facts, Why
from probe.model.rules import Case, Needs
from probe.rules import MICROSOFT_CONSUMERS, Condition, any_served, every_served, has_domain_of, is_each_product, is_product, served
from tests.cases import exchange_case, facts, gmail_case


@pytest.mark.parametrize(
    ("incoming", "appointments", "outgoing", "used"),
    [
        ("server-side", "none", "none", (Truth.YES, Truth.NO)),
        ("none", "server-side", "none", (Truth.YES, Truth.NO)),
        ("forward", "outlook", "server-side", (Truth.NO, Truth.YES)),
        ("outlook", "none", "outlook", (Truth.NO, Truth.NO)),
    ],
)
def test_the_endpoints_that_are_used_follow_from_the_delivery_methods(
    incoming: str, appointments: str, outgoing: str, used: tuple[Truth, Truth]
) -> None:
    """The incoming endpoint serves mail received and appointments, the outgoing one mail sent."""
    case = exchange_case(mailbox={v.MAILBOX_INCOMING: incoming, v.MAILBOX_APPOINTMENTS: appointments, v.MAILBOX_OUTGOING: outgoing})
    assert tuple(meant.truth for meant, _ in served(case)) == used


def test_appointments_are_left_aside_where_mail_is_meant() -> None:
    """For mail, an endpoint that serves appointments alone is not used."""
    case = exchange_case(mailbox={v.MAILBOX_INCOMING: "none"})
    assert [meant.truth for meant, _ in served(case, for_mail=True)] == [Truth.NO, Truth.YES]


def test_endpoints_of_other_services_are_left_aside() -> None:
    """Asked for a service, only the endpoints that speak it are meant."""
    assert [meant.truth for meant, _ in served(gmail_case(), Service.SMTP)] == [Truth.NO, Truth.YES]


def test_an_endpoint_of_which_it_is_open_whether_it_is_used_counts_only_if_it_passes() -> None:
    """Where it is not known whether an endpoint is used, a failure there decides nothing, and a pass is a pass."""
    unread = {v.MAILBOX_OUTGOING: Why.NOT_ATTEMPTED}
    failing = exchange_case(mailbox=unread, outgoing={v.NET_CONNECTED: False})
    assert every_served(served(failing), lambda e: ask(e, v.NET_CONNECTED, bool)).truth is Truth.UNKNOWN
    assert every_served(served(exchange_case(mailbox=unread)), lambda e: ask(e, v.NET_CONNECTED, bool)).truth is Truth.YES


def test_only_what_decided_is_cited() -> None:
    """A verdict on the endpoints cites the readings of the endpoint that failed."""
    answer = every_served(served(gmail_case(outgoing={v.NET_CONNECTED: False})), lambda e: ask(e, v.NET_CONNECTED, bool))
    assert [(reading.subject, reading.key) for reading in answer.because] == [("smtps://smtp.gmail.com:465", v.NET_CONNECTED)]


def test_any_served_asks_the_endpoints_that_are_meant() -> None:
    """A pass at an endpoint that is not used is none."""
    unused = exchange_case(mailbox={v.MAILBOX_OUTGOING: "none"}, incoming={v.NET_CONNECTED: False})
    assert any_served(served(unused), lambda e: ask(e, v.NET_CONNECTED, bool)).truth is Truth.NO


@pytest.mark.parametrize(
    ("seen", "asked", "truth"),
    [
        ("Exchange Online", "Exchange Online", Truth.YES),
        ("Exchange", "Exchange Online", Truth.UNKNOWN),
        ("Exchange Server", "Exchange Server 2007", Truth.UNKNOWN),
        ("Exchange", "Gmail", Truth.NO),
        ("Dovecot", "Exchange Online", Truth.NO),
        (Why.TIMED_OUT, "Gmail", Truth.UNKNOWN),
    ],
)
def test_an_exchange_that_cannot_be_told_may_be_any_exchange(seen: str | Why, asked: str, truth: Truth) -> None:
    """A product is compared, and some Exchange may be each Exchange and is nothing else."""
    assert is_product(facts("https://mail.contoso.test:443", {v.SERVER_PRODUCT: seen}), asked).truth is truth


@pytest.mark.parametrize(
    ("domain", "is_consumer"),
    [
        ("outlook.com", True),
        ("hotmail.co.uk", True),
        ("livemail.tw", True),
        ("msn.com", True),
        ("live.contoso.test", False),
        ("gmail.com", False),
    ],
)
def test_a_domain_is_a_providers_own_or_not(domain: str, is_consumer: bool) -> None:
    """The domains of Microsoft's consumers are told from those of others, and from names that only look like them."""
    answer = has_domain_of(gmail_case(mailbox={v.MAILBOX_DOMAIN: domain}), *MICROSOFT_CONSUMERS)
    assert answer.truth is (Truth.YES if is_consumer else Truth.NO)


def _passes(endpoint: Facts) -> Answer:
    return YES


@pytest.mark.parametrize(
    ("condition", "needs"),
    [
        (rules.uses(), rules.SERVED),
        (rules.each(_passes), rules.SERVED),
        (rules.uses(for_mail=True), rules.SERVED_FOR_MAIL),
        (rules.each(_passes, Service.EWS), rules.SERVED | rules.SPEAKING),
        (rules.uses_in_clear(), rules.BEGINNING_IN_CLEAR),
        (rules.each_in_clear(_passes, Service.POP3), rules.BEGINNING_IN_CLEAR | rules.SPEAKING),
        (rules.uses_exchange_online, rules.USING_EXCHANGE_ONLINE),
        (rules.in_exchange_online(), rules.USING_EXCHANGE_ONLINE),
        (rules.under(ServerType.EXCHANGE_ONLINE), rules.UNDER),
        (rules.lives(Location.ON_PREMISES), rules.LIVING),
        (lambda case: rules.signs_in_as_user(case, rules.AT_OUTGOING), rules.SIGNING_IN_AS_USER),
        (lambda case: rules.signs_in_with_password(case, rules.AT_INCOMING), rules.SIGNING_IN_WITH_PASSWORD),
        (lambda case: rules.signs_in_as_service(case, rules.AT_OUTGOING), rules.SIGNING_IN_AS_SERVICE),
        (lambda case: rules.logs_in(case, rules.AT_OUTGOING), rules.LOGGING_IN),
        (rules.each_login(_passes), rules.TRYING_A_LOGIN),
        (rules.tries_a_login, rules.TRYING_A_LOGIN),
        (rules.opens_an_inbox, rules.OPENING_AN_INBOX),
        (lambda case: is_each_product(case.incoming, "Exchange Online"), rules.EACH_PRODUCT),
        (lambda case: rules.works_in_fips_mode(case.outgoing), rules.WORKING_IN_FIPS_MODE),
        (lambda case: has_domain_of(case, "gmail"), rules.OF_DOMAIN),
    ],
)
@pytest.mark.parametrize("case", [exchange_case(deployment={v.DEPLOYMENT_ALLOWS: ("logs-in",)}), gmail_case()], ids=["exchange", "gmail"])
def test_a_condition_looks_at_no_more_than_what_it_is_said_to_need(condition: Condition, needs: Needs, case: Case) -> None:
    """What stands beside a condition as its needs is enough for it, so that rules need not list its keys again."""
    assert condition(case.restricted_to(needs)) == condition(case)


def test_what_two_conditions_need_is_the_keys_of_both_each_once() -> None:
    """Needs are joined part by part, in the order in which they are first named."""
    first = Needs(profile=(v.PROFILE_CREDENTIALS,), incoming=(v.NET_CONNECTED, v.TLS_MODE))
    more = Needs(mailbox=(v.MAILBOX_DOMAIN,), incoming=(v.TLS_MODE, v.HTTP_STATUS))
    assert first | more == Needs(
        profile=(v.PROFILE_CREDENTIALS,), mailbox=(v.MAILBOX_DOMAIN,), incoming=(v.NET_CONNECTED, v.TLS_MODE, v.HTTP_STATUS)
    )


def test_a_condition_and_its_opposite_are_never_both_so() -> None:
    """`never` is yes where the condition is no, and unknown where it is."""
    told, open_, other = (
        exchange_case(),
        exchange_case(endpoint={v.NET_CONNECTED: Why.TIMED_OUT}),
        exchange_case(endpoint={v.NET_CONNECTED: False}),
    )
    condition = rules.each(lambda endpoint: ask(endpoint, v.NET_CONNECTED, bool))
    assert [rules.never(condition)(case).truth for case in (told, open_, other)] == [Truth.NO, Truth.UNKNOWN, Truth.YES]
