"""The hand-built NTLM challenge, as pyspnego reads it."""

from __future__ import annotations

import base64
import time

import pytest
import spnego
from spnego._ntlm_raw.messages import AvId, Challenge

from probe.simulation.ntlm import Proof, WindowsHost, message_type

HOST = WindowsHost(computer="ex2016.contoso.test", domain="contoso.test", version=(10, 0, 14393))


def test_an_independent_reader_understands_the_challenge() -> None:
    """Names, Windows version, challenge and time stand in the type 2 message where the specification puts them."""
    message = Challenge.unpack(base64.b64decode(HOST.challenge()))
    assert message.target_name == "CONTOSO"
    assert len(message.server_challenge) == 8
    version = message.version
    assert version is not None
    assert (version.major, version.minor, version.build) == (10, 0, 14393)
    info = message.target_info
    assert info is not None
    assert info[AvId.nb_computer_name] == "EX2016"
    assert info[AvId.nb_domain_name] == "CONTOSO"
    assert info[AvId.dns_computer_name] == "ex2016.contoso.test"
    assert info[AvId.dns_domain_name] == "contoso.test"
    assert info[AvId.dns_tree_name] == "contoso.test"
    assert abs(info[AvId.timestamp].timestamp() - time.time()) < 5


def test_messages_are_told_apart() -> None:
    """The type of an NTLM message is read from it, and what is none has no type."""
    assert message_type(HOST.challenge()) == 2
    assert message_type("TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAA=") == 1
    assert message_type("YII=") is None
    assert message_type("not base64") is None


def _answered(user: str, password: str) -> Proof:
    """What pyspnego's client answers the challenge with."""
    client = spnego.client(user, password, protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
    client.step()
    answer = client.step(base64.b64decode(HOST.challenge()))
    assert answer is not None
    return Proof.read(base64.b64encode(answer).decode())


@pytest.mark.parametrize(("user", "name", "domain"), [("svc@contoso.test", "svc@contoso.test", ""), ("CONTOSO\\svc", "svc", "CONTOSO")])
def test_a_client_s_answer_proves_the_password_it_knows(user: str, name: str, domain: str) -> None:
    """The proof is right for one password and for no other, under either form of the name."""
    proof = _answered(user, "Pässword-1")
    assert (proof.user, proof.domain) == (name, domain)
    assert proof.is_of("Pässword-1")
    assert not proof.is_of("password-1")
    assert not proof.is_bound_to(b"a certificate")


def test_a_short_message_proves_nothing() -> None:
    """A type 3 message that ends before its fields names nobody, and is no proof of any password."""
    proof = Proof.read("TlRMTVNTUAADAAAA")
    assert proof.user == ""
    assert not proof.is_of("")
