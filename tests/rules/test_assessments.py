"""What all rules together say of whole cases."""

from __future__ import annotations

from datetime import date

import pytest

from probe.model import vocabulary as v
from probe.model.facts import Why
from probe.model.rules import Case, Direction, Otherwise, Readiness, Result, Support
from tests.cases import Known, assess, exchange_case, gmail_case, online_case

WITH_LOGIN = {v.DEPLOYMENT_ALLOWS: ("logs-in",)}
OPENED: Known = {v.EWS_CALENDAR: "found", v.EWS_CONTACTS: "found", v.EWS_TASKS: "found"}
LET_IN: Known = {v.AUTH_ACCEPTED: True, v.AUTH_REFUSAL: (), v.EWS_INBOX: "found", v.EWS_IMPERSONATION: "granted", **OPENED}


@pytest.mark.parametrize(
    "case", [exchange_case(), gmail_case(), online_case(on=date(2026, 9, 30))], ids=["exchange-2016", "gmail", "exchange-online"]
)
def test_a_healthy_mailbox_is_supported_and_ready_without_a_login(case: Case) -> None:
    """A healthy mailbox of a listed system is supported and ready by what shows without a login."""
    assessment = assess(case)
    assert (assessment.support, assessment.readiness) == (Support.SUPPORTED, Readiness.READY)


@pytest.mark.parametrize(
    ("on", "support", "readiness"),
    [
        (date(2026, 9, 30), "supported", "ready"),
        (date(2026, 10, 1), "supported", "undetermined"),
        (date(2027, 3, 31), "supported", "undetermined"),
        (date(2027, 4, 1), "unsupported", "not-ready"),
    ],
)
@pytest.mark.parametrize("is_opened", [False, True])
def test_a_mailbox_in_exchange_online_by_the_day(on: date, support: str, readiness: str, is_opened: bool) -> None:
    """Ready until tenants are being shut, then not determined, opened by an application of one's own or not, and over at the end."""
    allowed: Known = {**WITH_LOGIN} if is_opened else {}
    case = online_case(deployment=allowed, profile={v.PROFILE_APPLICATION: is_opened}, endpoint=LET_IN if is_opened else {}, on=on)
    assessment = assess(case)
    assert (assessment.support, assessment.readiness) == (support, readiness)


def test_a_login_that_was_allowed_and_worked_leaves_a_mailbox_ready() -> None:
    """Where logins are allowed, one that was accepted leaves the mailbox ready."""
    assert assess(exchange_case(deployment=WITH_LOGIN, endpoint=LET_IN)).readiness is Readiness.READY


def test_a_login_that_was_allowed_and_not_tried_leaves_readiness_open() -> None:
    """Where logins are allowed and none came about, readiness is undetermined."""
    assert assess(exchange_case(deployment=WITH_LOGIN)).readiness is Readiness.UNDETERMINED


def test_a_block_that_shows_after_sign_in_is_not_ready() -> None:
    """A policy that blocks EWS after sign-in makes the mailbox not ready, although the anonymous answer was 401."""
    blocked: Known = {v.EWS_POLICY_BLOCK: "disabled", v.AUTH_REFUSAL: ("protocol-disabled",), v.EWS_INBOX: Why.DENIED}
    assert assess(exchange_case(deployment=WITH_LOGIN, endpoint=blocked)).readiness is Readiness.NOT_READY


def test_exchange_se_is_not_listed_but_ready() -> None:
    """Exchange Server SE, which the page is older than, is not listed, whatever its readiness."""
    assessment = assess(exchange_case(endpoint={v.SERVER_PRODUCT: "Exchange Server SE", v.SERVER_END_OF_SUPPORT: date(2035, 12, 31)}))
    assert (assessment.support, assessment.readiness) == (Support.NOT_LISTED, Readiness.READY)


def test_exchange_2007_is_unsupported_rather_than_not_listed() -> None:
    """Exchange Server 2007 is unsupported, which outweighs that it is not listed."""
    assert assess(exchange_case(endpoint={v.SERVER_PRODUCT: "Exchange Server 2007"})).support is Support.UNSUPPORTED


