"""Tests of judging a stored run again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from probe import app
from probe.document import publish
from probe.engine.judge import Ruleset, judge_estate
from probe.engine.run import about
from probe.engine.select import users_of_endpoints
from probe.model import vocabulary as v
from probe.model.estate import (
    Authentication,
    Cloud,
    Credentials,
    Delivery,
    Effect,
    Endpoint,
    Estate,
    Location,
    Mailbox,
    ServerType,
)
from probe.model.facts import Fact, Facts, Missing, Reading, Why
from probe.model.keys import FactKey
from probe.model.kinds import Build
from probe.model.provenance import Declared
from probe.model.rules import SignedIn, Support
from probe.model.runs import Run
from tests.engine.estates import thrown
from tests.estates import ends
from tests.runs import EWS, NOON, SECRET_PLACES, a_fact, a_gap, a_run, an_estate, words

RULESET = Ruleset(inferences=app.inferences(), rules=app.rules())
ADDRESS = "sales@contoso.test"
SEEN: tuple[Reading, ...] = (
    a_fact(v.NET_CONNECTED, True, EWS),
    a_fact(v.TLS_COMPLETED, True, EWS),
    a_fact(v.SERVER_BUILD, Build.parse("15.1.2507.57"), EWS, Declared("peer", words("a1", 12, "X-OWA-Version: 15.1.2507.57"))),
    a_fact(v.AUTH_SCHEMES, ("Negotiate", "NTLM"), EWS),
    a_fact(v.FIPS_PROFILE, "windows-server-2019", EWS),
    a_fact(v.FIPS_CAN_WORK, True, EWS),
    a_fact(v.FIPS_REASONS, (), EWS),
    a_fact(v.TLS_DEPLOYMENT_GETS, True, EWS),
    a_gap(v.CERTIFICATE_NOT_AFTER, Why.TIMED_OUT, "no greeting within 30 s", EWS),
    a_fact(v.AUTH_ACCEPTED, True, EWS, mailbox=ADDRESS),
    a_fact(v.AUTH_REFUSAL, (), EWS, mailbox=ADDRESS),
    a_fact(v.EWS_IMPERSONATION, "granted", EWS, mailbox=ADDRESS),
)


def estate() -> Estate:
    everything = Delivery.SERVER_SIDE
    return an_estate(
        Mailbox(address=ADDRESS, profile="corp", incoming=everything, outgoing=everything, appointments=everything),
        Mailbox(address="team@contoso.test", profile="corp", incoming=everything, outgoing=Delivery.NONE, appointments=Delivery.NONE),
    )


def first(declared: Estate, seen: Iterable[Reading] = SEEN, **changes: Any) -> Run:
    """A run that was judged when it was held."""
    run = a_run(estate=declared, readings=())
    run = replace(run, **changes)
    asked = run.asked.mailboxes
    mailboxes = [m for m in declared.mailboxes if asked is None or m.address in asked]
    judgement = judge_estate(declared, seen, mailboxes, RULESET, run.judged_at, run.finished, run.asked.allow)
    judgement = about(judgement, declared, mailboxes)
    return replace(run, readings=judgement.readings, assessments=judgement.assessments)


def document_of(run: Run) -> dict[str, Any]:
    """The document as it lies in a file."""
    form: dict[str, Any] = json.loads(json.dumps(publish(run)))
    return form


def again(run: Run, declared: Estate | None = None, on: date | None = None) -> Run:
    return app.judge(document_of(run), declared, on)


def reading(run: Run, key: FactKey[Any], subject: str = EWS, mailbox: str | None = None) -> Reading:
    (found,) = [r for r in run.readings if (r.subject, r.mailbox, r.key) == (subject, mailbox, key)]
    return found


def gap(run: Run, key: FactKey[Any], mailbox: str | None = None) -> tuple[Why, str]:
    found = reading(run, key, mailbox=mailbox)
    assert isinstance(found, Missing)
    return found.why, found.detail


def found_by_autodiscover(declared: Estate) -> Estate:
    """Its profiles of Exchange name no server, and each of their mailboxes has one."""
    found = Endpoint.parse("https://found.contoso.test/EWS/Exchange.asmx")
    of_exchange = {profile.name for profile in declared.profiles if ends(profile)[0].service == "ews"}
    return replace(
        declared,
        profiles=tuple(
            replace(profile, autodiscover=True, incoming=None, outgoing=None) if profile.name in of_exchange else profile
            for profile in declared.profiles
        ),
        mailboxes=tuple(replace(mailbox, ews_url=found) if mailbox.profile in of_exchange else mailbox for mailbox in declared.mailboxes),
    )


@pytest.mark.parametrize("seen", [SEEN, SEEN[:4], ()], ids=["much", "little", "nothing"])
@pytest.mark.parametrize("mailboxes", [None, (ADDRESS,)], ids=["all", "one"])
def test_a_run_is_judged_again_to_the_same(seen: tuple[Reading, ...], mailboxes: tuple[str, ...] | None) -> None:
    """Where nothing changed, the document of the second judgement is the first one, to the letter."""
    run = first(estate(), seen, asked=replace(a_run().asked, mailboxes=mailboxes, allow=frozenset({Effect.SENDS_MAIL})))
    assert document_of(again(run)) == document_of(run)


@pytest.mark.parametrize("seed", range(25))
def test_any_run_is_judged_again_to_the_same(seed: int) -> None:
    """Over many estates, and whatever was seen of them."""
    declared, seen = thrown(seed)
    used = {endpoint.url for endpoint in users_of_endpoints(declared, declared.mailboxes)}
    run = first(declared, [r for r in seen if "://" not in r.subject or r.subject in used])
    assert document_of(again(run)) == document_of(run)


def of_deployment(**changes: Any) -> Callable[[Estate], Estate]:
    return lambda e: replace(e, deployment=replace(e.deployment, **changes))


def of_profile(**changes: Any) -> Callable[[Estate], Estate]:
    return lambda e: replace(e, profiles=(replace(e.profiles[0], **changes), *e.profiles[1:]))


def of_mailbox(**changes: Any) -> Callable[[Estate], Estate]:
    return lambda e: replace(e, mailboxes=(replace(e.mailboxes[0], **changes), *e.mailboxes[1:]))


@pytest.mark.parametrize(
    "change",
    [
        of_deployment(name="other", version="9.0"),
        of_deployment(mass_email=True),
        of_deployment(custom_email_providers=True),
        of_deployment(outlook_on_the_web_tracking=True),
        of_deployment(outlook_manual_tracking=True),
        of_deployment(allow=frozenset()),
        of_deployment(service_account="svc@CONTOSO.TEST"),
        of_profile(server_type=ServerType.EXCHANGE_ONLINE),
        of_profile(server_type=ServerType.EXCHANGE_SERVER_HYBRID, autodiscover=True),
        of_profile(fips_validated="CMVP #4985"),
        of_profile(password_ends=date(2026, 12, 1)),
        of_profile(product="Dovecot 2.4"),
        of_profile(outgoing_fips_validated="CMVP #4985"),
        of_mailbox(incoming=Delivery.FORWARD),
        of_mailbox(outgoing=Delivery.NONE),
        of_mailbox(appointments=Delivery.OUTLOOK),
        of_mailbox(location=Location.EXCHANGE_ONLINE),
        of_mailbox(mfa=True),
        of_mailbox(id="8c1e2a40-6d0f-4c57-9a41-2f3f0c1d7e55"),
        found_by_autodiscover,
        lambda e: replace(e, mailboxes=e.mailboxes[:1]),
        lambda e: replace(e, mailboxes=(*e.mailboxes, replace(e.mailboxes[0], address="new@contoso.test"))),
    ],
)
@pytest.mark.parametrize("goes_back", [False, True], ids=["there", "back"])
def test_what_the_operator_declares_comes_from_the_estate_that_is_judged(change: Callable[[Estate], Estate], goes_back: bool) -> None:
    """Judged again under a corrected estate, a run is what it would have been under that estate from the beginning."""
    before, after = (change(estate()), estate()) if goes_back else (estate(), change(estate()))
    assert document_of(again(first(before), after)) == document_of(first(after))


def test_a_corrected_declaration_decides() -> None:
    """Mass e-mail that the first estate denied makes the mailbox unsupported, rather than a contradiction."""
    run = again(first(estate()), of_deployment(mass_email=True)(estate()))
    assert run.assessments[0].support is Support.UNSUPPORTED
    assert first(estate()).assessments[0].support is Support.SUPPORTED


def test_another_day_is_judged_for() -> None:
    """The day that is named is the day of judgement: what was supported then has ended."""
    run = again(first(of_profile(server_type=ServerType.EXCHANGE_SERVER)(estate())), on=date(2031, 1, 1))
    assert run.judged_at == date(2031, 1, 1)
    assert document_of(run) == document_of(first(estate(), judged_at=date(2031, 1, 1)))


@pytest.mark.parametrize(
    "change",
    [
        of_profile(authentication=Authentication.BASIC),
        of_profile(credentials=Credentials.SERVER_TO_SERVER),
        of_profile(impersonation=False),
        of_profile(username="other@contoso.test"),
        of_profile(outgoing_username="other@contoso.test"),
        of_profile(outgoing_credentials=Credentials.WINDOWS_INTEGRATED),
        of_profile(password=None),
        of_profile(client_id="11111111-2222-3333-4444-555555555555"),
        of_deployment(cloud=Cloud.US_DOD),
        of_deployment(authorities=()),
    ],
)
def test_a_sign_in_of_another_account_does_not_count(change: Callable[[Estate], Estate]) -> None:
    """Where the estate names another account, or another way to sign in, what came of the first is stale, and nobody has signed in."""
    run = again(first(estate()), change(estate()))
    why, detail = gap(run, v.AUTH_ACCEPTED, ADDRESS)
    assert (why, detail.partition(",")[0]) == (Why.STALE, "another account")
    assert run.assessments[0].signed_in is not SignedIn.YES
    assert isinstance(reading(run, v.AUTH_SCHEMES), Fact)


@pytest.mark.parametrize("side", ["credentials", "outgoing_credentials"])
def test_another_account_of_the_service_is_another_account_where_it_signs_in(side: str) -> None:
    """At either endpoint: where windows-integrated credentials are used, it is the service's account that signed in."""
    before = of_deployment(service_account="svc@CONTOSO.TEST")(of_profile(**{side: Credentials.WINDOWS_INTEGRATED})(estate()))
    run = again(first(before), of_deployment(service_account="other@CONTOSO.TEST")(before))
    why, detail = gap(run, v.AUTH_ACCEPTED, ADDRESS)
    assert (why, detail.partition(",")[0]) == (Why.STALE, "another account")


