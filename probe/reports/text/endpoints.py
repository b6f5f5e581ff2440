"""The endpoints: their main facts or all of them, what is not known, and attempts that did not complete."""

from __future__ import annotations

from collections import Counter
from datetime import date

from probe.document.telling.causes import CONVERSATION_FAILURES, NOT_ALLOWED
from probe.document.telling.known import Known
from probe.document.telling.words import CITED_LIMIT, VALUE_LIMIT, bounded, gap_in_words, provenance, some_of, spaced, value_in_words
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.estate import Service
from probe.model.facts import Fact, Facts, Missing, Why
from probe.model.keys import FactKey
from probe.reports.text.page import DOUBTFUL, Page
from probe.reports.text.tls import IN_TABLE, was_left_out, windows_in_words, write_tls_table


def write_main_facts(page: Page, known: Known, subject: str, today: date) -> None:
    """The main facts of an endpoint, one line each."""
    facts = known.of.get(subject, Facts(subject))
    lines = {
        "Server": _server(facts, today),
        "Addresses": _listed(facts, v.NET_ADDRESSES),
        "TLS": _tls(facts),
        "Certificate": _certificate(facts),
        "Windows": windows_in_words(facts, fips=bool(known.deployment.get("fips"))),
        "Sign-in": _sign_in(facts),
    }
    for label, text in lines.items():
        if text:
            page.say(bounded(text, VALUE_LIMIT), indent=2, label=label, column=13, cut=True)


def _server(facts: Facts, today: date) -> str:
    product, version, build = facts.value(v.SERVER_PRODUCT), facts.value(v.SERVER_VERSION), facts.value(v.SERVER_BUILD)
    parts = [" ".join(filter(None, (product or "product unknown", version)))] if product or version else []
    if build is not None and str(build) != version:
        parts.append(f"build {build}")
    update = facts.read(v.SERVER_UPDATE)
    if isinstance(update, Fact):
        parts.append("update " + value_in_words(v.SERVER_UPDATE.kind.encode(update.value)))
    end = facts.value(v.SERVER_END_OF_SUPPORT)
    if end is not None:
        parts.append(f"support {'ended' if end < today else 'ends'} {end.isoformat()}")
    sold = facts.value(v.SERVER_EXTENDED_UPDATES_END)
    if sold is not None:
        parts.append(f"paid security updates (ESU) {'ended' if sold < today else 'end'} {sold.isoformat()}")
    return ", ".join(parts)


def _listed(facts: Facts, key: FactKey[tuple[str, ...]]) -> str:
    value = facts.value(key)
    return "" if value is None else value_in_words(list(value))


def _tls(facts: Facts) -> str:
    session = facts.value(v.TLS_NEGOTIATED)
    if session is not None:
        parts = [session.version, session.suite, session.group, session.scheme]
    else:
        parts = ["none" if facts.value(v.TLS_MODE) == "none" else None, facts.value(v.TLS_FAILURE) or None]
    return ", ".join(p for p in parts if p)


def _certificate(facts: Facts) -> str:
    end, trusted, matches = (
        facts.value(v.CERTIFICATE_NOT_AFTER),
        facts.value(v.CERTIFICATE_TRUSTED),
        facts.value(v.CERTIFICATE_MATCHES_NAME),
    )
    reason = facts.value(v.CERTIFICATE_DISTRUSTED_BECAUSE)
    parts = []
    if end is not None:
        parts.append(f"valid until {end.date().isoformat()}")
    if trusted is not None:
        parts.append("trusted" if trusted else f"not trusted ({reason})" if reason else "not trusted")
    if matches is not None:
        parts.append("for this name" if matches else "for another name")
    return ", ".join(parts)