def test_an_exchange_that_does_not_tell_its_version_is_undetermined() -> None:
    """Support of an Exchange whose version does not show is undetermined."""
    assert assess(exchange_case(endpoint={v.SERVER_PRODUCT: "Exchange"})).support is Support.UNDETERMINED


def test_another_pop3_smtp_system_is_unsupported_and_may_be_ready() -> None:
    """A POP3/SMTP system that was not tested is unsupported, even where it works."""
    own = {v.SERVER_PRODUCT: "Dovecot", v.PROVIDER: Why.NOT_DISCLOSED}
    assessment = assess(gmail_case(endpoint=own, mailbox={v.MAILBOX_DOMAIN: "contoso.test", v.PROVIDER: Why.NOT_DISCLOSED}))
    assert (assessment.support, assessment.readiness) == (Support.UNSUPPORTED, Readiness.READY)


def test_an_endpoint_that_did_not_answer_in_time_leaves_both_open() -> None:
    """A connection that timed out makes nothing unsupported and nothing not ready."""
    silent: Known = dict.fromkeys(
        (v.NET_CONNECTED, v.PROTOCOL_SPOKEN, v.TLS_COMPLETED, v.TLS_MODE, v.SERVER_PRODUCT, v.PROVIDER), Why.TIMED_OUT
    )
    assessment = assess(gmail_case(endpoint=silent))
    assert (assessment.support, assessment.readiness) == (Support.UNDETERMINED, Readiness.UNDETERMINED)


def test_imap_is_not_listed() -> None:
    """A mailbox under an IMAP/SMTP profile is not listed, its SMTP half being so."""
    assert (
        assess(gmail_case(profile={v.PROFILE_SERVER_TYPE: "imap-smtp"}, incoming={v.ENDPOINT_SERVICE: "imap"})).support
        is Support.NOT_LISTED
    )


def test_an_unknown_web_server_is_undetermined_because_ews_was_not_seen() -> None:
    """What asks for a Windows password and shows no mark of Exchange is neither ready nor not, and one question of readiness is why."""
    unknown: Known = {v.SERVER_PRODUCT: Why.NOT_DISCLOSED, v.SERVER_END_OF_SUPPORT: Why.NOT_DISCLOSED}
    assessment = assess(exchange_case(endpoint=unknown))
    assert (assessment.support, assessment.readiness) == (Support.UNDETERMINED, Readiness.UNDETERMINED)
    assert [f.rule.id for f in assessment.findings if f.result is Result.UNKNOWN and f.rule.otherwise is Otherwise.NOT_READY] == [
        "ews-endpoint-missing"
    ]


def test_an_unknown_mail_server_that_speaks_its_protocol_is_ready() -> None:
    """What speaks POP3 and SMTP and takes passwords under TLS is ready by what shows, whoever made it."""
    unknown: Known = {v.SERVER_PRODUCT: Why.NOT_DISCLOSED, v.PROVIDER: Why.NOT_DISCLOSED}
    assessment = assess(gmail_case(endpoint=unknown, mailbox={v.PROVIDER: Why.NOT_DISCLOSED}))
    assert (assessment.support, assessment.readiness) == (Support.UNDETERMINED, Readiness.READY)


def test_advice_changes_no_verdict() -> None:
    """Advice that is not followed leaves a mailbox supported and ready."""
    assessment = assess(exchange_case())
    failed = {f.rule.id: f.rule.otherwise for f in assessment.findings if f.result is Result.FAILS}
    assert failed == {"end-of-support": Otherwise.ADVICE}


