"""Value classes are to their users what the standard library's frozen dataclasses are."""

from __future__ import annotations

import dataclasses
import math
import pickle
from typing import Any

import pytest

from probe.model.values import dataclass


@dataclass(frozen=True, slots=True)
class _Ours:
    """Has a field of each kind."""

    name: str
    noted: int = dataclasses.field(default=0, compare=False)
    apart: float = dataclasses.field(default=0.0, hash=False)
    secret: str = dataclasses.field(default="", repr=False)


_Theirs: Any = dataclasses.make_dataclass(
    "_Ours",
    [(field.name, field.type, dataclasses.field(default=field.default, compare=field.compare, hash=field.hash, repr=field.repr))
     for field in dataclasses.fields(_Ours)],
    frozen=True, slots=True,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _One:
    """Has one field."""

    number: float


@dataclass(frozen=True, slots=True)
class _None:
    """Has no field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfItsOwn:
    """Has methods of its own."""

    name: str

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 7

    def __repr__(self) -> str:
        return "shown so"


_CALLS = [("a",), ("a", 1), ("a", 1, 0.5), ("a", 0, 0.0, "x"), ("b",)]


@pytest.mark.parametrize("first", _CALLS)
@pytest.mark.parametrize("second", _CALLS)
def test_a_value_class_does_as_a_frozen_dataclass_does(first: tuple[Any, ...], second: tuple[Any, ...]) -> None:
    """What is equal, hashes alike and is shown follows from the fields as the standard library has it."""
    ours, theirs = (_Ours(*first), _Ours(*second)), (_Theirs(*first), _Theirs(*second))
    assert (ours[0] == ours[1]) is (theirs[0] == theirs[1])
    assert (hash(ours[0]) == hash(ours[1])) is (hash(theirs[0]) == hash(theirs[1]))
    assert repr(ours[0]) == repr(theirs[0])
    assert _Ours.__match_args__ == _Theirs.__match_args__
    assert dataclasses.replace(ours[0], name="c") == _Ours("c", *first[1:])


def test_a_value_is_equal_to_no_value_of_another_class() -> None:
    """Two classes with the same fields stay apart."""
    assert _One(1) != _OfOne(1)
    assert _One(1) == _One(1)


@dataclass(frozen=True, slots=True)
class _OfOne(_One):
    """Is derived."""


def test_one_field_and_none_are_fields_too() -> None:
    """A class with one field or none has values that are equal, hash alike and are shown."""
    assert (repr(_One(2)), repr(_None())) == ("_One(number=2)", "_None()")
    assert _None() == _None()
    assert len({_None(), _None(), _One(2), _One(2)}) == 2
    assert _One(math.nan) == _One(math.nan)


def test_a_method_of_its_own_is_kept() -> None:
    """What a class defines itself is not replaced."""
    one: object = _OfItsOwn(name="a")
    assert one == _OfItsOwn(name="b")
    assert (hash(one), repr(one)) == (7, "shown so")


def test_a_value_has_no_place_for_another_field_and_can_be_sent() -> None:
    """Slots take no further name, and a value is the same in another process."""
    with pytest.raises(AttributeError):
        setattr(_One(1), "other", 2)  # noqa: B010 - what no type checker sees
    assert pickle.loads(pickle.dumps(_Ours("a", 3))) == _Ours("a", 3)
    with pytest.raises(TypeError):
        _OfItsOwn("a")  # type: ignore[call-arg]


@dataclass(frozen=True, slots=True, order=True)
class _Made:
    """Has fields that are made, and one that follows."""

    name: str
    given: list[int] = dataclasses.field(default_factory=list)
    made: list[int] = dataclasses.field(default_factory=list, init=False)
    by_name: int = dataclasses.field(default=3, kw_only=True)
    follows: str = dataclasses.field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "follows", self.name.upper())


def test_fields_that_are_made_are_made_for_each_value() -> None:
    """A default that is made is another for each value, and what follows from others is there from the beginning."""
    one, other = _Made("a"), _Made("a", [1], by_name=4)
    assert (one.given, one.made, one.by_name, one.follows) == ([], [], 3, "A")
    assert (other.given, other.by_name) == ([1], 4)
    assert one.given is not _Made("a").given
    assert one.made is not one.given
    with pytest.raises(TypeError):
        _Made("a", [], 4)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"_Made.__init__\(\) missing 1 required positional argument: 'name'"):
        _Made()  # type: ignore[call-arg]


def test_values_with_an_order_are_ordered_by_their_fields() -> None:
    """Where an order is asked for, it is that of the fields, one after another."""
    assert sorted([_Made("b"), _Made("a", [2]), _Made("a", [1])]) == [_Made("a", [1]), _Made("a", [2]), _Made("b")]
    assert _Made("a") <= _Made("a") < _Made("b")
    assert _Made("b") >= _Made("b") > _Made("a")
    with pytest.raises(TypeError):
        assert _Made("a") < "b"  # type: ignore[operator]
