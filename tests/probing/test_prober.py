"""The laws over every prober: its subject is that of its scope, and what it is named for is where it stands."""

from __future__ import annotations

from typing import get_type_hints

import pytest

from probe import app
from probe.model.estate import Effect
from probe.probing import SUBJECTS, Prober, Scope


@pytest.mark.parametrize("prober", app.probers().values(), ids=app.probers())
def test_a_prober_takes_the_subject_of_its_scope(prober: Prober) -> None:
    """What it is pointed at is of the type that every prober of its scope is pointed at."""
    assert get_type_hints(prober.probe)["subject"] is SUBJECTS[prober.scope]


@pytest.mark.parametrize("prober", app.probers().values(), ids=app.probers())
def test_what_signs_in_does_more_than_read(prober: Prober) -> None:
    """No prober signs in unasked, and none that is held without an account says that it signs in."""
    signs_in = prober.scope in (Scope.LOGIN, Scope.ROUND_TRIP)
    assert signs_in is (prober.effect in (Effect.LOGS_IN, Effect.SENDS_MAIL, Effect.CHANGES))


def test_every_scope_has_a_subject() -> None:
    """None is without its type."""
    assert set(SUBJECTS) == set(Scope)
