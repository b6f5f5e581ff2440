"""Tests of what comes: judged by the rules themselves, for days to come."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from probe import app
from probe.document import ReportOptions
from probe.model.estate import Estate
from probe.model.rules import Otherwise
from probe.model.runs import Run
from probe.outlook import Coming, outlook_form, outlook_text, representatives
from tests.outlook.estates import an_estate

TODAY = date(2026, 11, 29)
EWS = "https://mail.contoso.test:443/EWS/Exchange.asmx"
ONLINE = "https://outlook.office365.com:443/EWS/Exchange.asmx"


def a_fact(subject: str, key: str, value: Any) -> dict[str, Any]:
    return {"subject": subject, "mailbox": None, "key": key, "value": value}


def of_certificate(subject: str, end: datetime) -> list[dict[str, Any]]:
    start = end - timedelta(days=400)
    moments = [moment.isoformat().replace("+00:00", "Z") for moment in (start, end)]
    return [a_fact(subject, "certificate.not_before", moments[0]), a_fact(subject, "certificate.not_after", moments[1])]


def of_chain(subject: str, *ends: datetime) -> list[dict[str, Any]]:
    """The issuer's certificate that ends first, where the chain is trusted; more moments are those of others of that name that were sent."""
    moments = [end.isoformat().replace("+00:00", "Z") for end in ends]
    sent = [{"subject": "CN=Contoso Issuing CA", "not_before": "2020-01-01T00:00:00Z", "not_after": moment} for moment in moments]
    return [
        a_fact(subject, "certificate.chain_ends", {"subject": "CN=Contoso Issuing CA", "not_after": moments[0]}),
        a_fact(subject, "certificate.chain_dates", sent),
        a_fact(subject, "certificate.trusted", True),
        a_fact(subject, "certificate.distrusted_because", ""),
    ]


def judged(estate: Estate, *facts: dict[str, Any], on: date = TODAY) -> Run:
    return app.judge({"schema": "probe.run/2", "facts": list(facts), "missing": []}, estate, on)


def told(coming: list[Coming]) -> list[tuple[date, str, tuple[str, ...]]]:
    return [(c.day, c.rule, c.mailboxes) for c in coming]


CORP = tuple((f"m{n}@contoso.test", "corp") for n in range(3))


def test_a_certificate_is_told_on_the_day_on_which_it_is_no_good_any_more() -> None:
    """The day is that of the rule on expired certificates, once for all mailboxes behind the endpoint, with the remedy filled in."""
    run = judged(an_estate(*CORP), *of_certificate(EWS, datetime(2027, 2, 3, 4, 5, tzinfo=UTC)))
    (coming,) = [c for c in app.outlook(run, date(2027, 6, 1)) if c.rule == "certificate-expired"]
    assert coming.day == date(2027, 2, 3)
    assert coming.mailboxes == tuple(address for address, _ in CORP)
    assert (coming.otherwise, coming.endpoints) == (Otherwise.NOT_READY, (EWS,))
    assert "mail.contoso.test" in coming.remedy


def test_the_end_of_an_issuer_is_told_on_its_day() -> None:
    """A chain whose issuer ends before the server's own certificate is no good from that day on, with the name of the issuer."""
    own, issuer = datetime(2027, 9, 3, tzinfo=UTC), datetime(2027, 2, 3, tzinfo=UTC)
    run = judged(an_estate(*CORP), *of_certificate(EWS, own), *of_chain(EWS, issuer))
    (coming,) = app.outlook(run, date(2027, 6, 1))
    assert (coming.day, coming.rule, coming.endpoints) == (date(2027, 2, 3), "certificate-expired", (EWS,))
    assert coming.words == "Certificate of CN=Contoso Issuing CA expired 2027-02-03, mail.contoso.test"
    assert coming.mailboxes == tuple(address for address, _ in CORP)


def test_where_two_certificates_of_an_issuer_were_sent_its_end_is_not_known() -> None:
    """Nothing is told of a day on which another certificate of that name may serve, and it is said why."""
    own = datetime(2027, 9, 3, tzinfo=UTC)
    ends = (datetime(2027, 2, 3, tzinfo=UTC), datetime(2028, 2, 3, tzinfo=UTC))
    run = judged(an_estate(*CORP), *of_certificate(EWS, own), *of_chain(EWS, *ends))
    until = date(2027, 6, 1)
    coming = app.outlook(run, until)
    assert [c for c in coming if c.otherwise is not Otherwise.ADVICE] == []
    because = "two certificates of CN=Contoso Issuing CA were sent; one ends on 2027-02-03, and whether clients take the other is not known"
    assert outlook_form(run, coming, until)["unseen"] == [{"endpoint": EWS, "because": because}]


