"""Runs made by hand, for tests of what is done with a run: small, readable, and like what the engine makes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from probe.model import vocabulary as v
from probe.model.answers import NO, YES
from probe.model.attempts import Attempt, Outcome, TranscriptLine
from probe.model.estate import (
    Authentication,
    BoundOrganization,
    Credentials,
    Delivery,
    Deployment,
    DeploymentKind,
    DynamicsAccess,
    Effect,
    Endpoint,
    Estate,
    Mailbox,
    OrganizationUrl,
    SecretReference,
    ServerProfile,
    ServerType,
)
from probe.model.facts import Fact, Facts, Missing, Reading, Why
from probe.model.keys import FactKey
from probe.model.kinds import Build, Challenge, TlsSession, UpdateRange
from probe.model.provenance import Declared, Evidence, Inferred, Observed, Provenance
from probe.model.rules import (
    NO_DIRECTION,
    Assessment,
    By,
    Direction,
    Finding,
    Needs,
    Otherwise,
    Readiness,
    Reference,
    Result,
    Rule,
    SignedIn,
    Support,
)
from probe.model.runs import Asked, Run

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)

EWS = "https://mail.contoso.test:443/EWS/Exchange.asmx"
POP = "pop3s://pop.branch.test:995"
SMTP = "smtp://smtp.branch.test:587"

SECRET_PLACES = ("env:MARKED_SECRET_PLACE_1", "file:/run/MARKED_SECRET_PLACE_2", "env:MARKED_SECRET_CRM")
"""What a document must hold nothing of."""


def a_fact(
    key: FactKey[Any], value: Any, subject: str = POP, provenance: Provenance | None = None, mailbox: str | None = None
) -> Fact[Any]:
    """A fact of an endpoint, observed unless said otherwise."""
    return Fact(
        subject=subject,
        mailbox=mailbox,
        key=key,
        value=value,
        provenance=provenance or Observed(),
        at=NOON,
        attempt="a1" if "://" in subject else None,
    )


def a_gap(key: FactKey[Any], why: Why, detail: str = "", subject: str = POP, mailbox: str | None = None) -> Missing:
    """A missing of an endpoint."""
    return Missing(subject=subject, mailbox=mailbox, key=key, why=why, detail=detail)


def words(attempt: str, line: int, excerpt: str) -> tuple[Evidence, ...]:
    """One line off the wire as evidence."""
    return (Evidence(attempt=attempt, line=line, excerpt=excerpt),)


def an_attempt(
    number: int = 1,
    subject: str = POP,
    outcome: Outcome = Outcome.COMPLETED,
    detail: str = "",
    said: Iterable[str] = (),
    prober: str = "pop3-capabilities",
    mailbox: str | None = None,
) -> Attempt:
    """An attempt in which the peer said some lines."""
    return Attempt(
        id=f"a{number}",
        at=NOON,
        prober=prober,
        subject=subject,
        mailbox=mailbox,
        address="192.0.2.7",
        outcome=outcome,
        detail=detail,
        connections=1,
        seconds=0.0314159,
        transcript=tuple(TranscriptLine(n, "peer", text) for n, text in enumerate(said, start=1)),
        readings=(),
    )


def a_rule(id: str, otherwise: Otherwise, *, lists: bool = False, title: str = "") -> Rule:  # noqa: A002 (the field's own name)
    """A rule that is never asked, only reported."""
    return Rule(
        id=id,
        title=title or f"Title of {id}",
        statement=f"What the page states about {id}, said in our own words and long enough to be wrapped at eighty columns.",
        references=(Reference(f"Supported configurations, {id}", f"https://learn.example/{id}", "2023-03"),),
        needs=Needs(),
        by=By.READINESS if otherwise is Otherwise.NOT_READY else By.MICROSOFT,
        lists=lists,
        applies=lambda case: YES,
        holds=lambda case: NO,
        otherwise=otherwise,
        remedy=f"What to do about {id}.",
    )


def a_finding(rule: Rule, result: Result, *because: Reading) -> Finding:
    """What came of a rule."""
    of_readiness = dict.fromkeys((Direction.INCOMING, Direction.OUTGOING), result) if rule.by is By.READINESS else {}
    return Finding(rule=rule, result=result, because=because, directions=of_readiness)


def an_assessment(mailbox: str, support: Support, readiness: Readiness, *findings: Finding, profile: str = "branch") -> Assessment:
    """The findings of a mailbox."""
    is_served = support is not Support.NOT_ASSESSED
    of_mail = dict.fromkeys((Direction.INCOMING, Direction.OUTGOING), readiness) if is_served else {}
    return Assessment(
        mailbox=mailbox,
        profile=profile,
        support=support,
        readiness=readiness,
        directions={**NO_DIRECTION, **of_mail},
        signed_in=SignedIn.YES if is_served else None,
        findings=findings,
    )


def a_mailbox(address: str, profile: str = "branch", delivery: Delivery = Delivery.SERVER_SIDE) -> Mailbox:
    """A mailbox that signs in with a secret of its own."""
    return Mailbox(
        address=address,
        profile=profile,
        incoming=delivery,
        outgoing=delivery,
        appointments=Delivery.NONE,
        username=address,
        password=SecretReference.parse(SECRET_PLACES[1]),
    )


def an_estate(*mailboxes: Mailbox) -> Estate:
    """A deployment with an Exchange profile and a POP3/SMTP profile."""
    corp = ServerProfile(
        name="corp",
        server_type=ServerType.EXCHANGE_SERVER,
        incoming=Endpoint.parse(EWS),
        outgoing=Endpoint.parse(EWS),
        credentials=Credentials.PROFILE,
        impersonation=True,
        username="svc-crm@contoso.test",
        password=SecretReference.parse(SECRET_PLACES[0]),
    )
    branch = ServerProfile(
        name="branch",
        server_type=ServerType.POP3_SMTP,
        incoming=Endpoint.parse(POP),
        outgoing=Endpoint.parse(SMTP),
        credentials=Credentials.MAILBOX,
    )
    deployment = Deployment(
        name="contoso-crm",
        kind=DeploymentKind.ON_PREMISES,
        version="9.1",
        runs_on="windows-server-2019",
        fips=False,
        mass_email=False,
        custom_email_providers=False,
        outlook_on_the_web_tracking=False,
        outlook_manual_tracking=False,
        allow=frozenset({Effect.PROVOKES, Effect.LOGS_IN}),
        authorities=("adfs.contoso.test",),
    )
    dynamics = DynamicsAccess(
        url=OrganizationUrl.parse("https://crm.contoso.test/Contoso"),
        authentication=Authentication.OAUTH,
        username="svc-probe@contoso.test",
        password=SecretReference.parse(SECRET_PLACES[2]),
        token_url="https://adfs.contoso.test/adfs/oauth2/token",
        client_id="6731de76-14a6-49ae-97bc-6eba6914391e",
        organization=BoundOrganization.parse("5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11 Contoso"),
        ca="/etc/ssl/contoso.pem",
    )
    return Estate(deployment=deployment, profiles=(corp, branch), mailboxes=mailboxes, dynamics=dynamics)


ASKED = Asked(mailboxes=None, tls="quick", fips="windows-server-2019", allow=frozenset(), all_addresses=False)
"""All of an estate, as `probe check` asks where nothing else is said."""


def a_run(
    *,
    estate: Estate | None = None,
    attempts: Iterable[Attempt] = (),
    readings: Iterable[Reading] = (),
    assessments: Iterable[Assessment] = (),
    interrupted: bool = False,
    host: str = "crm01",
) -> Run:
    """A run at noon; a look where there is no estate."""
    return Run(
        id="run-1",
        probe="0.1.0",
        host=host,
        started=NOON,
        finished=NOON.replace(second=7, microsecond=654321),
        judged_at=date(2026, 11, 23),
        estate=estate,
        asked=ASKED,
        attempts=tuple(attempts),
        readings=tuple(readings),
        assessments=tuple(assessments),
        interrupted=interrupted,
    )


PRODUCT = a_fact(
    v.SERVER_PRODUCT, "Dovecot", provenance=Inferred("greeting-product", ("protocol.greeting",), words("a1", 1, "+OK Dovecot ready."))
)
OLD_PRODUCT = a_fact(
    v.SERVER_PRODUCT,
    "Exchange Server 2007",
    subject=EWS,
    provenance=Inferred("exchange-product", ("server.build",), words("a3", 4, "X-OWA-Version: 8.3.485.1")),
)
TOO_LATE = a_gap(v.TLS_NEGOTIATED, Why.TIMED_OUT, "no greeting within 30 s", subject=SMTP)

NOT_TESTED = a_rule("other-pop3-smtp-systems", Otherwise.UNSUPPORTED, title="A POP3/SMTP system that Microsoft has not tested")
TOO_OLD = a_rule("exchange-2003-or-2007", Otherwise.UNSUPPORTED, title="Exchange Server 2003 or 2007")
EWS_ROW = a_rule("exchange-mail", Otherwise.NOT_LISTED, lists=True, title="Mail through an Exchange that the page does not list")
REACHED = a_rule("unreachable", Otherwise.NOT_READY, title="An endpoint that cannot be used")
TLS_WORKS = a_rule("tls-fails", Otherwise.NOT_READY, title="TLS fails")
ENDS_SOON = a_rule("certificate-ends-soon", Otherwise.ADVICE, title="A certificate that ends soon")


def a_checked_run() -> Run:
    """Seven mailboxes of every kind of verdict behind three endpoints, one of which never answers."""
    location = a_fact(v.MAILBOX_LOCATION, "on-premises", subject="info@contoso.test", provenance=Declared("operator"))
    build = a_fact(v.SERVER_BUILD, Build((8, 3, 485, 1)), EWS, Observed(words("a3", 4, "X-OWA-Version: 8.3.485.1")))
    refusal = [
        a_fact(v.AUTH_REFUSAL, ("bad-credentials",), EWS, Declared("peer", words("a4", 2, "401 Unauthorized")), mailbox=m)
        for m in ("info@contoso.test", "team@contoso.test")
    ]
    readings: list[Reading] = [
        a_fact(v.PROTOCOL_GREETING, "+OK Dovecot ready.", provenance=Declared("peer", words("a1", 1, "+OK Dovecot ready."))),
        PRODUCT,
        a_fact(v.NET_ADDRESSES, ("192.0.2.7", "2001:db8::7")),
        a_fact(v.TLS_NEGOTIATED, TlsSession("TLSv1.3", "TLS_AES_256_GCM_SHA384", "x25519")),
        a_fact(v.CERTIFICATE_NOT_AFTER, datetime(2026, 12, 1, tzinfo=UTC)),
        a_fact(v.CERTIFICATE_TRUSTED, False),
        a_fact(v.CERTIFICATE_DISTRUSTED_BECAUSE, "self-signed certificate"),
        a_fact(v.CERTIFICATE_MATCHES_NAME, True),
        a_fact(v.AUTH_MECHANISMS, ("PLAIN", "LOGIN")),
        a_fact(v.AUTH_MECHANISMS_PLAIN, ()),
        a_gap(v.SERVER_VERSION, Why.NOT_DISCLOSED),
        a_gap(v.SERVER_BUILD, Why.NOT_APPLICABLE),
        TOO_LATE,
        a_gap(v.PROTOCOL_GREETING, Why.TIMED_OUT, "no greeting within 30 s", subject=SMTP),
        build,
        OLD_PRODUCT,
        a_fact(v.SERVER_UPDATE, UpdateRange(exact="SP3 RU23"), EWS, Inferred("exchange-update", ("server.build",))),
        a_fact(v.SERVER_END_OF_SUPPORT, date(2017, 4, 11), EWS, Inferred("exchange-lifecycle", ("server.product",))),
        a_fact(v.EWS_CHALLENGES, (Challenge("Negotiate"), Challenge("Basic", None, (("realm", "mail"),))), EWS),
        a_fact(v.AUTH_SCHEMES, ("Negotiate", "Basic"), EWS),
        location,
        *refusal,
    ]
    attempts = [
        an_attempt(1, POP, said=["+OK Dovecot ready.", "+OK"]),
        an_attempt(2, SMTP, Outcome.TIMED_OUT, "no greeting within 30 s", prober="smtp-extensions"),
        an_attempt(
            3, EWS, said=["HTTP/1.1 401 Unauthorized", "Server: IIS", "Date: now", "X-OWA-Version: 8.3.485.1"], prober="ews-anonymous"
        ),
        an_attempt(4, EWS, Outcome.DENIED, "the login was refused", ["401", "401 Unauthorized"], "ews-inbox", "info@contoso.test"),
        an_attempt(5, EWS, Outcome.DENIED, "the login was refused", ["401", "401 Unauthorized"], "ews-inbox", "team@contoso.test"),
    ]

    def refused(mailbox: str, refusal: Fact[Any]) -> Assessment:
        return an_assessment(
            mailbox,
            Support.UNSUPPORTED,
            Readiness.NOT_READY,
            a_finding(REACHED, Result.FAILS, refusal),
            a_finding(TOO_OLD, Result.FAILS, OLD_PRODUCT),
            a_finding(NOT_TESTED, Result.NOT_APPLICABLE),
            a_finding(ENDS_SOON, Result.UNKNOWN, Facts(EWS).read(v.CERTIFICATE_NOT_AFTER)),
            profile="corp",
        )

    assessments = [
        an_assessment(
            "listed@contoso.test",
            Support.SUPPORTED,
            Readiness.READY,
            a_finding(EWS_ROW, Result.HOLDS, build),
            a_finding(REACHED, Result.HOLDS, build),
            profile="corp",
        ),
        *(refused(m, r) for m, r in zip(("info@contoso.test", "team@contoso.test"), refusal, strict=True)),
        an_assessment(
            "pop@branch.test",
            Support.UNSUPPORTED,
            Readiness.UNDETERMINED,
            a_finding(ENDS_SOON, Result.FAILS, readings[4]),
            a_finding(TLS_WORKS, Result.UNKNOWN, TOO_LATE),
            a_finding(NOT_TESTED, Result.FAILS, PRODUCT),
        ),
        an_assessment("silent@branch.test", Support.UNDETERMINED, Readiness.UNDETERMINED, a_finding(TOO_OLD, Result.UNKNOWN, TOO_LATE)),
        an_assessment("new@contoso.test", Support.NOT_LISTED, Readiness.READY, a_finding(REACHED, Result.HOLDS, build), profile="corp"),
        an_assessment("unserved@branch.test", Support.NOT_ASSESSED, Readiness.NOT_ASSESSED),
    ]
    estate = an_estate(
        *(
            a_mailbox(a.mailbox, a.profile, Delivery.NONE if a.support is Support.NOT_ASSESSED else Delivery.SERVER_SIDE)
            for a in assessments
        )
    )
    return a_run(estate=estate, attempts=attempts, readings=readings, assessments=assessments)