@pytest.mark.parametrize(
    ("reading", "change", "detail"),
    [
        (
            a_gap(v.EWS_CALENDAR, Why.NOT_APPLICABLE, "not synchronized", EWS, ADDRESS),
            of_mailbox(appointments=Delivery.NONE),
            "appointments, contacts and tasks were not synchronized then",
        ),
        (
            a_gap(v.AUTODISCOVER_SERVICES, Why.NOT_APPLICABLE, "not looked for", ADDRESS),
            lambda e: e,
            "the profile did not find its server by Autodiscover then",
        ),
    ],
)
def test_a_question_that_did_not_arise_then_was_not_asked(reading: Missing, change: Callable[[Estate], Estate], detail: str) -> None:
    """Where it arises under the estate of now, it is stale, and no longer told as none."""
    asks = of_profile(autodiscover=True)(estate())
    run = first(change(estate()), (*SEEN, reading))
    (before,) = [r for r in run.readings if r.key == reading.key and r.mailbox == reading.mailbox]
    assert getattr(before, "why", None) is Why.NOT_APPLICABLE
    (after,) = [r for r in again(run, asks).readings if r.key == reading.key and r.mailbox == reading.mailbox]
    assert isinstance(after, Missing)
    assert (after.why, after.detail) == (Why.STALE, detail)