def test_a_warning_that_ends_in_what_it_warns_of_is_not_told_beside_it() -> None:
    """That a certificate ends soon is left out where its end is told; where the last day comes before, the warning is what there is."""
    run = judged(an_estate(*CORP), *of_certificate(EWS, datetime(2027, 2, 3, tzinfo=UTC)))
    assert [c.rule for c in app.outlook(run, date(2027, 3, 1))] == ["certificate-expired"]
    early = app.outlook(run, date(2027, 2, 1))
    assert [(c.rule, c.day) for c in early] == [("certificate-ends-soon", date(2027, 1, 5))]


def test_what_fails_already_and_what_comes_after_the_last_day_are_not_told() -> None:
    """Only a change between the two days is news."""
    over = judged(an_estate(*CORP), *of_certificate(EWS, datetime(2026, 11, 1, tzinfo=UTC)))
    assert [c for c in app.outlook(over, date(2027, 6, 1)) if c.rule == "certificate-expired"] == []
    later = judged(an_estate(*CORP), *of_certificate(EWS, datetime(2027, 12, 1, tzinfo=UTC)))
    assert app.outlook(later, date(2027, 6, 1)) == []
    assert app.outlook(later, TODAY) == []
    assert app.outlook(later, TODAY - timedelta(days=100)) == []


def test_dates_that_rules_hold_by_themselves_are_found() -> None:
    """The end of EWS in Exchange Online stands in no fact, and is told on its day for whom it befalls, and for nobody else."""
    run = judged(an_estate(*CORP, ("anna@contoso.test", "online")), a_fact(ONLINE, "server.product", "Exchange Online"))
    coming = [c for c in app.outlook(run, date(2027, 6, 1)) if c.day == date(2027, 4, 1)]
    assert "exchange-online-ews-ended" in {c.rule for c in coming}
    assert {c.mailboxes for c in coming} == {("anna@contoso.test",)}


def test_two_ends_at_two_endpoints_are_two_changes_in_their_order() -> None:
    """Each change has its own day, however close they are."""
    facts = [*of_certificate(EWS, datetime(2027, 2, 4, tzinfo=UTC)), *of_certificate(ONLINE, datetime(2027, 2, 3, tzinfo=UTC))]
    run = judged(an_estate(*CORP, ("anna@contoso.test", "online")), *facts)
    coming = [entry for entry in told(app.outlook(run, date(2027, 3, 1))) if entry[1] == "certificate-expired"]
    assert coming == [
        (date(2027, 2, 3), "certificate-expired", ("anna@contoso.test",)),
        (date(2027, 2, 4), "certificate-expired", tuple(address for address, _ in CORP)),
    ]


def test_the_text_tells_day_whom_and_what_to_do_and_what_is_not_known() -> None:
    """An endpoint of which no certificate was seen is named with the reason: silence is no all-clear."""
    gap = {"subject": ONLINE, "mailbox": None, "key": "certificate.not_after", "why": "timed-out", "detail": "no answer"}
    estate = an_estate(*CORP, ("anna@contoso.test", "online"))
    facts = of_certificate(EWS, datetime(2027, 2, 3, tzinfo=UTC))
    run = app.judge({"schema": "probe.run/2", "facts": facts, "missing": [gap]}, estate, TODAY)
    until = date(2027, 3, 1)
    text = " ".join(outlook_text(run, app.outlook(run, until), until, ReportOptions()).split())
    assert "4 mailboxes: 1 change is known to come from 2026-11-29 to 2027-03-01." in text
    assert (
        "1 2027-02-03, in 66 days: NOT READY, 3 mailboxes Certificate expired 2027-02-03, mail.contoso.test (certificate-expired)" in text
    )
    assert "To do Renew the certificate that mail.contoso.test sends" in text
    assert f"Not known is when the certificate, or its chain, ends of: {ONLINE}: the server did not answer in time (no answer)" in text


def test_the_form_has_the_same() -> None:
    """A program reads days, rules, endpoints and mailboxes, and what was not seen."""
    run = judged(an_estate(*CORP), *of_certificate(EWS, datetime(2027, 2, 3, tzinfo=UTC)))
    until = date(2027, 3, 1)
    form = json.loads(json.dumps(outlook_form(run, app.outlook(run, until), until)))
    assert (form["schema"], form["from"], form["until"], form["interrupted"]) == ("probe.outlook/1", "2026-11-29", "2027-03-01", False)
    (entry,) = form["coming"]
    assert (entry["on"], entry["rule"], entry["endpoints"]) == ("2027-02-03", "certificate-expired", [EWS])
    assert entry["mailboxes"] == [address for address, _ in CORP]