def _sign_in(facts: Facts) -> str:
    under_tls = [_listed(facts, key) for key in (v.AUTH_MECHANISMS, v.AUTH_SCHEMES)]
    parts = [text for text in under_tls if text]
    before = _listed(facts, v.AUTH_MECHANISMS_PLAIN)
    if before:
        parts.append(f"before TLS: {before}")
    if facts.value(v.ENDPOINT_SERVICE) == Service.EWS and (tokens := facts.value(v.MODERN_AUTH_OFFERED)) is not None:
        named = facts.value(v.MODERN_AUTH_AUTHORITY)
        parts.append(f"tokens (OAuth){f' of {named}' if named else ''}" if tokens else "no tokens (OAuth)")
    return "; ".join(parts)


def write_all_facts(page: Page, known: Known, subject: str) -> None:
    facts = [fact for fact in known.facts_of(subject) if fact["key"] not in IN_TABLE]
    column = max((len(f["key"]) for f in facts), default=0) + 2
    for fact in facts:
        page.say(
            bounded(value_in_words(fact["value"]), VALUE_LIMIT) + provenance(fact), indent=2, label=fact["key"], column=column, cut=True
        )
    write_tls_table(page, known.of.get(subject, Facts(subject)))


def write_gaps(page: Page, known: Known, subject: str) -> None:
    """What a check left unknown of an endpoint: one paragraph for each reason, with some of the keys. Conflicts are listed one by one.

    What was not allowed is listed once, at the end of the report.
    """
    reasons: dict[tuple[Why, str], list[Missing]] = {}
    for gap in known.gaps_of(subject):
        if gap.why is not Why.NOT_APPLICABLE and not was_left_out(gap) and not gap.detail.endswith(NOT_ALLOWED):
            reasons.setdefault((gap.why, gap.detail if gap.claims else ""), []).append(gap)
    for (why, _), gaps in reasons.items():
        details = {gap.detail for gap in gaps}
        words = gap_in_words({"why": why, "detail": details.pop() if len(details) == 1 else ""})
        page.say(f"{words}: {some_of([gap.key.name for gap in gaps])}", indent=2, label="Unknown", column=13, cut=True)


def write_all_gaps(page: Page, known: Known, subject: str) -> None:
    """Everything that is not known of an endpoint: one paragraph for each reason, or for each detail where details say more."""
    reasons: dict[tuple[Why, str], list[Missing]] = {}
    for gap in known.gaps_of(subject):
        reasons.setdefault((gap.why, "" if gap.why in CONVERSATION_FAILURES else gap.detail), []).append(gap)
    for (why, _), gaps in reasons.items():
        detail = Counter(gap.detail for gap in gaps).most_common(1)[0][0]  # the commonest names the root
        words = gap_in_words({"why": why, "detail": detail})
        page.say(f"{words}: {', '.join(gap.key.name for gap in gaps)}", indent=2, label="Unknown", column=13, cut=True)


def write_failed_attempts(page: Page, known: Known, subject: str) -> None:
    """Attempts that did not complete, equal ones in one line; attempts that were not scheduled only where no gap has given the reason."""
    said = {gap.detail for gap in known.gaps_of(subject)}
    alike: dict[tuple[str, str, str, str | None], list[str]] = {}
    for attempt in known.attempts.get(subject, []):
        told = attempt["outcome"] == Outcome.NOT_SCHEDULED and (attempt["detail"] in said or attempt["detail"].endswith(NOT_ALLOWED))
        if attempt["outcome"] != Outcome.COMPLETED and not told:
            group = alike.setdefault((attempt["prober"], attempt["outcome"], attempt["detail"], attempt["address"]), [])
            group.extend(filter(None, [attempt["mailbox"]]))
    for (prober, outcome, detail, address), mailboxes in alike.items():
        at = f" at {address}" if address else ""
        whom = f" for {some_of(mailboxes)}" if mailboxes else ""
        words = f"{prober}{at}{whom} {spaced(outcome)}" + (f": {bounded(detail, CITED_LIMIT)}" if detail else "")
        page.say(words, indent=2, label="Attempt", column=13, style=DOUBTFUL, cut=True)