@pytest.mark.parametrize(
    ("change", "is_known"),
    [
        (of_mailbox(appointments=Delivery.NONE), False),
        (of_profile(impersonation=False), False),
        (of_deployment(version="9.0"), True),
        (of_profile(password=estate().profiles[0].password), True),
    ],
)
def test_what_was_compared_with_another_estate_does_not_count(change: Callable[[Estate], Estate], is_known: bool) -> None:
    """What differed between Dynamics' records and the estate is stale once the estate says something else of the mailbox."""
    differs = a_fact(v.DYNAMICS_DIFFERS, ("server type: ...",), ADDRESS, Declared("dynamics"))
    run = again(first(estate(), (*SEEN, differs)), change(estate()))
    (after,) = [r for r in run.readings if r.key == v.DYNAMICS_DIFFERS]
    assert isinstance(after, Fact) is is_known


def test_another_place_of_the_same_secret_changes_nothing() -> None:
    """A stored run does not say where a secret is kept; that an estate does is no other account."""
    moved = of_profile(password=estate().profiles[0].password)(estate())
    assert again(first(estate()), moved).assessments[0].signed_in is SignedIn.YES


def test_the_question_of_another_windows_does_not_count() -> None:
    """What one Windows gets from a server does not tell what another gets."""
    run = again(first(estate()), of_deployment(runs_on="windows-server-2012-r2")(estate()))
    assert gap(run, v.TLS_DEPLOYMENT_GETS) == (
        Why.STALE,
        "windows-server-2019 was asked about, and the deployment runs on windows-server-2012-r2",
    )
    assert gap(run, v.FIPS_CAN_WORK)[0] is Why.STALE


