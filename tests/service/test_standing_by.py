"""Of several services of one deployment one watches. The others stand by, and the one that takes over goes on where that one was."""

from __future__ import annotations

import asyncio
import re
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack, closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from probe import app
from probe.alerts import AlertBook, Alerts
from probe.config import read_estate
from probe.history import History, HistoryUnavailable, open_history
from probe.history.schema import METADATA
from probe.memory import Folder
from probe.model import vocabulary as v
from probe.model.estate import Secret
from probe.model.named_address import NamedAddress
from probe.model.refusals import Refusal
from probe.model.rules import SignedIn
from probe.service.enabling import PageEnabling
from probe.service.looks import LookKey, Topic
from probe.service.view import View
from probe.simulation import pop3, smtp
from tests.alerts.peers import https_target
from tests.history.looks import look, product
from tests.servers.postgresql import PostgreSql
from tests.service.driven import START, Driven, driven, run_now
from tests.service.hooks import Wanted, serving, told_by, until
from tests.service.kept import texts_of_row
from tests.service.seen import SeenPop3, SeenSmtp, certificate, unlisted
from tests.service.seen import estate_text as estate_of_servers
from tests.service.world import down, estate_text, telling, url_of

HOUR = timedelta(hours=1)
TEXT = estate_text(4, 2)
NTLM = telling(v.AUTH_SCHEMES, ("NTLM",), "WWW-Authenticate: NTLM")
OTHER_KEY = telling(v.CERTIFICATE_KEY, "rsa-4096")


@pytest.fixture
def database(postgresql: PostgreSql) -> Secret:
    """A history that nobody has used, where several services may have it."""
    return Secret(postgresql.new_schema())


def first(folder: Path, database: Secret, text: str = TEXT) -> Driven:
    """A service of an estate, whose history others share."""
    service = driven(folder, text)
    return Driven(folder, service.estate, service.clock, service.world, database)


def another(folder: Path, before: Driven, database: Secret) -> Driven:
    """Another service of the same, with a state folder of its own."""
    return Driven(folder, before.estate, before.clock, before.world, database)


def about(service: Driven) -> list[str]:
    return [title.replace("contoso-crm: ", "").replace(".contoso.test:443/EWS/Exchange.asmx", "") for title in service.titles()]


async def kept_in(database: Secret) -> tuple[Any, ...]:
    """All that a history has."""
    async with open_history(database, "contoso-crm") as history:
        return await history.intervals(), await history.subjects(), await history.runs(10), await history.watched_as()


async def test_who_stands_by_begins_nothing_records_nothing_and_tells_nothing(tmp_path: Path, database: Secret) -> None:
    """For two days, with what it knew when it watched before: no reminder, no digest, no end ahead, no judgement of another day in the history, no look."""
    told_often = '[alerts]\nremind = "2h"\ndigest = "08:00"\n'
    service = first(tmp_path / "one", database, estate_text(2, 2, told_often))
    service.world.change(url_of(0), telling(v.CERTIFICATE_NOT_AFTER, START + timedelta(days=31)))
    service.clock.at(START + HOUR, lambda: service.world.change(url_of(1), down()))
    await service.run(START + 2 * HOUR)
    assert len(service.told) == 1
    before, held = await kept_in(database), service.world.held.total()
    service.world.restore(url_of(1))
    service = another(tmp_path / "one", service, database)
    await service.run(START + 50 * HOUR, stands_by=True)
    assert service.told == []
    assert service.world.held.total() == held
    assert await kept_in(database) == before


async def test_who_stands_by_is_not_late(tmp_path: Path) -> None:
    """What is due is done by the other: however long it stands by, nobody is told that it is behind its schedule."""
    service, probing = driven(tmp_path, TEXT), app.Probing(app.Options())
    async with service.begun(stands_by=True) as watcher:
        view = View(watcher, service.schedule, probing, PageEnabling(Folder(tmp_path), probing, service.clock))
        await service.clock.sleep(START + HOUR, asyncio.Event())
        assert service.schedule.lag(service.clock.now()) > HOUR / 2
        assert (view.lag(), view.standby().is_ready, view.standby().stands_by) == (timedelta(), False, True)


