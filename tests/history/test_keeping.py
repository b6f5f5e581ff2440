"""What is dropped: what is old, what is too much, and what somebody asks to have erased."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from probe.history import History, HistoryChange, Sighting, judgement, keeping, open_history, sighting
from probe.memory.folder import Folder
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.estate import HistoryLimits, Secret
from probe.model.rules import Readiness, Support
from tests.history.looks import START, attempt, look, minutes, product
from tests.history.rows import rows_of
from tests.runs import EWS, a_checked_run, a_fact, a_run, an_assessment

DAY = 24 * 60
LIMITS = HistoryLimits()


async def alternate(history: History, number: int, every: float = DAY) -> None:
    """A server that is another each time that it is looked at."""
    for n in range(number):
        await history.record([look(n * every, *product(f"Server {n}"))])


async def test_what_has_ended_long_ago_is_dropped(place: Folder | Secret) -> None:
    """Intervals that ended before the time that is kept are gone; what lasts stays, however old it is."""
    async with open_history(place, "contoso") as history:
        await alternate(history, 10)
        await history.sweep(replace(LIMITS, keep=4), minutes(9 * DAY))
        kept = [one for one in await history.intervals() if one.key == "server.product"]
        assert [one.form["value"] for one in kept] == [f"Server {n}" for n in range(5, 10)]
        assert next(one for one in await history.intervals() if one.key == "protocol.greeting").first_seen == START
        (*_, oldest) = await history.changes()
        assert (oldest.before, oldest.last_seen, oldest.after["value"]) == (None, None, "Server 5")


async def test_what_was_not_seen_for_all_that_time_is_dropped_as_a_whole(place: Folder | Secret) -> None:
    """Of a server that is in no estate any more nothing is left after the time that is kept."""
    async with open_history(place, "contoso") as history:
        await alternate(history, 2)
        await history.sweep(replace(LIMITS, keep=30), minutes(40 * DAY))
        assert {name: count for name, count in (await rows_of(history)).items() if count} == {"deployment": 1}


async def test_what_ended_first_goes_where_the_whole_is_too_large(place: Folder | Secret) -> None:
    """Above its greatest size the history loses what ended first, and nothing that lasts."""
    async with open_history(place, "contoso") as history:
        await alternate(history, 200, every=5)
        limits = replace(LIMITS, max_size=60_000)
        dropped = await history.sweep(limits, minutes(DAY))
        assert dropped.intervals > 0
        assert dropped.is_for_size
        kept = [one for one in await history.intervals() if one.key == "server.product"]
        assert kept[-1].form["value"] == "Server 199"
        assert [one.form["value"] for one in kept] == [f"Server {n}" for n in range(200 - len(kept), 200)]
        assert not (await history.sweep(limits, minutes(DAY))).intervals


async def test_whole_runs_go_before_what_intervals_tell(place: Folder | Secret) -> None:
    """Where whole runs make it too large, the oldest of them go, and no interval does."""
    async with open_history(place, "contoso") as history:
        await alternate(history, 20, every=5)
        before = len(await history.intervals())
        run = a_checked_run()
        for number in range(30):
            finished = minutes(DAY) + timedelta(minutes=number)
            await history.record_run(replace(run, id=f"run-{number}", started=finished, finished=finished, interrupted=True))
        size_of = await history.storage.read(lambda connection: keeping.size(connection, 1))
        dropped = await history.sweep(replace(LIMITS, max_size=size_of - 5000), minutes(2 * DAY))
        assert 0 < dropped.runs < 30
        assert (dropped.intervals, dropped.is_for_size) == (0, True)
        assert len(await history.intervals()) == before
        kept = [number for number in range(30) if await history.document(f"run-{number}") is not None]
        assert kept == list(range(30 - len(kept), 30))


async def test_one_that_says_much_costs_the_others_no_more_than_it_must(place: Folder | Secret) -> None:
    """Where long words make the whole too large, as many intervals go as that takes, and no more."""
    async with open_history(place, "contoso") as history:
        await alternate(history, 100, every=5)
        for n in range(20):
            await history.record([look(DAY + n, *product(f"{n}" * 4000), subject="pop3s://evil.test:995")])
        dropped = await history.sweep(replace(LIMITS, max_size=120_000), minutes(2 * DAY))
        assert 99 <= dropped.intervals < 119
        assert len([one for one in await history.intervals() if one.key == "server.product"]) == 120 - dropped.intervals


async def test_transcripts_become_fewer_with_age(place: Folder | Secret) -> None:
    """Of an hour in which a server failed and came back, each change has its words for two weeks, then the first of each day, then of each month."""
    async with open_history(place, "contoso") as history:
        for day in (0, 1):
            for n in range(6):
                outcome = Outcome.COMPLETED if n % 2 else Outcome.CLOSED
                await history.record([look(day * DAY + n, *product(), outcome=outcome)])
        pop = look(0).subject
        assert len(await history.transcripts(pop)) == 12
        assert (await history.transcripts(pop))[0].lines == [{"line": 1, "from": "peer", "text": "+OK Dovecot ready."}]
        for age, left in ((13, 12), (20, 2), (100, 1)):
            await history.sweep(LIMITS, minutes(age * DAY))
            assert len(await history.transcripts(pop)) == left


async def test_words_and_whole_runs_are_read_page_by_page(place: Folder | Secret) -> None:
    """The newest first, each once, those of one moment too; also after one that was dropped meanwhile."""
    async with open_history(place, "contoso") as history:
        for n in range(4):
            await history.record([look(n, *product(), outcome=Outcome.COMPLETED if n % 2 else Outcome.CLOSED)])
            await history.record_run(replace(a_run(), id=f"run-{n}", finished=minutes(n // 2)))
        words, runs = await history.transcripts(look(0).subject), await history.runs(20)
        assert [one.at for one in words] == [minutes(n) for n in (3, 2, 1, 0)]
        assert [(one.run, one.finished) for one in runs] == [(f"run-{n}", minutes(n // 2)) for n in (3, 2, 1, 0)]
        for kept, read in ((words, partial(history.transcripts, look(0).subject)), (runs, history.runs)):
            assert [one for number in range(4) for one in await read(1, None if number == 0 else kept[number - 1].place)] == [*kept]
            assert await read(9, kept[-1].place) == ()
        await history.record_run(replace(a_run(), id="run-2", finished=minutes(9)))
        assert await history.runs(9, runs[1].place) == runs[2:]


async def test_a_look_that_finds_nothing_new_keeps_no_words(place: Folder | Secret) -> None:
    """Words are kept of the first look that failed and of those in which something changed."""
    async with open_history(place, "contoso") as history:
        for n in range(5):
            await history.record([look(n, *product())])
        assert await history.transcripts(look(0).subject) == ()


async def test_latencies_are_drawn_together(place: Folder | Secret) -> None:
    """Each hour has the minimum, median and maximum of its looks for two weeks, each day for as long as the history is kept."""
    async with open_history(place, "contoso") as history:
        for n, milliseconds in enumerate([10, 20, 90, 30, 1000]):
            await history.record([look(n * 20, *product(), seconds=milliseconds / 1000)])
        await history.sweep(LIMITS, minutes(100))
        await history.record([look(110, *product(), seconds=0.5)])
        await history.sweep(LIMITS, minutes(120))
        hours = await history.latencies(look(0).subject, START)
        assert [(at, is_hour, one.looks, one.minimum, one.median, one.maximum) for at, is_hour, one in hours] == [
            (minutes(0), True, 3, 10, 20, 90),
            (minutes(60), True, 3, 30, 500, 1000),
        ]
        await history.sweep(LIMITS, minutes(16 * DAY))
        ((at, is_hour, day),) = await history.latencies(look(0).subject, START)
        assert (at, is_hour, day.looks, day.minimum, day.median, day.maximum) == (minutes(0), False, 6, 10, 60, 1000)


async def test_whole_runs_are_kept_for_ninety_days(place: Folder | Secret) -> None:
    """A run that somebody asked for can be had for ninety days."""
    run = a_checked_run()
    async with open_history(place, "contoso") as history:
        await history.record_run(run)
        await history.sweep(LIMITS, run.finished + timedelta(days=89))
        assert await history.document(run.id) is not None
        await history.sweep(LIMITS, run.finished + timedelta(days=91))
        assert await history.document(run.id) is None


def of_a_person(address: str) -> list[Sighting]:
    """What is known of a mailbox: its account at an endpoint, a verdict, and its name in a request of everybody's."""
    asked = a_fact(v.EWS_ASKED_FOR, address, EWS)
    accepted = replace(a_fact(v.AUTH_ACCEPTED, True, EWS), mailbox=address)
    held = replace(attempt(minutes(0), Outcome.DENIED, [f"401 for {address}"], EWS), mailbox=address)
    return [
        sighting(EWS, None, minutes(0), [asked], [attempt(minutes(0), Outcome.CLOSED, [f"X-User-Identity: {address}"], EWS)]),
        sighting(EWS, address, minutes(0), [accepted], [held]),
        judgement(an_assessment(address, Support.SUPPORTED, Readiness.READY), minutes(0)),
    ]