def test_what_the_windows_gets_depends_on_its_policy() -> None:
    """With the FIPS policy declared otherwise, what it gets is stale, while what FIPS mode can do is not."""
    run = again(first(estate()), of_deployment(fips=True)(estate()))
    assert gap(run, v.TLS_DEPLOYMENT_GETS) == (Why.STALE, "the question was asked with the FIPS policy off")
    assert isinstance(reading(run, v.FIPS_CAN_WORK), Fact)


def test_what_the_call_allowed_counts_and_stands_apart() -> None:
    """Effects of the estate and of the call are taken together for the judgement, and neither is written into the other."""
    quiet = of_deployment(allow=frozenset())(estate())
    run = first(quiet, SEEN[:9], asked=replace(a_run().asked, allow=frozenset({Effect.LOGS_IN})))
    assert run.assessments[0].signed_in is SignedIn.NOT_TRIED
    document = document_of(run)
    assert (document["asked"]["allow"], document["estate"]["deployment"]["allow"]) == (["logs-in"], [])
    assert document_of(app.judge(document)) == document
    document["asked"]["allow"] = []
    assert app.judge(document).assessments[0].signed_in is SignedIn.NOT_ALLOWED


def test_facts_and_gaps_alone_are_judged() -> None:
    """A document of a subject, a key and a value each is judged under the estate that is named, for the day that is named."""
    facts = [{"subject": EWS, "mailbox": None, "key": key.name, "value": key.kind.encode(fact.value)} for key, fact in known().items()]
    missing = [{"subject": EWS, "mailbox": None, "key": "certificate.not_after", "why": "timed-out"}]
    form = {"schema": "probe.run/2", "estate": None, "facts": facts, "missing": missing}
    run = app.judge(form, estate(), NOON.date())
    assert [a.mailbox for a in run.assessments] == [m.address for m in estate().mailboxes]
    assert run.assessments[0].support is Support.SUPPORTED
    assert gap(run, v.CERTIFICATE_NOT_AFTER)[0] is Why.TIMED_OUT


