"""A run with something in each part of each page and of the HTML report, and what comes for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from probe.document.telling.coming import Coming, Outlook, Unseen
from probe.model import vocabulary as v
from probe.model.kinds import TlsSession, Validity
from probe.model.provenance import Declared
from probe.model.rules import Otherwise, Readiness, Result, Support
from probe.model.runs import Run
from tests.runs import (
    ENDS_SOON,
    NOON,
    POP,
    REACHED,
    SMTP,
    TLS_WORKS,
    TOO_LATE,
    a_checked_run,
    a_fact,
    a_finding,
    a_mailbox,
    an_assessment,
)

LONG = f"{'very-long-name-without-any-space' * 2}@{'branch.' * 20}test"
RIGHT_TO_LEFT = "\u05de\u05db\u05d9\u05e8\u05d5\u05ea@branch.test"
SUITES = ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256")
IN_DYNAMICS = ("pop@branch.test", "many0@branch.test", "many1@branch.test", "many2@branch.test")


def a_full_run(said_by_dynamics: str = "The mailbox server rejected the credentials.") -> Run:
    """Every kind of verdict, long names and names that are read from the right, a full posture, a chain of certificates, mailboxes that Dynamics knows, and
    ten mailboxes alike."""
    run = a_checked_run()
    assert run.estate is not None
    more = [
        a_fact(v.TLS_VERSIONS, ("TLSv1.1", "TLSv1.2")),
        a_fact(v.TLS_SUITES, (("TLSv1.2", SUITES),)),
        a_fact(v.TLS_GROUPS, (("TLSv1.2", ("secp384r1", "x25519")),)),
        a_fact(v.TLS_SCHEMES, (("TLSv1.2", ("rsa_pss_rsae_sha256",)),)),
        a_fact(v.FIPS_PROFILE, "windows-server-2019"),
        a_fact(v.FIPS_NEGOTIATES, TlsSession("TLSv1.2", SUITES[0], "secp384r1", "rsa_pss_rsae_sha256")),
        a_fact(v.FIPS_ALSO_ACCEPTS, ("TLSv1.1", f"TLSv1.2 with {SUITES[1]}")),
        a_fact(
            v.CERTIFICATE_CHAIN_DATES,
            tuple(Validity(f"CN={name}", NOON - timedelta(days=80), NOON + timedelta(days=10)) for name in ("pop", "ca")),
        ),
        a_fact(v.CERTIFICATE_NOT_BEFORE, NOON - timedelta(days=80)),
    ]
    for number, address in enumerate(IN_DYNAMICS):
        told = Declared("dynamics")
        is_enabled = number != len(IN_DYNAMICS) - 1
        more += [
            a_fact(v.DYNAMICS_ENABLED, (("incoming", is_enabled), ("outgoing", True), ("appointments", False)), address, told),
            a_fact(v.DYNAMICS_STATUS, (("incoming", "failure"), ("outgoing", "success"), ("appointments", "not-run")), address, told),
            a_fact(v.DYNAMICS_APPROVED, True, address, told),
            a_fact(v.DYNAMICS_LAST_SUCCESS, NOON - timedelta(days=number + 1), address, told),
            a_fact(v.DYNAMICS_LAST_ERROR, said_by_dynamics, address, told),
            a_fact(v.DYNAMICS_LAST_ERROR_AT, NOON - timedelta(hours=number), address, told),
            a_fact(v.DYNAMICS_PENDING_SEND, number, address, told),
        ]
    many = [f"many{number}@branch.test" for number in range(10)]
    refused, works = a_finding(REACHED, Result.FAILS, run.readings[0]), a_finding(TLS_WORKS, Result.HOLDS, run.readings[3])
    assessments = [
        *(an_assessment(one, Support.SUPPORTED, Readiness.NOT_READY, refused, works) for one in (LONG, RIGHT_TO_LEFT)),
        *(
            an_assessment(
                one,
                Support.SUPPORTED,
                Readiness.UNDETERMINED,
                works,
                a_finding(ENDS_SOON, Result.FAILS, run.readings[4]),
                a_finding(REACHED, Result.UNKNOWN, TOO_LATE),
            )
            for one in many
        ),
    ]
    return replace(
        run,
        readings=(*run.readings, *more),
        estate=replace(run.estate, mailboxes=(*run.estate.mailboxes, *(a_mailbox(one.mailbox) for one in assessments))),
        assessments=(*run.assessments, *assessments),
    )


def an_outlook() -> Outlook:
    """Something that comes for one mailbox, and something that comes for many."""
    start = NOON.date()
    words = {ENDS_SOON: "Certificate ends 2026-12-01, pop.branch.test", REACHED: "Support ended 2027-10-14"}
    coming = [
        Coming(
            day=start + timedelta(days=days),
            rule=rule.id,
            title=rule.title,
            otherwise=otherwise,
            words=words[rule],
            endpoints=(POP,),
            subjects=(POP,),
            remedy=f"What to do about {rule.id}.",
            mailboxes=mailboxes,
        )
        for days, rule, otherwise, mailboxes in (
            (8, ENDS_SOON, Otherwise.ADVICE, ("pop@branch.test",)),
            (325, REACHED, Otherwise.NOT_READY, tuple(f"many{number}@branch.test" for number in range(250))),
        )
    ]
    return Outlook(start, start + timedelta(days=730), coming, [Unseen(SMTP, "the server did not answer in time")])
