"""The words in which every report of the gate tells its answer: one cause for each direction, and the numbers of what Test & Enable will do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from probe.document.index import JsonObject
from probe.document.telling.known import Known
from probe.document.telling.signing_in import signed_in_ago
from probe.document.telling.words import bounded, count, endpoints_of, reason_in_words, value_in_words
from probe.gate.answering import GateAnswer, Predicted
from probe.model.facts import Why
from probe.model.rules import Direction
from probe.tables.alerts import dynamics_alerts

WORDS = {GateAnswer.GO: "GO", GateAnswer.NO_GO: "NO-GO", GateAnswer.CANNOT_TELL: "CANNOT TELL"}
MOST_CAUSES = 4
"""Of one alert: a code stands for as many as ten."""
MOST_SEEN = 100
"""Letters of a value that was seen: an excerpt must fit a glance."""

NOT_TO_BE_SEEN = (
    "What nobody outside can see, and may still fail it: a plug-in or workflow that aborts, a mailbox owner without privileges, an asynchronous "
    "service that does not run, another organization that has claimed the Exchange mailbox."
)


def ways_of(form: JsonObject) -> Iterator[tuple[list[str], Predicted, str | None]]:
    """The directions that are used, those of one prediction and one cause together."""
    causes = {reason["direction"]: reason["rule"] for reason in form["reasons"]}
    alike: dict[tuple[str, str | None], list[str]] = {}
    for direction in Direction:
        how = form["predicted"][direction]
        if how is not None:
            alike.setdefault((how, causes.get(direction)), []).append(str(direction))
    for (how, rule), directions in alike.items():
        yield directions, Predicted(how), rule


def found_ago(group: Sequence[JsonObject], directions: Collection[str], how: Predicted, known: Known) -> str:
    """How long ago the sign-ins were that the prediction of some directions rests on; empty where they are of the run. `group` are mailboxes told together."""
    addresses = [form["mailbox"] for form in group]
    incoming, outgoing = known.ways(addresses[0])
    # Appointments go through the incoming endpoint.
    urls = {outgoing if direction == Direction.OUTGOING else incoming for direction in directions}
    did = {Predicted.SUCCESS: "signed in", Predicted.FAILURE: "found"}.get(how, "tried")
    return signed_in_ago(addresses, [url for url in urls if url], known, did)


class PredictedCause(NamedTuple):
    """Why something is predicted of directions, as what follows them in a sentence: a value that was seen, between words."""

    head: str
    seen: JsonObject | None
    """The reading whose value stands between."""
    tail: str


def told_of(how: Predicted, finding: JsonObject | None, before: str) -> str:
    """What follows the directions in a sentence: why this is predicted of them, and how long ago that was found where it was before the run."""
    head, seen, tail = cause_told(how, finding, before)
    return head + ("" if seen is None else bounded(value_in_words(seen["value"]), MOST_SEEN)) + tail


def cause_told(how: Predicted, finding: JsonObject | None, before: str) -> PredictedCause:
    """The same, with the value that was seen apart."""
    ago = f"; {before}" if before else ""
    if how is Predicted.SUCCESS:
        return PredictedCause(f": {before}" if before else "", None, "")
    if finding is None:
        return PredictedCause(": nothing that was seen is against it, and nobody signed in", None, ago)
    if how is Predicted.UNKNOWN and (gaps := gaps_of(finding)):
        because = reason_in_words(Why(gaps[0]["why"]), [gaps[0]["subject"]], gaps[0]["detail"])
        return PredictedCause(f": {because} ({finding['rule']})", None, ago)
    head = f": {'' if how is Predicted.FAILURE else 'not known: '}{finding['title']} ({finding['rule']})"
    seen = _seen(finding)
    if seen is not None:
        return PredictedCause(f"{head}; {seen['key']} = ", seen, f" at {seen['subject']}{ago}")
    return PredictedCause("; ".join((head, *endpoints_of(finding)[:1])), None, ago)


def _seen(finding: JsonObject) -> JsonObject | None:
    """The reading that says most: the last value of an endpoint that is no matter of what the estate declares."""
    values = [
        cited for cited in finding["because"] if "value" in cited and "://" in cited["subject"] and not cited["key"].startswith("endpoint.")
    ]
    return values[-1] if values else None


def gaps_of(finding: JsonObject) -> list[JsonObject]:
    """What endpoints left open of a finding."""
    return [cited for cited in finding["because"] if "why" in cited and "://" in cited["subject"]]


def alert_like(rule: str) -> str | None:
    """What Dynamics shows for such a cause, where that is known."""
    return next((alert.example for alert in dynamics_alerts() if rule in alert.rules), None)


def place_in_words(dynamics: JsonObject) -> str:
    """What follows the name of the machine that probed: how it stands to those of the asynchronous service."""
    match dynamics["probed_from_there"]:
        case True:
            return ", a machine of the asynchronous service"
        case False:
            return f", which is none of the machines that Dynamics names for its asynchronous service ({', '.join(dynamics['machines'])})"
    return ""


def numbers_of(group: Sequence[JsonObject], *, is_read: bool) -> Iterator[str]:
    """What Test & Enable will do, of several mailboxes together."""
    form, will = group[0], group[0]["will"]
    each = "" if len(group) == 1 else " each"
    yield f"sends a test mail from the mailbox to itself{each}" if will["sends_test_mail"] else "sends no test mail"
    waiting = [one["will"]["pending_send"] for one in group]
    oldest = min((one["will"]["oldest_pending"] for one in group if one["will"]["oldest_pending"]), default=None)
    if None in waiting:
        yield "how many mails wait to be sent is not known"
    elif number := sum(waiting):
        since = f", the oldest of {oldest.partition('T')[0]}" if oldest else ""
        yield f"{count(number, 'mail that waits is', 'mails that wait are')} sent once enabled{since}"
    else:
        yield "no mail waits to be sent"
    if will["backlog_since"] is not None:
        yield _pulled_in([one["will"]["backlog"] for one in group], will["backlog_since"].partition("T")[0])
    if form["predicted"][Direction.APPOINTMENTS] is None:
        return
    if will["primary_organization"] == "this":
        yield "this organization is the one that synchronizes appointments"
    elif will["primary_organization"] == "other":
        yield "another organization is the one that synchronizes appointments, and stops where this one takes them over"
    elif is_read:
        yield "this organization becomes the one that synchronizes appointments"
    else:
        yield "which organization synchronizes appointments is not known"


def _pulled_in(counts: Sequence[int | None], since: str) -> str:
    """How much mail that has come already is pulled in, of several mailboxes together."""
    if None in counts:
        return f"mail received since {since} is pulled in; how much that is was not counted"
    number = sum(filter(None, counts))
    if not number:
        return f"no mail received since {since} is in the inbox"
    return f"{count(number, 'message', 'messages')} received since {since} {'is' if number == 1 else 'are'} pulled in"
