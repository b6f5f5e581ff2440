"""How intervals begin, go on and end."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from probe.history import History, Interval, judgement, open_history, repeated
from probe.history.storage import DATABASE
from probe.memory.folder import Folder
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.estate import Secret
from probe.model.facts import Why
from probe.model.kinds import Build
from probe.model.provenance import Observed
from probe.model.rules import Readiness, Result, SignedIn, Support
from tests.history.looks import look, minutes, product, unanswered, undisclosed
from tests.history.rows import rows_of
from tests.runs import EWS, OLD_PRODUCT, POP, REACHED, SECRET_PLACES, TLS_WORKS, TOO_OLD, a_checked_run, a_fact, a_finding, an_assessment

KEYS = (v.PROTOCOL_GREETING, v.SERVER_PRODUCT)


async def told(history: History, key: str) -> list[tuple[str, float, float, bool]]:
    """The intervals of a key: value or reason, first and last minute, and whether it lasts."""
    return [
        (str(one.form.get("value", one.form.get("why"))), _minute(one, "first"), _minute(one, "last"), one.is_open)
        for one in await history.intervals(POP)
        if one.key == key
    ]


def _minute(one: Interval, which: str) -> float:
    return ((one.first_seen if which == "first" else one.last_seen) - minutes(0)).total_seconds() / 60


async def test_a_look_that_finds_nothing_new_inserts_nothing(place: Folder | Secret) -> None:
    """A hundred equal looks leave the rows of one, which was last seen at the last of them."""
    async with open_history(place, "contoso") as history:
        await history.record([look(0, *product())])
        before = await rows_of(history)
        for n in range(1, 100):
            assert await history.record([look(5 * n, *product())]) == ()
        assert await rows_of(history) == before
        assert await told(history, "server.product") == [("Dovecot", 0, 495, True)]


async def test_a_batch_in_which_nothing_is_new_inserts_nothing(place: Folder | Secret) -> None:
    """Many subjects at once are as many rows that are updated."""
    subjects = [f"pop3s://mail{n}.test:995" for n in range(20)]
    async with open_history(place, "contoso") as history:
        await history.record([look(0, *product(), subject=subject) for subject in subjects])
        before = await rows_of(history)
        assert await history.record([look(5, *product(), subject=subject) for subject in subjects]) == ()
        assert await rows_of(history) == before
        assert {one.last_seen for one in await history.intervals()} == {minutes(5)}


async def test_what_changed_in_a_batch_is_written_beside_what_did_not(place: Folder | Secret) -> None:
    """One change among many looks is one change."""
    subjects = [f"pop3s://mail{n}.test:995" for n in range(20)]
    async with open_history(place, "contoso") as history:
        await history.record([look(0, *product(), subject=subject) for subject in subjects])
        changes = await history.record(
            [look(5, *product("Cyrus IMAP" if subject == subjects[7] else "Dovecot"), subject=subject) for subject in subjects]
        )
        assert [(change.subject, change.key) for change in changes] == [(subjects[7], "server.product")]
        assert {one.last_seen for one in await history.intervals(open_only=True)} == {minutes(5)}


async def test_noise_continues_an_interval(place: Folder | Secret) -> None:
    """A greeting with an id of the session is one interval, with the words of its first look."""
    async with open_history(place, "contoso") as history:
        for n in range(5):
            assert await history.record([look(n, *product(greeting=f"+OK Dovecot ready <{n}>"))]) == ()
        assert await told(history, "protocol.greeting") == [("+OK Dovecot ready <0>", 0, 4, True)]


async def test_a_change_ends_one_interval_and_begins_another(place: Folder | Secret) -> None:
    """A change is told with what was before, when that was seen last, and the words off the wire of both."""
    async with open_history(place, "contoso") as history:
        await history.record([look(0, *product())])
        await history.record([look(5, *product())])
        (change,) = await history.record([look(10, *product("Cyrus IMAP", "+OK Cyrus POP3 ready"))])
        assert (change.key, change.subject, change.at, change.last_seen) == ("server.product", POP, minutes(10), minutes(5))
        assert change.before is not None
        assert (change.before["value"], change.before["words"]) == ("Dovecot", ["+OK Dovecot ready."])
        assert (change.after["value"], change.after["words"]) == ("Cyrus IMAP", ["+OK Cyrus POP3 ready"])
        assert change.is_drift
        assert await told(history, "server.product") == [("Dovecot", 0, 5, False), ("Cyrus IMAP", 10, 10, True)]


async def test_a_server_that_does_not_answer_ends_nothing_but_its_attempt(place: Folder | Secret) -> None:
    """While a server is down its product was last seen before; once it answers again, the interval goes on."""
    async with open_history(place, "contoso") as history:
        await history.record([look(0, *product())])
        (down,) = await history.record([unanswered(5, *KEYS)])
        assert (down.key, down.after["value"]) == ("attempt:pop3-capabilities", "timed-out")
        before = await rows_of(history)
        assert await history.record([unanswered(10, *KEYS)]) == ()
        assert await rows_of(history) == before
        assert await told(history, "server.product") == [("Dovecot", 0, 0, True)]
        (up,) = await history.record([look(15, *product())])
        assert (up.key, up.after["value"], up.last_seen) == ("attempt:pop3-capabilities", "completed", minutes(10))
        assert await told(history, "server.product") == [("Dovecot", 0, 15, True)]


async def test_what_changed_while_a_server_was_down_is_told_once_it_answers(place: Folder | Secret) -> None:
    """The product before was last seen before the server went down."""
    async with open_history(place, "contoso") as history:
        await history.record([look(0, *product())])
        await history.record([unanswered(5, *KEYS)])
        changes = await history.record([look(10, *product("Cyrus IMAP"))])
        assert {(change.key, change.last_seen) for change in changes} == {
            ("server.product", minutes(0)),
            ("attempt:pop3-capabilities", minutes(5)),
        }


async def test_what_was_never_known_is_a_gap_until_it_is(place: Folder | Secret) -> None:
    """A server that is down from the first has gaps; that it answers is told as such, and what it then says is no drift."""
    async with open_history(place, "contoso") as history:
        await history.record([unanswered(0, *KEYS)])
        assert await told(history, "server.product") == [("timed-out", 0, 0, True)]
        changes = await history.record([look(5, *product())])
        assert {change.key for change in changes if change.is_drift} == {"attempt:pop3-capabilities"}
        assert await told(history, "server.product") == [("timed-out", 0, 0, False), ("Dovecot", 5, 5, True)]


async def test_what_a_server_no_longer_says_is_a_change(place: Folder | Secret) -> None:
    """A version that is hidden from some day on is missing from that day on."""
    async with open_history(place, "contoso") as history:
        await history.record([look(0, *product(), a_fact(v.SERVER_VERSION, "2.4"))])
        (change,) = await history.record([look(5, *product(), undisclosed(v.SERVER_VERSION, 5))])
        assert (change.key, change.after["why"], change.is_drift) == ("server.version", "not-disclosed", True)


async def test_an_inference_that_concludes_nothing_for_want_of_an_answer_ends_nothing(place: Folder | Secret) -> None:
    """An inferred gap beside an attempt that failed is no news of the server."""
    gap = undisclosed(v.SERVER_PRODUCT, 5)
    async with open_history(place, "contoso") as history:
        await history.record([look(0, *product())])
        inferred = type(gap)(subject=gap.subject, key=gap.key, why=gap.why, detail=gap.detail)
        changes = await history.record([look(5, inferred, outcome=Outcome.TIMED_OUT)])
        assert {change.key for change in changes} == {"attempt:pop3-capabilities"}


async def test_a_look_that_asks_less_ends_nothing(place: Folder | Secret) -> None:
    """What a full posture found stays as it was while quick looks say nothing of it."""
    versions = a_fact(v.TLS_VERSIONS, ("TLSv1.2", "TLSv1.3"), provenance=Observed())
    async with open_history(place, "contoso") as history:
        await history.record([look(0, *product(), versions)])
        for n in range(1, 5):
            assert await history.record([look(n, *product())]) == ()
        assert await told(history, "tls.versions") == [("['TLSv1.2', 'TLSv1.3']", 0, 0, True)]
        assert await history.record([look(5, *product(), versions)]) == ()
        assert await told(history, "tls.versions") == [("['TLSv1.2', 'TLSv1.3']", 0, 5, True)]


async def test_a_build_that_shows_longer_is_the_same_build(place: Folder | Secret) -> None:
    """Three numbers and four that begin with them are no change; the longer is kept, and another build is a change."""

    def shown(*parts: int) -> object:
        return a_fact(v.SERVER_BUILD, Build(parts), POP, Observed())

    async with open_history(place, "contoso") as history:
        for at, parts in enumerate([(15, 1, 2507), (15, 1, 2507, 57), (15, 1, 2507)]):
            assert await history.record([look(at, shown(*parts))]) == ()  # type: ignore[arg-type]
        assert await told(history, "server.build") == [("15.1.2507.57", 0, 2, True)]
        (change,) = await history.record([look(9, shown(15, 1, 2507, 61))])  # type: ignore[arg-type]
        assert change.is_drift


async def test_a_clock_that_is_set_back_does_not_turn_the_order_around(place: Folder | Secret) -> None:
    """What is found after the clock was set back begins when the last was seen, never before."""
    async with open_history(place, "contoso") as history:
        await history.record([look(60, *product())])
        await history.record([look(10, *product())])
        (change,) = await history.record([look(15, *product("Cyrus IMAP"))])
        assert (change.last_seen, change.at) == (minutes(60), minutes(60))


async def test_deployments_do_not_see_each_other(place: Folder | Secret) -> None:
    """Two deployments in one database have a history each."""
    async with open_history(place, "contoso") as history:
        await history.record([look(0, *product())])
    async with open_history(place, "fabrikam") as history:
        assert await history.intervals() == ()
        assert await history.record([look(0, *product("Cyrus IMAP"))]) == ()
        assert not await history.changes()


async def test_a_run_is_kept_with_what_it_found(place: Folder | Secret) -> None:
    """A whole run is kept as its document; what it saw and thought are intervals, of an account as of a server."""
    run = a_checked_run()
    async with open_history(place, "contoso") as history:
        assert await history.record_run(run) == ()
        assert await history.record_run(run) == ()
        document = await history.document("run-1")
        assert document["schema"] == "probe.run/2"
        assert await history.document("run-2") is None
        kept = {(one.subject, one.mailbox, one.key) for one in await history.intervals()}
        assert (EWS, None, "server.build") in kept
        assert (EWS, "info@contoso.test", "auth.refusal") in kept
        assert ("info@contoso.test", None, "assessment") in kept
        assert {one.subject for one in await history.intervals("info@contoso.test")} == {EWS, "info@contoso.test"}


async def test_what_was_found_last_stays_last_though_the_clock_was_set_back(place: Folder | Secret) -> None:
    """Of findings that are written together the one that was found last is what is so, whatever time it has; what was found again in between counts no more."""
    async with open_history(place, "contoso") as history:
        await history.record([look(0, *product())])
        exim, again = look(70, *product("Exim")), look(20, *product())
        changes = await history.record([exim, repeated(exim, minutes(15), None), again])
        assert [change.after["value"] for change in sorted(changes, key=lambda one: one.id) if change.key == "server.product"] == [
            "Exim",
            "Dovecot",
        ]
        (now,) = [one for one in await history.intervals(POP, open_only=True) if one.key == "server.product"]
        assert now.form["value"] == "Dovecot"
        assert now.first_seen == minutes(70)


async def test_a_verdict_stands_since_it_was_reached(place: Folder | Secret) -> None:
    """Whatever else it rests on by then, and whoever signs in; another verdict stands since its own time, and so does one that comes back."""
    fails = [a_finding(rule, Result.FAILS, a_fact(v.SERVER_PRODUCT, "Dovecot")) for rule in (REACHED, TLS_WORKS)]
    bad, worse = (an_assessment("sales@branch.test", Support.SUPPORTED, Readiness.NOT_READY, *fails[:number]) for number in (1, 2))
    good = an_assessment("sales@branch.test", Support.SUPPORTED, Readiness.READY)
    stood: list[datetime | None] = []
    async with open_history(place, "contoso") as history:
        for at, one in enumerate((good, bad, worse, replace(worse, signed_in=SignedIn.REFUSED), good, bad)):
            await history.record([judgement(one, minutes(5 * at))])
            stood.append(await history.stands_since("SALES@branch.test"))
        assert await history.stands_since("other@branch.test") is None
    assert stood == [minutes(at) for at in (0, 5, 5, 5, 20, 25)]


async def test_a_verdict_that_changes_is_told_with_the_rules_that_fail(place: Folder | Secret) -> None:
    """Support that is lost names the rule, the fact that decided it, and the words off the wire."""
    async with open_history(place, "contoso") as history:
        good = an_assessment("info@contoso.test", Support.SUPPORTED, Readiness.READY, a_finding(TOO_OLD, Result.HOLDS))
        bad = an_assessment("info@contoso.test", Support.UNSUPPORTED, Readiness.READY, a_finding(TOO_OLD, Result.FAILS, OLD_PRODUCT))
        assert await history.record([judgement(good, minutes(0))]) == ()
        changes = {change.key: change for change in await history.record([judgement(bad, minutes(5))])}
        assert set(changes) == {"support", "failing"}
        assert changes["support"].before == {"value": "supported"}
        assert changes["support"].after["value"] == "unsupported"
        (because,) = changes["support"].after["because"]["exchange-2003-or-2007"]
        assert because["words"] == ["X-OWA-Version: 8.3.485.1"]


async def test_an_interrupted_run_changes_nothing(place: Folder | Secret) -> None:
    """What an interrupted run lacks is no news; its document is kept."""
    from dataclasses import replace

    run = a_checked_run()
    async with open_history(place, "contoso") as history:
        await history.record_run(run)
        before = await history.intervals()
        await history.record_run(replace(run, id="run-2", interrupted=True, readings=(), assessments=()))
        assert await history.intervals() == before
        assert (await history.document("run-2"))["interrupted"] is True


@pytest.mark.parametrize("why", [why for why in Why if why not in (Why.NOT_DISCLOSED, Why.NOT_APPLICABLE, Why.CONFLICTING)])
async def test_a_gap_that_says_nothing_of_the_server_ends_nothing(why: Why, tmp_path: Path) -> None:
    """Whatever kept the question from being asked, what was known stays known."""
    async with open_history(Folder(tmp_path), "contoso") as history:
        await history.record([look(0, *product())])
        changes = await history.record([unanswered(5, *KEYS, why=why)])
        assert {change.key for change in changes} == {"attempt:pop3-capabilities"}


async def test_no_secret_and_no_place_of_one_is_written(tmp_path: Path) -> None:
    """Neither the rows nor the whole run hold a secret, or where one is kept."""
    async with open_history(Folder(tmp_path), "contoso") as history:
        await history.record_run(a_checked_run())
        document = json.dumps(await history.document("run-1"))
        await history.storage.checkpoint()
    for place in SECRET_PLACES:
        assert place not in document
        assert place.encode() not in (tmp_path / DATABASE).read_bytes()
