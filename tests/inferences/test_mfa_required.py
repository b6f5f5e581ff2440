"""Whether multi-factor authentication is required."""

from __future__ import annotations

from typing import Any

import pytest

from probe.inferences.mfa_required import INFERENCE
from probe.model import vocabulary as v
from tests.inferences.known import Known, case, settled


def _endpoint(refusal: tuple[str, ...] | None) -> Known:
    return {} if refusal is None else {v.AUTH_REFUSAL: refusal}


@pytest.mark.parametrize(
    ("incoming", "outgoing", "required"),
    [
        (("mfa-required",), None, True),
        (None, ("app-password-required",), True),
        (("mfa-required", "app-password-required"), (), True),
        (("bad-credentials", "mfa-required"), None, None),
        (("bad-credentials",), ("basic-auth-disabled",), None),
        ((), (), None),
        (None, None, None),
    ],
)
def test_only_a_refusal_that_says_so_shows_it(incoming: Any, outgoing: Any, required: Any) -> None:
    """A refusal whose every meaning is a second factor shows it; silence and other refusals show nothing."""
    first, second = (_endpoint(refusal) for refusal in (incoming, outgoing))
    assert settled(INFERENCE, v.MFA_REQUIRED, {}, case({}, first, second)) is required
