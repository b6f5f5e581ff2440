"""Tests of the table of failures."""

from __future__ import annotations

import errno
import ssl

import pytest

from probe.model.attempts import Outcome
from probe.net import failures
from probe.wire.lines import WireError


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (failures.NameUnresolved("no such name", is_unknown=True), Outcome.UNRESOLVED),
        (failures.PeerClosed("closed"), Outcome.CLOSED),
        (failures.Throttled("421"), Outcome.THROTTLED),
        (failures.Denied("554"), Outcome.DENIED),
        (failures.UntrustedPeer("no"), Outcome.UNTRUSTED_PEER),
        (failures.OffProtocol("garbage"), Outcome.OFF_PROTOCOL),
        (failures.NoAddressAnswered("refused", Outcome.REFUSED), Outcome.REFUSED),
        (failures.CertificateNotTrusted("self-signed certificate"), Outcome.TLS_FAILED),
        (WireError("a line"), Outcome.OFF_PROTOCOL),
        (ssl.SSLError(1, "bad"), Outcome.TLS_FAILED),
        (TimeoutError(), Outcome.TIMED_OUT),
        (ConnectionRefusedError(), Outcome.REFUSED),
        (ConnectionResetError(), Outcome.CLOSED),
        (BrokenPipeError(), Outcome.CLOSED),
        (OSError(errno.EHOSTUNREACH, "no route"), Outcome.UNREACHABLE),
        (OSError(errno.ENETUNREACH, "no route"), Outcome.UNREACHABLE),
    ],
)
def test_what_can_go_wrong_at_a_peer_has_its_outcome(failure: Exception, outcome: Outcome) -> None:
    """Each failure of a peer has one outcome, and a sentence."""
    named = failures.expected(failure)
    assert named is not None
    assert named[0] is outcome
    assert named[1]


@pytest.mark.parametrize("failure", [KeyError("x"), ValueError("x"), OSError(errno.EMFILE, "too many open files"), AssertionError()])
def test_what_is_our_own_fault_has_none(failure: Exception) -> None:
    """A bug, or this machine's own shortage, is not blamed on the peer."""
    assert failures.expected(failure) is None


def test_whatever_keeps_the_system_from_connecting_is_unreachable() -> None:
    """An address that the system refuses to connect to is unreachable; a shortage of files is this machine's own."""
    named = failures.unconnectable(OSError(errno.EINVAL, "Invalid argument"))
    assert named is not None
    assert named[0] is Outcome.UNREACHABLE
    assert failures.unconnectable(OSError(errno.EMFILE, "Too many open files")) is None