def test_the_end_of_a_password_is_told_on_its_day() -> None:
    """A password whose end the estate declares is told with that day, for the mailboxes of its profile and no others."""
    estate = an_estate(*CORP, ("anna@contoso.test", "online"))
    corp, online = estate.profiles
    run = judged(replace(estate, profiles=(replace(corp, password_ends=date(2027, 2, 3)), online)))
    (coming,) = [c for c in app.outlook(run, date(2027, 6, 1)) if c.rule.startswith("password-")]
    assert (coming.day, coming.rule, coming.words) == (date(2027, 2, 3), "password-ended", "Password ended: 2027-02-03")
    assert coming.mailboxes == tuple(address for address, _ in CORP)
    assert coming.otherwise is Otherwise.ADVICE


def test_mailboxes_of_which_the_same_is_known_are_judged_as_one() -> None:
    """But for its address, each is told; one of which something else is known stands for itself."""
    addresses = [f"m{number}@contoso.test" for number in range(20)]
    facts = [*of_certificate(EWS, datetime(2027, 2, 3, tzinfo=UTC)), a_fact("m7@contoso.test", "mailbox.location", "on-premises")]
    run = judged(an_estate(*((address, "corp") for address in addresses), ("cloud@contoso.test", "online")), *facts)
    alike, small = representatives(run)
    assert {first: len(group) for first, group in alike.items()} == {"m0@contoso.test": 19, "m7@contoso.test": 1, "cloud@contoso.test": 1}
    assert sorted(address for group in alike.values() for address in group) == sorted(one.mailbox for one in run.assessments)
    assert [one.mailbox for one in small.assessments] == [*alike]
    assert {reading.subject for reading in small.readings if "@" in reading.subject} == {*alike}


def test_what_changes_nothing_by_itself_costs_no_judgement_of_each_day() -> None:
    """Mailboxes that differ in what Dynamics has of each, as all do, are told as one, for little more than to judge them twice."""
    many = tuple((f"m{n}@contoso.test", "corp") for n in range(400))
    states = [
        fact
        for n, (address, _) in enumerate(many)
        for fact in (
            a_fact(address, "dynamics.last_success", f"2026-11-28T{n // 60:02}:{n % 60:02}:00Z"),
            a_fact(address, "dynamics.last_error", f"request {n} was refused"),
            a_fact(address, "dynamics.enabled", {"incoming": n % 2 == 0, "outgoing": True, "appointments": False}),
        )
    ]
    facts = [{**fact, "basis": "declared", "by": "dynamics"} for fact in states]
    run = judged(an_estate(*many), *of_certificate(EWS, datetime(2027, 2, 3, tzinfo=UTC)), *facts)
    assert len(representatives(run)[0]) == 400
    started = time.process_time()
    judged(an_estate(*many), *of_certificate(EWS, datetime(2027, 2, 3, tzinfo=UTC)), *facts)
    once = time.process_time() - started
    started = time.process_time()
    coming = [entry for entry in told(app.outlook(run, TODAY + timedelta(days=730))) if entry[1] == "certificate-expired"]
    assert time.process_time() - started < 12 * once  # to judge all of them for each day takes thirty times as long
    assert coming == [(date(2027, 2, 3), "certificate-expired", tuple(address for address, _ in many))]


def test_of_mailboxes_that_differ_in_what_comes_none_stands_for_another() -> None:
    """Of one profile, those whose own facts make another rule fail on a day are told by themselves."""
    locations = [{**a_fact("m1@contoso.test", "mailbox.location", "exchange-online"), "basis": "observed"}]
    run = judged(an_estate(*CORP), *of_certificate(EWS, datetime(2027, 2, 3, tzinfo=UTC)), *locations)
    every = {(c.rule, address) for c in app.outlook(run, date(2028, 6, 1)) for address in c.mailboxes}
    for address, _ in CORP:
        alone = judged(an_estate((address, "corp")), *of_certificate(EWS, datetime(2027, 2, 3, tzinfo=UTC)), *locations)
        assert {rule for rule, whose in every if whose == address} == {c.rule for c in app.outlook(alone, date(2028, 6, 1))} != set()