GAPS: Known = dict.fromkeys((v.NET_CONNECTED, v.PROTOCOL_SPOKEN, v.TLS_COMPLETED, v.TLS_DEPLOYMENT_GETS, v.AUTH_MECHANISMS), Why.TIMED_OUT)
SIGNED_IN: Known = {v.AUTH_ACCEPTED: True, v.AUTH_REFUSAL: ()}
WINDOWS: Known = {v.PROFILE_CREDENTIALS: "windows-integrated", v.PROFILE_AUTHENTICATION: "negotiate"}
NTLM_TOO: Known = {v.AUTH_MECHANISMS: ("PLAIN", "NTLM")}
WITH_APPOINTMENTS: Known = {v.MAILBOX_APPOINTMENTS: "server-side"}
NO_IMPERSONATION: Known = {v.PROFILE_IMPERSONATION: False}
DENIED: Known = {v.EWS_IMPERSONATION: "denied", v.EWS_INBOX: "ErrorImpersonateUserDenied", v.AUTH_ACCEPTED: True, v.AUTH_REFUSAL: ()}
BLOCKED: Known = {v.HTTP_STATUS: 403, v.EWS_POLICY_BLOCK: "disabled"}
THROTTLED: Known = {v.AUTH_ACCEPTED: Why.THROTTLED, v.AUTH_REFUSAL: ("throttled",)}
MAILS = {v.MAILBOX_APPOINTMENTS: "none"}


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (exchange_case(mailbox={v.MAILBOX_OUTGOING: "none"}), ("ready", None, "ready")),
        (gmail_case(), ("ready", "ready", None)),
        (gmail_case(mailbox=WITH_APPOINTMENTS), ("ready", "ready", "not-ready")),
        (gmail_case(outgoing={v.CERTIFICATE_TRUSTED: False}), ("ready", "not-ready", None)),
        (gmail_case(incoming={v.TLS_MODE: "none", v.ENDPOINT_SECURITY: "starttls"}), ("not-ready", "ready", None)),
        (gmail_case(incoming={v.TLS_DEPLOYMENT_GETS: False}), ("not-ready", "ready", None)),
        (gmail_case(outgoing=GAPS), ("ready", "undetermined", None)),
        (gmail_case(profile=WINDOWS, endpoint=NTLM_TOO), ("not-ready", "ready", None)),
        (gmail_case(deployment=WITH_LOGIN, incoming=SIGNED_IN, outgoing=THROTTLED), ("ready", "undetermined", None)),
        (
            gmail_case(deployment=WITH_LOGIN, incoming=SIGNED_IN, outgoing={v.AUTH_REFUSAL: ("bad-credentials",)}),
            ("ready", "not-ready", None),
        ),
        (exchange_case(profile=NO_IMPERSONATION), ("ready", "ready", "not-ready")),
        (exchange_case(profile=NO_IMPERSONATION, mailbox=MAILS), ("ready", "ready", None)),
        (exchange_case(deployment=WITH_LOGIN, endpoint={**LET_IN, v.EWS_CALENDAR: "ErrorAccessDenied"}), ("ready", "ready", "not-ready")),
        (exchange_case(deployment=WITH_LOGIN, endpoint=DENIED), ("not-ready", "not-ready", "not-ready")),
        (exchange_case(outgoing=BLOCKED), ("ready", "not-ready", "ready")),
        (exchange_case(mailbox={v.MAILBOX_LOCATION: "exchange-online"}), ("not-ready", "not-ready", "not-ready")),
    ],
    ids=[
        "nothing sent",
        "mail alone",
        "appointments over POP3",
        "an untrusted certificate",
        "no TLS",
        "nothing that Windows in FIPS mode gets",
        "a server that was not reached in time",
        "credentials of Windows at POP3",
        "a throttled sign-in",
        "a refused sign-in",
        "a shared account without impersonation",
        "a shared account without impersonation, for mail",
        "a calendar that is closed",
        "impersonation denied",
        "EWS closed by policy where mail is sent",
        "a mailbox that moved",
    ],
)
def test_each_direction_is_as_ready_as_what_it_uses(case: Case, told: tuple[str | None, str | None, str | None]) -> None:
    """What is wrong at one endpoint, or with one kind of item, leaves the other directions as they are."""
    assessment = assess(case)
    assert tuple(assessment.directions[direction] for direction in Direction) == told
    assert assessment.readiness == next(worst for worst in Readiness if worst in told)