async def test_one_person_can_be_erased(place: Folder | Secret) -> None:
    """After an address was erased no row, transcript or run of the deployment names it; others are left as they are."""
    async with open_history(place, "contoso") as history:
        await history.record_run(a_checked_run())
        await history.record(of_a_person("jana@contoso.test"))
        await history.record([judgement(an_assessment("jana@contoso.test.example", Support.SUPPORTED, Readiness.READY), minutes(0))])
        dropped = await history.erase("Jana@Contoso.test")
        assert (dropped.intervals, dropped.transcripts, dropped.runs) == (3, 2, 0)
        told = str(await history.intervals()) + str(await history.transcripts(EWS))
        assert "jana@contoso.test'" not in told
        assert "(erased)" in told
        assert {one.subject for one in await history.intervals("jana@contoso.test.example")} == {"jana@contoso.test.example"}
        assert (await history.erase("info@contoso.test")).runs == 1
        assert await history.intervals("info@contoso.test") == ()
        assert await history.intervals("team@contoso.test") != ()


async def test_an_address_of_any_script_can_be_erased(place: Folder | Secret) -> None:
    """Capital letters are no others, be they of English or not."""
    async with open_history(place, "contoso") as history:
        await history.record(of_a_person("Jörg@contoso.test"))
        assert await history.knows("Jörg@contoso.test")
        assert (await history.erase("JÖRG@contoso.test")).intervals == 3
        assert "rg@contoso.test" not in str(await history.intervals()) + str(await history.transcripts(EWS))