async def test_what_somebody_asks_of_who_stands_by_is_shown_and_not_recorded(tmp_path: Path, database: Secret) -> None:
    """It is looked at and judged for whoever asks; in the history and to recipients it is as it was."""
    service = first(tmp_path, database)
    await service.run(START + 2 * HOUR)
    before = await kept_in(database)
    service.world.change(url_of(0), NTLM)
    service = another(tmp_path, service, database)
    service.clock.until, service.clock.stop = START + 4 * HOUR, asyncio.Event()
    async with service.begun(stands_by=True) as watcher, asyncio.TaskGroup() as group:
        for _ in range(2):
            service.clock.works.append(lambda: watcher.look_now([LookKey(Topic.ENDPOINT, url_of(0))]))
        group.create_task(watcher.run(service.clock.stop))
    (schemes,) = [
        one for one in run_now(watcher).readings if one.key == v.AUTH_SCHEMES and one.subject == url_of(0) and one.mailbox is None
    ]
    assert getattr(schemes, "value", None) == ("NTLM",)
    assert service.told == []
    assert await kept_in(database) == before


async def test_who_takes_over_goes_on_as_after_a_restart(tmp_path: Path, database: Secret) -> None:
    """It knows every verdict and what lasts; of what was told it tells nothing; what changed while nobody watched, and what ends then, it tells once."""
    service = first(tmp_path / "one", database)
    service.clock.at(START + HOUR, lambda: service.world.change(url_of(0), down()))
    service.clock.at(START + 2 * HOUR, lambda: service.world.change(url_of(1), NTLM))
    await service.run(START + 20 * HOUR)
    assert about(service) == [
        f"[WARNING] {about_url(0)} refused the connection",
        f"[INFORMATION] {about_url(1)}: auth.schemes changed",
    ], about(service)
    verdicts = {one.mailbox: (one.support, one.readiness, one.signed_in) for one in run_now(service.watcher).assessments}
    assert SignedIn.YES in {signed_in for *_, signed_in in verdicts.values()}
    held = service.world.held.total()

    service.world.change(url_of(2), OTHER_KEY)
    other = another(tmp_path / "other", service, database)
    other.clock.until = other.clock.now()
    async with other.begun() as watcher:
        other.clock.stop.set()
        await watcher.run(other.clock.stop)
        other.clock.stop = asyncio.Event()
    assert {one.mailbox: (one.support, one.readiness, one.signed_in) for one in run_now(watcher).assessments} == verdicts
    assert (other.world.held.total(), other.told) == (held, [])
    other.clock.at(START + 22 * HOUR, lambda: other.world.restore(url_of(0)))
    await other.run(START + 24 * HOUR)
    assert about(other) == [
        f"[INFORMATION] {about_url(2)}: certificate.key changed",
        f"[RECOVERED] {about_url(0)} refused the connection",
    ], about(other)

    again = another(tmp_path / "one", other, database)
    await again.run(START + 28 * HOUR)
    assert again.told == []
    async with open_history(database, "contoso-crm") as history:
        changes = await history.changes(since=START + 20 * HOUR)
    assert {(change.subject, change.key) for change in changes if change.key == "certificate.key"} == {(url_of(2), "certificate.key")}


async def test_who_takes_over_signs_in_no_sooner_than_who_watched_would_have(tmp_path: Path, database: Secret) -> None:
    """Services with folders of their own take turns every twenty minutes: each canary is signed in to once an hour all the same, and no less."""
    service = first(tmp_path / "0", database)
    for turn in range(24):
        await service.run(START + (turn + 1) * timedelta(minutes=20))
        service = another(tmp_path / f"{turn % 3}", service, database)
    of_mailbox: dict[str | None, list[datetime]] = {}
    for at, _, _, mailbox in service.world.times:
        of_mailbox.setdefault(mailbox, []).append(at)
    canaries = [sorted({*times}) for times in of_mailbox.values()]
    assert len(canaries) == 4
    for times in canaries:
        apart = [later - earlier for earlier, later in pairwise(times)]
        assert min(apart) >= HOUR, apart
        assert max(apart) < 2 * HOUR, apart


def about_url(number: int) -> str:
    return url_of(number).replace(".contoso.test:443/EWS/Exchange.asmx", "")


