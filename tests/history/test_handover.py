"""What a service leaves for the one that takes over, and who watched last."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pytest

from probe.history import HandoverKey, HandoverRow, WatchedAs, WatchedByAnother, open_history, packed, sighting, unpacked
from probe.memory.folder import Folder
from probe.model.endpoints import MOST_URL_BYTES
from probe.model.estate import Secret
from tests.history.looks import look, minutes, product


def row(at: float, **form: object) -> HandoverRow:
    return HandoverRow(minutes(at), packed(form))


async def test_the_history_says_who_watched_by_it_last(place: Folder | Secret) -> None:
    """Nobody at first, then whoever began last, for each deployment by itself."""
    async with open_history(place, "contoso") as history, open_history(place, "fabrikam") as other:
        assert await history.watched_as() is None
        await history.watch_as(WatchedAs("one", ""), None, minutes(0))
        assert await history.watched_as() == WatchedAs("one", "")
        await history.watch_as(WatchedAs("one"), WatchedAs("one", ""), minutes(1))
        await history.watch_as(WatchedAs("two", "one"), WatchedAs("one"), minutes(5))
        assert await history.watched_as() == WatchedAs("two", "one")
        assert await other.watched_as() is None
    async with open_history(place, "contoso") as history:
        assert await history.watched_as() == WatchedAs("two", "one")


async def test_nothing_is_written_for_who_watches_no_more(place: Folder | Secret) -> None:
    """Neither what was found nor what is left, once another watches; nor does who read before that take over from the one before."""
    async with open_history(place, "contoso") as history:
        await history.watch_as(WatchedAs("one"), None, minutes(0))
        left = {HandoverKey("event", "a"): row(1)}
        await history.hand_over(left, "one")
        await history.record([look(0, *product())], watch="one")
        await history.watch_as(WatchedAs("two", "one"), WatchedAs("one"), minutes(5))
        with pytest.raises(WatchedByAnother, match="another service watches"):
            await history.hand_over(dict.fromkeys(left), "one")
        with pytest.raises(WatchedByAnother):
            await history.record([look(6, *product("Exim"))], watch="one")
        with pytest.raises(WatchedByAnother):
            await history.watch_as(WatchedAs("three", "one"), WatchedAs("one"), minutes(7))
        assert list(await history.handed_over("event")) == ["a"]
        assert await history.changes() == ()
        assert await history.watched_as() == WatchedAs("two", "one")


async def test_what_is_left_is_there_until_it_is_replaced_or_dropped(place: Folder | Secret) -> None:
    """Rows of each kind by key, with their times, as they were left last; thousands of them a part at a time."""
    async with open_history(place, "contoso") as history, open_history(place, "fabrikam") as other:
        assert await history.handed_over("look") == {}
        left = {HandoverKey("look", f"endpoint|{number}"): row(number, number=number) for number in range(5)}
        await history.hand_over({**left, HandoverKey("event", "endpoint|0"): row(7, other=True)})
        await history.hand_over({HandoverKey("look", "endpoint|1"): row(9, number=-1), HandoverKey("look", "endpoint|3"): None})
        await history.hand_over({})
        found = await history.handed_over("look")
        assert {key: unpacked(one.body)["number"] for key, one in found.items()} == {
            "endpoint|0": 0,
            "endpoint|1": -1,
            "endpoint|2": 2,
            "endpoint|4": 4,
        }
        assert await history.handed_over_at("look") == {
            f"endpoint|{number}": minutes(at) for number, at in ((0, 0), (1, 9), (2, 2), (4, 4))
        }
        assert list(await history.handed_over("look", limit=2)) == ["endpoint|0", "endpoint|1"]
        assert list(await history.handed_over("look", after="endpoint|1", limit=2)) == ["endpoint|2", "endpoint|4"]
        assert await other.handed_over("look") == {}


async def test_who_is_erased_is_in_nothing_that_is_left(place: Folder | Secret) -> None:
    """What is about the mailbox alone is dropped, and what names it beside others is left without it."""
    gone, stays = "info@contoso.test", "sales@contoso.test"
    async with open_history(place, "contoso") as history:
        estate = {"estate": {"mailboxes": [{"address": gone}, {"address": stays}]}}
        await history.hand_over(
            {
                HandoverKey("look", f"account|{gone}"): row(0),
                HandoverKey("look", f"account|{stays}"): row(0, said="250 OK"),
                HandoverKey("incident", "verdict|mail-is-down|smtp://mail:25"): row(1, mailboxes=[gone.upper(), stays]),
                HandoverKey("estate", ""): row(2, **estate),
                HandoverKey("event", "torn"): HandoverRow(minutes(3), b"no JSON of ours"),
                HandoverKey("event", "other"): row(3, estate={"mailboxes": [gone]}),
            }
        )
        await history.erase(gone)
        assert list(await history.handed_over("look")) == [f"account|{stays}"]
        assert await history.handed_over("event") == {}  # neither can be read
        (incident,) = (await history.handed_over("incident")).values()
        assert (incident.at, unpacked(incident.body)) == (minutes(1), {"mailboxes": ["(erased)", stays]})
        (kept,) = (await history.handed_over("estate")).values()
        assert unpacked(kept.body) == {"estate": {"mailboxes": [{"address": stays}]}}


async def test_only_a_database_of_its_own_is_shared_by_services(place: Folder | Secret) -> None:
    """A history in a state folder belongs to whoever has the folder."""
    async with open_history(place, "contoso") as history:
        assert history.is_shared is isinstance(place, Secret)


async def test_the_highest_id_is_that_of_what_was_written_last(tmp_path: Path) -> None:
    """Whatever the times: by a clock that was set back the newest change is earlier than one before it."""
    async with open_history(Folder(tmp_path), "contoso") as history:
        assert await history.last_written() == 0
        await history.record([look(0, *product()), look(0, *product(), subject="smtp://other.branch.test:25")])
        (later,) = await history.record([look(90, *product("Exim"))])
        (newer,) = await history.record([look(30, *product("Exim"), subject="smtp://other.branch.test:25")])
        assert newer.at < later.at
        assert await history.last_written() == newer.id


async def test_the_longest_url_of_an_estate_can_be_recorded_and_left(place: Folder | Secret) -> None:
    """Of characters that nothing makes shorter, with the longest address of a mailbox: an index has room for it."""
    letters = string.ascii_letters + string.digits
    chance = random.Random(1)
    start = "https://mail.contoso.test/"
    url = start + "".join(chance.choices(letters, k=MOST_URL_BYTES - len(start)))
    mailbox = "".join(chance.choices(letters, k=64)) + "@" + "".join(chance.choices(letters, k=255))
    async with open_history(place, "contoso") as history:
        await history.record([sighting(url, mailbox, minutes(0), product(), [])])
        await history.hand_over({HandoverKey("incident", f"verdict|mail-server-is-unreachable-through-its-proxy|{url}"): row(0)})
        assert await history.knows(url)
        assert len(await history.handed_over("incident")) == 1