async def test_what_is_erased_is_gone_from_the_files(tmp_path: Path) -> None:
    """The bytes of the database, and of what SQLite keeps beside it, no longer hold the address."""
    async with open_history(Folder(tmp_path / "state"), "contoso") as history:
        await history.record(of_a_person("jana@contoso.test"))
        assert any(b"jana@" in file.read_bytes() for file in (tmp_path / "state").iterdir())
        await history.erase("jana@contoso.test")
        assert not any(b"jana@" in file.read_bytes() for file in (tmp_path / "state").iterdir())


async def test_a_deployment_can_be_given_another_name(place: Folder | Secret) -> None:
    """What is kept follows the new name; a name that has a history of its own is not taken over."""
    async with open_history(place, "contoso") as history:
        await history.record([look(0, *product())])
        assert await history.rename("contoso", "fabrikam")
        assert not await history.rename("contoso", "fabrikam")
    async with open_history(place, "fabrikam") as history:
        assert await history.knows(look(0).subject.upper())
        assert not await history.knows("pop3://other.test:110")


async def test_a_page_of_changes_follows_one_that_is_dropped(place: Folder | Secret) -> None:
    """What changed before it and lasts is told, though the change at which the page before ended is kept no longer."""
    async with open_history(place, "contoso") as history:
        for number, name in ((0, "Old"), (2, "New")):
            await history.record([look(number * DAY, *product(name), subject=EWS)])
        await alternate(history, 20)
        await history.record([look(19 * DAY, *product("New"), subject=EWS)])
        first = await history.changes(limit=12)
        (lasting,) = await history.changes(about=EWS)
        await history.sweep(replace(LIMITS, keep=4), minutes(19 * DAY))
        kept = await history.changes()
        assert first[-1].place not in {change.place for change in kept}
        rest = await history.changes(after=first[-1].place)
        assert [(change.place, change.after) for change in rest] == [(lasting.place, lasting.after)]


@pytest.mark.parametrize("number", [1, 7])
async def test_changes_are_told_page_by_page(place: Folder | Secret, number: int) -> None:
    """A page follows the last that is known already, and no change is told twice or left out."""
    async with open_history(place, "contoso") as history:
        await alternate(history, 20)
        whole = await history.changes()
        assert [change.after["value"] for change in whole] == [f"Server {n}" for n in range(19, 0, -1)]
        pages: list[HistoryChange] = []
        last = None
        while page := await history.changes(after=last, limit=number):
            pages += page
            last = page[-1].place
        assert tuple(pages) == whole
        assert len(await history.changes(since=minutes(15 * DAY))) == 5
        assert await history.changes(about="pop3://other.test:110") == ()