async def test_who_stood_by_goes_on_with_what_happened_meanwhile(tmp_path: Path, database: Secret) -> None:
    """A service that watched, stood by while another did, and watches again, tells nothing of what that one told, and knows what is so."""
    service = first(tmp_path / "one", database)
    service.clock.at(START + HOUR, lambda: service.world.change(url_of(0), down()))
    await service.run(START + 2 * HOUR)
    other = another(tmp_path / "other", service, database)
    other.clock.at(START + 3 * HOUR, lambda: other.world.restore(url_of(0)))
    other.clock.at(START + 4 * HOUR, lambda: other.world.change(url_of(1), NTLM))
    other.clock.at(START + 5 * HOUR, lambda: other.world.change(url_of(2), down()))
    await other.run(START + 6 * HOUR)
    assert [title.partition("]")[0] for title in other.titles()] == ["[RECOVERED", "[INFORMATION", "[WARNING"]
    again = another(tmp_path / "one", other, database)
    again.clock.until, again.clock.stop = START + 9 * HOUR, asyncio.Event()
    async with again.begun(stands_by=True) as watcher, asyncio.TaskGroup() as group:
        again.clock.at(START + 7 * HOUR, lambda: again.clock.works.append(lambda: watcher.stand_by(False)))
        group.create_task(watcher.run(again.clock.stop))
    assert again.told == []
    assert not watcher.is_standing_by
    with AlertBook(Folder(tmp_path / "one"), None).opened() as page:
        assert [incident.condition.subject for incident in page.incidents()] == [url_of(2)]


class Killed(BaseException):
    """The process is gone."""


class Kill:
    """Kills a service at a step of its work: before or after it is done for so many times, counted from a time on."""

    def __init__(self, owner: type, name: str, number: int, *, is_done: bool) -> None:
        self.owner, self.name = owner, name
        self._work = getattr(owner, name)
        self._number = number
        self._is_done = is_done
        self._service: Driven
        self.told = f"{name} {number} {'after' if is_done else 'before'}"

    async def run(self, service: Driven, monkeypatch: pytest.MonkeyPatch) -> bool:
        """Run a service until it is killed; whether it was."""
        count, work = Counter[str](), self._work

        async def killed_there(*arguments: Any, **named: Any) -> Any:
            count[self.name] += service.clock.now() > START + HOUR
            is_now = count[self.name] == self._number and service.clock.now() > START + HOUR
            if is_now and not self._is_done:
                raise Killed
            done = await work(*arguments, **named)
            if is_now:
                raise Killed
            return done

        was_killed = False
        with monkeypatch.context() as patched:
            patched.setattr(self.owner, self.name, killed_there)
            try:
                await service.run(START + HOUR + timedelta(minutes=8))
            except* Killed:
                was_killed = True
        return was_killed


KILLS = [
    Kill(owner, name, number, is_done=is_done)
    for owner, name, numbers in ((History, "record", 2), (History, "hand_over", 5), (Alerts, "deliver", 2))
    for number in range(1, numbers + 1)
    for is_done in (False, True)
]