def test_what_is_said_of_an_endpoint_that_nobody_uses_stays_said() -> None:
    """Facts that somebody hands over may be of one that a run would not ask; judged again they lead to the same, to the letter."""
    (mailbox,) = [one for one in estate().mailboxes if one.uses_outgoing][:1]
    now = replace(estate(), mailboxes=(replace(mailbox, outgoing=Delivery.NONE),))
    now = replace(now, profiles=tuple(replace(p, outgoing=Endpoint.parse("smtp://out.contoso.test")) for p in now.profiles))
    facts = [{"subject": "smtp://out.contoso.test:587", "key": "protocol.greeting", "value": "220 out.contoso.test ESMTP Postfix"}]
    document = document_of(app.judge({"schema": "probe.run/2", "facts": facts}, now, NOON.date()))
    assert "Postfix" in [fact["value"] for fact in document["facts"] if fact["key"] == "server.product"]
    assert document_of(app.judge(document)) == document


@pytest.mark.parametrize(
    ("subject", "key", "value"),
    [
        (ADDRESS, "mailbox.incoming", "outlook"),
        (ADDRESS, "mailbox.domain", "gmail.com"),
        (EWS, "endpoint.service", "pop3"),
        (EWS, "server.by_word", "x"),
    ],
)
def test_what_only_an_estate_says_is_taken_from_nobody_else(subject: str, key: str, value: str) -> None:
    """Facts that are handed over may claim to have seen it; what the estate declares stands."""
    facts = [{"subject": subject, "key": key, "value": value}]
    told = document_of(app.judge({"schema": "probe.run/2", "facts": facts}, estate(), NOON.date()))
    assert told == document_of(app.judge({"schema": "probe.run/2"}, estate(), NOON.date()))


def test_what_is_null_is_as_good_as_left_out() -> None:
    """Facts and gaps alone, with every other member there and empty."""
    none = dict.fromkeys(("id", "attempt", "evidence", "at", "basis"))
    facts = [{**none, "subject": EWS, "mailbox": None, "key": k.name, "value": k.kind.encode(f.value)} for k, f in known().items()]
    missing = [
        {"id": None, "subject": EWS, "mailbox": None, "key": "certificate.not_after", "why": "timed-out", "detail": None, "claims": None}
    ]
    bare = {"schema": "probe.run/2", "facts": facts, "missing": missing}
    nulls = dict.fromkeys(
        ("id", "probe", "from", "started", "finished", "judged_at", "asked", "interrupted", "estate", "attempts", "rules")
    )
    assert document_of(app.judge({**bare, **nulls}, estate(), NOON.date())) == document_of(app.judge(bare, estate(), NOON.date()))


def known() -> dict[FactKey[Any], Fact[Any]]:
    return {r.key: r for r in SEEN if isinstance(r, Fact) and r.mailbox is None}


def test_an_estate_in_a_document_has_no_secret_and_no_way_to_one() -> None:
    """Read back, the estate knows that there is a secret, and not where."""
    document = document_of(first(estate()))
    assert not any(place in json.dumps(document) for place in SECRET_PLACES)
    run = app.judge(document)
    assert run.estate is not None
    assert run.estate.profiles[0].incoming_settings.account_of(run.estate.mailboxes[0]) is not None
    assert "MARKED" not in repr(run.estate)


def test_a_conflict_of_word_and_sight_is_weighed_anew() -> None:
    """Where the operator contradicts what was seen, and takes that back, what was seen counts."""
    said = of_mailbox(location=Location.ELSEWHERE)(estate())
    assert document_of(again(first(said), estate())) == document_of(first(estate()))


def test_a_key_that_was_never_asked_is_not_made_a_reading() -> None:
    """A gap that stands in the document only because a finding cites it is made up anew, not read as if somebody had been asked."""
    run = first(estate(), ())
    document = document_of(run)
    assert any(g["detail"] == "nothing was tried that would tell" for g in document["missing"])
    kept = app.judge(document)
    assert not Facts(EWS, [r for r in kept.readings if r.subject == EWS and r.mailbox is None]).knows(v.TLS_COMPLETED)
