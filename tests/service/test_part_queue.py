"""Which parts of an estate are judged next, and of which it is looked ahead after that."""

from __future__ import annotations

from collections.abc import Collection

from probe.service.part_queue import PartQueue


def take(queue: PartQueue, at_most: int, looked_at: Collection[int] = ()) -> list[int]:
    return list(queue.take(lambda number: number in looked_at, at_most))


def test_everything_waits_at_the_beginning() -> None:
    """All parts are judged once, some at a time; until all are, nothing can be said of the whole."""
    queue = PartQueue(5)
    assert queue.is_partial
    assert [take(queue, 2), take(queue, 2)] == [[0, 1], [2, 3]]
    assert queue.is_partial
    assert take(queue, 2) == [4]
    assert not queue.has_something
    assert take(queue, 2) == []


def test_who_waits_comes_first_and_waits_no_longer_than_until_then() -> None:
    """However many are asked for, all of them are judged next; of what nobody waits for any more nothing is remembered."""
    queue = PartQueue(6)
    queue.ask([5, 3, 4])
    assert take(queue, 2) == [3, 4, 5]
    queue.ask([5])
    assert take(queue, 2) == [0, 1]
    queue.touch([5])
    assert take(queue, 1) == [2]


def test_what_can_be_told_comes_before_what_is_known_in_part() -> None:
    """A part is judged first that was looked at whole and has news; then what was not judged at all; at last what is to be judged again, and is looked at in part."""
    queue = PartQueue(6)
    assert take(queue, 2, looked_at={1}) == [0, 1]
    queue.touch([0, 1, 4])
    assert sorted(take(queue, 2, looked_at={1, 4})) == [1, 4]
    assert take(queue, 2, looked_at={1, 4}) == [2, 3]
    queue.touch([5])
    assert take(queue, 1) == [5]
    assert queue.is_waiting
    assert not queue.is_partial
    assert take(queue, 1) == [0]


def test_all_that_waits_is_judged_at_the_end() -> None:
    """Where the service ends, all are given, those that can be told first: there is time for some."""
    queue = PartQueue(4)
    queue.touch([3])
    assert list(queue.take(lambda number: number == 3, None)) == [3, 0, 1, 2]


def test_news_of_all_come_after_news_of_one() -> None:
    """A day passes for all parts, and something is new of one: that is told before the others are judged for the day."""
    queue = PartQueue(4)
    take(queue, 4)
    queue.touch_all()
    assert take(queue, 1, looked_at=range(4)) == [0]
    queue.touch([3])
    assert take(queue, 1, looked_at=range(4)) == [3]
    assert take(queue, 2, looked_at=range(4)) == [1, 2]
    assert not queue.is_waiting


def test_it_is_looked_ahead_of_what_was_judged() -> None:
    """Of each part once, however often it was judged until then."""
    queue = PartQueue(3)
    queue.look_ahead_of(take(queue, 3))
    queue.look_ahead_of([1])
    assert queue.has_something
    assert not queue.is_waiting
    assert sorted((*queue.take_ahead(2), *queue.take_ahead(2))) == [0, 1, 2]
    assert not queue.has_something