@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: kill.told)
async def test_wherever_a_service_is_killed_the_next_tells_each_change_once(
    kill: Kill, tmp_path: Path, database: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another goes on ten minutes later: it tells what nobody was told, and what may have been told with the same id and a mark."""
    service = first(tmp_path / "one", database, estate_text(2, 1))
    service.clock.at(START + HOUR, lambda: service.world.change(url_of(0), NTLM))
    service.clock.at(START + HOUR, lambda: service.world.change(url_of(1), down()))
    assert await kill.run(service, monkeypatch)
    other = another(tmp_path / "other", service, database)
    await other.run(START + 2 * HOUR)
    sent = [*service.sent, *other.sent]
    titles = {event: title.partition("test:443")[0] for event, title, _ in sent}
    assert sorted(titles.values()) == sorted(
        [f"[INFORMATION] contoso-crm: {url_of(0).partition('test:443')[0]}", f"[WARNING] contoso-crm: {url_of(1).partition('test:443')[0]}"]
    ), sent
    events = [event for event, _, _ in sent]
    assert all(is_marked for place, (event, _, is_marked) in enumerate(sent) if event in events[:place])


async def test_what_could_not_be_left_for_a_while_is_left_later(tmp_path: Path, database: Secret, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing can be left, what is wrong is told all the same; once it can be, all of it is, and whoever takes over tells nothing again."""
    service = first(tmp_path / "one", database)
    hand_over = History.hand_over

    async def hand_over_but_for_an_hour(history: History, *arguments: Any) -> None:
        if HOUR <= service.clock.now() - START < 2 * HOUR:
            raise HistoryUnavailable("the database is read-only")
        await hand_over(history, *arguments)

    monkeypatch.setattr(History, "hand_over", hand_over_but_for_an_hour)
    service.clock.at(START + HOUR, lambda: service.world.change(url_of(0), down()))
    service.clock.at(START + HOUR, lambda: service.world.change(url_of(1), NTLM))
    await service.run(START + 3 * HOUR)
    wrong, drift = service.told
    assert timedelta(0) < wrong[0] - START - HOUR < timedelta(minutes=10)
    assert timedelta(0) <= drift[0] - START - 2 * HOUR < timedelta(minutes=3)
    assert url_of(0) in wrong[1].title
    assert url_of(1) in drift[1].title
    other = another(tmp_path / "other", service, database)
    await other.run(START + 5 * HOUR)
    assert other.told == []


async def test_who_is_erased_is_in_nothing_that_is_left(tmp_path: Path, database: Secret) -> None:
    """A mailbox is in no row once it is erased: of the others all is known as before, and its account that is refused is watched no more, without a word of whose it was."""
    gone = NamedAddress("m0@p0.contoso.test")
    service = first(tmp_path / "one", database, estate_text(2, 2))
    for change in (telling(v.AUTH_ACCEPTED, False), telling(v.AUTH_REFUSAL, (Refusal.BAD_CREDENTIALS,), "401 Unauthorized")):
        service.world.change(gone.address, change)
    service.clock.at(START + 2 * HOUR, lambda: service.world.change(url_of(1), down()))
    await service.run(START + 3 * HOUR)
    assert about(service) == [f"[CRITICAL] {about_url(0)}: Credentials refused", f"[WARNING] {about_url(1)} refused the connection"]
    assert any(map(gone.is_in, await texts_in(database)))
    async with open_history(database, "contoso-crm") as history:
        await history.erase(gone.address)
    assert not [text for text in await texts_in(database) if gone.is_in(text)]
    without = re.sub(rf'\[\[mailbox\]\]\naddress = "{gone.address}"\n(?:.+\n)+', "", estate_text(2, 2))
    other = Driven(tmp_path / "other", read_estate(without, "estate.toml"), service.clock, service.world, database)
    await other.run(START + 4 * HOUR)
    assert about(other) == [f"[NO LONGER WATCHED] {about_url(0)}: Credentials refused"]
    assert not gone.is_in(str(other.told))
    with AlertBook(Folder(tmp_path / "other"), None).opened() as page:
        assert [incident.condition.subject for incident in page.incidents()] == [url_of(1)]


async def texts_in(database: Secret) -> list[str]:
    """Every value of every table."""

    def rows(connection: Connection) -> list[str]:
        return [text for table in METADATA.sorted_tables for row in connection.execute(select(table)) for text in texts_of_row(row)]

    async with open_history(database, "contoso-crm") as history:
        return await history.storage.read(rows)


@pytest.mark.parametrize(("until", "told"), [(1_000_000, []), (0, ["certificate.key changed"])])
async def test_what_an_earlier_version_told_of_a_history_is_known(until: int, told: list[str], tmp_path: Path) -> None:
    """Before the history said who watches, the alerts knew how far its changes were told without saying of which history: that counts, as far as it has them."""
    service = driven(tmp_path, estate_text(2, 1))
    change_each_hour(service, 1)
    await service.run(START + 2 * HOUR)
    with closing(sqlite3.connect(tmp_path / "alerts.sqlite", isolation_level=None)) as database:
        database.execute("UPDATE mark SET name = 'changes', event = ? WHERE name LIKE 'changes %'", (until,))
        database.execute("DELETE FROM told")
    with closing(sqlite3.connect(tmp_path / "history.sqlite", isolation_level=None)) as database:
        database.execute("DELETE FROM handover")
    service = Driven(tmp_path, service.estate, service.clock, service.world)
    await service.run(START + 3 * HOUR)
    assert [title.partition("Exchange.asmx: ")[2] for title in service.titles()] == told
    service = Driven(tmp_path, service.estate, service.clock, service.world)
    service.world.change(url_of(1), OTHER_KEY)
    await service.run(START + 4 * HOUR)
    assert [title.partition("Exchange.asmx: ")[2] for title in service.titles()] == ["certificate.key changed"]


def change_each_hour(service: Driven, hours: int) -> None:
    """The certificate of the first endpoint has another key each hour."""
    for hour in range(1, hours + 1):
        change = partial(service.world.change, url_of(0), telling(v.CERTIFICATE_KEY, f"rsa-{2048 + hour}"))
        service.clock.at(START + hour * HOUR, change)


def without_history(folder: Path) -> dict[str, bytes]:
    """Take the files of the history out of a folder; gives what they were."""
    files = list(folder.glob("history.sqlite*"))
    contents = {file.name: file.read_bytes() for file in files}
    for file in files:
        file.unlink()
    return contents


def put_back(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Put files of a history into a folder that has none."""
    for name, content in contents.items():
        (folder / name).touch(mode=0o600)
        (folder / name).write_bytes(content)


async def test_a_service_whose_history_goes_back_to_an_earlier_copy_tells_what_changes_then(tmp_path: Path) -> None:
    """The history was put back as it was hours before: what changes from then on is told, though it has numbers that were told before."""
    service = driven(tmp_path, estate_text(2, 1))
    await service.run(START + HOUR / 2)
    earlier = without_history(tmp_path)
    put_back(tmp_path, earlier)
    service = Driven(tmp_path, service.estate, service.clock, service.world)
    change_each_hour(service, 4)
    await service.run(START + 5 * HOUR)
    assert len(service.told) == 4
    without_history(tmp_path)
    put_back(tmp_path, earlier)
    service = Driven(tmp_path, service.estate, service.clock, service.world)
    service.clock.at(START + 6 * HOUR, lambda: service.world.change(url_of(1), NTLM))
    await service.run(START + 7 * HOUR)
    assert [title for title in service.titles() if url_of(1) in title] == [f"[INFORMATION] contoso-crm: {url_of(1)}: auth.schemes changed"]


async def test_a_service_with_a_new_history_tells_what_changes_then(tmp_path: Path) -> None:
    """The file of the history is gone, and another is begun: each change from then on is told once, and nothing that was told before."""
    service = driven(tmp_path, estate_text(2, 1))
    change_each_hour(service, 3)
    await service.run(START + 4 * HOUR)
    assert len(service.told) == 3
    without_history(tmp_path)
    service = Driven(tmp_path, service.estate, service.clock, service.world)
    service.clock.at(START + 5 * HOUR, lambda: service.world.change(url_of(1), OTHER_KEY))
    await service.run(START + 6 * HOUR)
    assert service.titles() == [f"[INFORMATION] contoso-crm: {url_of(1)}: certificate.key changed"]


async def test_a_service_with_the_history_of_others_tells_what_changes_then(tmp_path: Path) -> None:
    """Another history has changes of its own with higher numbers: they are no news, and what changes from then on is told once; so it is back in the first."""
    others = driven(tmp_path / "others", estate_text(2, 1))
    change_each_hour(others, 8)
    others.clock.at(START + 9 * HOUR, lambda: others.world.restore(url_of(0)))
    await others.run(START + 10 * HOUR)
    service = driven(tmp_path / "own", estate_text(2, 1))
    await service.run(START + HOUR)
    own = without_history(tmp_path / "own")
    put_back(tmp_path / "own", without_history(tmp_path / "others"))
    service = Driven(tmp_path / "own", service.estate, service.clock, service.world)
    service.clock.at(START + 12 * HOUR, lambda: service.world.change(url_of(1), OTHER_KEY))
    await service.run(START + 13 * HOUR)
    assert service.titles() == [f"[INFORMATION] contoso-crm: {url_of(1)}: certificate.key changed"]
    without_history(tmp_path / "own")
    put_back(tmp_path / "own", own)
    service = Driven(tmp_path / "own", service.estate, service.clock, service.world)
    service.clock.at(START + 14 * HOUR, lambda: service.world.change(url_of(0), NTLM))
    await service.run(START + 15 * HOUR)
    assert f"[INFORMATION] contoso-crm: {url_of(0)}: auth.schemes changed" in service.titles()


async def test_what_changed_before_there_was_a_service_is_no_news_whatever_its_time(tmp_path: Path) -> None:
    """By a clock that was set back the change with the latest time is not the one that was written last; neither is told by a service that begins after both."""
    service = driven(tmp_path, estate_text(1, 1))
    async with open_history(Folder(tmp_path), "contoso-crm") as history:
        await history.record([look(0, *product()), look(0, *product(), subject="smtp://other.branch.test:25")])
        (later,) = await history.record([look(90, *product("Exim"))])
        (newer,) = await history.record([look(30, *product("Exim"), subject="smtp://other.branch.test:25")])
        assert newer.at < later.at
    await service.run(START + HOUR)
    assert service.told == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM")
@pytest.mark.timeout(300)
async def test_who_takes_over_from_a_process_that_is_killed_tells_nothing_twice(tmp_path: Path, database: Secret) -> None:
    """Of two processes on one PostgreSQL the one that watches tells a change and is killed; the other knows what lasts, and tells what changed in between, once."""
    pop, post = SeenPop3(pop3.DOVECOT), SeenSmtp(smtp.POSTFIX)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(pop)
        await stack.enter_async_context(post)
        target = stack.enter_context(https_target())
        folders = tmp_path / "one", tmp_path / "other"
        for folder in folders:
            folder.mkdir()
            (folder / "hook").write_text(f"jsons://localhost:{target.port}/")
            (folder / "estate.toml").write_text(estate_of_servers(tmp_path / "one" / "hook", (pop, post)))
        process = await stack.enter_async_context(_watching(folders[0], database))
        await until(lambda: len(told_by(target)) == 1)
        other = await stack.enter_async_context(_watching(folders[1], database))
        await until(lambda: b"is watched by another service, and this one stands by; " in (folders[1] / "said").read_bytes())

        await post.change(lambda: setattr(post, "tls", certificate(200)))
        await until(lambda: len(told_by(target)) == 2)
        seen = len(post.looks)
        await until(lambda: len(post.looks) > seen + 2)
        process.kill()
        await process.wait()
        fewer = tuple("SASL PLAIN" if "SASL" in line else line for line in pop3.DOVECOT.capabilities_secure)
        await pop.change(lambda: setattr(pop, "personality", replace(pop3.DOVECOT, capabilities_secure=fewer)))
        await until(lambda: len(told_by(target)) == 3, 90)

        seen = len(post.looks)
        await until(lambda: len(post.looks) > seen + 3)
        await pop.change(lambda: setattr(pop, "personality", replace(pop.personality, greeting="-ERR going down")))
        await until(lambda: len(told_by(target)) == 4)
        other.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(other.wait(), 40) == 0
        told = told_by(target)
    wanted = [
        unlisted("p0"),
        Wanted("INFORMATION", f"smtps://localhost:{post.port}", ("certificate.not_after changed",)),
        Wanted("INFORMATION", f"pop3s://localhost:{pop.port}", ("auth.mechanisms changed",)),
        Wanted("WARNING", f"pop3s://localhost:{pop.port}", ("-ERR going down",)),
    ]
    assert [one.is_told_by(each) for one, each in zip(wanted, told, strict=True)] == [True] * 4, [each.title for each in told]
    with AlertBook(Folder(folders[1] / "state"), None).opened() as page:
        assert {incident.condition.subject for incident in page.incidents()} == {"profile:p0", f"pop3s://localhost:{pop.port}"}
    said = (folders[1] / "said").read_text()
    assert "service stands by:" not in said
    assert "watches from now on" in said
    assert "bug" not in said


def _watching(folder: Path, database: Secret) -> Any:
    return serving(folder, "--data", "env:HISTORY", HISTORY=database.reveal())
