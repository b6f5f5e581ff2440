"""Keys, and how two values of one are drawn together."""

from __future__ import annotations

import pytest

from probe.model import vocabulary as v
from probe.model.keys import FactKey, equal, longer_build
from probe.model.kinds import Build
from probe.model.vocabulary import all_keys


def test_reconciling_is_symmetric() -> None:
    """Which of two values came first does not matter."""
    short, long, other = Build((15, 1, 2507)), Build((15, 1, 2507, 57)), Build((15, 2, 2562))
    assert longer_build(short, long) == longer_build(long, short) == long
    assert longer_build(short, other) is longer_build(other, short) is None
    assert (equal("a", "a"), equal("a", "b")) == ("a", None)


@pytest.mark.parametrize("name", all_keys())
def test_every_key_is_named_and_explained(name: str) -> None:
    """Every key is lower-case words joined by a dot, and has one line of meaning."""
    key = all_keys()[name]
    assert name == name.lower()
    assert key.doc.endswith((".", "…"))
    assert "\n" not in key.doc


def test_keys_are_told_apart_by_name() -> None:
    """Two keys of the vocabulary never share a name."""
    keys = [value for value in vars(v).values() if isinstance(value, FactKey)]
    assert len({key.name for key in keys}) == len(keys)
    assert repr(v.NET_CONNECTED) == "<net.connected>"
