"""Keys, and how two values of one are drawn together."""

from __future__ import annotations

import json
from typing import Any

import pytest

from probe.model import vocabulary as v
from probe.model.keys import FactKey, equal, longer_build, nothing
from probe.model.kinds import Build, Challenge
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


NOISE = {
    "auth.reply", "dynamics.last_attempt", "dynamics.last_error_at", "dynamics.last_success", "ews.asked_for", "ews.bearer_diagnostics", "ews.headers",
    "imap.id", "ntlm.computer", "protocol.farewell", "protocol.greeting", "roundtrip.milliseconds", "roundtrip.reply", "smtp.ehlo_greeting", "smtp.help",
    "tls.failure",
}  # fmt: skip
"""Keys of which nothing lasts: the words of a moment, a pool's names, times and texts that are new each time."""
DRIFT = {
    "auth.mechanisms", "auth.mechanisms_plain", "auth.schemes", "certificate.chain_ends", "certificate.distrusted_because", "certificate.issuer",
    "certificate.key", "certificate.matches_name", "certificate.names", "certificate.not_after", "certificate.signature", "certificate.subject",
    "certificate.trusted", "dynamics.active", "dynamics.approved", "dynamics.approved_by_office_365", "dynamics.differs", "dynamics.enabled", "dynamics.ews_url",
    "dynamics.found",
    "dynamics.incoming_password_set", "dynamics.incoming_port", "dynamics.organization", "dynamics.organization_id", "dynamics.outgoing_password_set",
    "dynamics.outgoing_port", "dynamics.password_set", "dynamics.processes_mail_since", "dynamics.profile", "dynamics.status", "dynamics.version",
    "fips.can_work", "fips.negotiates", "mailbox.location", "modern_auth.offered", "server.build", "server.product", "server.version",
    "starttls.extra_bytes", "starttls.offered", "tls.deployment_gets", "tls.mode",
}  # fmt: skip
"""Keys whose changes people are told of: product and build, TLS that the deployment gets, the certificate, mechanisms, location, Dynamics' state."""


def test_which_keys_are_noise_and_which_are_told_as_drift() -> None:
    """A new key stands in one of these lists, or is kept in the history without being told as drift."""
    keys = all_keys().values()
    assert {key.name for key in keys if key.kept is nothing} == NOISE
    assert {key.name for key in keys if key.is_drift} == DRIFT


@pytest.mark.parametrize("name", all_keys())
def test_what_lasts_of_a_value_is_json_and_always_the_same(name: str) -> None:
    """What is compared over time can be written as JSON, and is equal for equal values."""
    key = all_keys()[name]
    for example in key.examples:
        assert json.dumps(key.lasting(example)) == json.dumps(
            key.lasting(key.kind.decode(json.loads(json.dumps(key.kind.encode(example)))))
        )


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        (v.PROTOCOL_GREETING, "+OK <1896.6971@mail1.test>", "+OK <1899.7002@mail2.test>"),
        (v.NET_ADDRESSES, ("192.0.2.7", "192.0.2.8"), ("192.0.2.9",)),
        (v.NTLM_COMPUTER, "mail01.contoso.test", "mail02.contoso.test"),
        (v.EWS_HEADERS, ("X-FEServer: MAIL01",), ("X-FEServer: MAIL02",)),
        (v.AUTH_SCHEMES, ("Negotiate", "NTLM"), ("NTLM", "Negotiate")),
        (v.EWS_CHALLENGES, (Challenge("Bearer", None, (("nonce", "a1"),)),), (Challenge("bearer", None, (("nonce", "b2"),)),)),
        (v.EWS_LOGON_PAGE, "https://a.test/owa?id=1", "https://a.test/owa?id=2"),
        (v.DYNAMICS_LAST_ERROR, "Request 7f3a-11 failed with 401", "Request 9c02-aa failed with 403"),
        (v.DYNAMICS_PENDING_SEND, 0, 9),
    ],
)
def test_noise_is_no_change(key: FactKey[Any], one: Any, other: Any) -> None:
    """Another host of a pool, another order, an id of a session: what lasts of both values is the same."""
    assert key.lasting(one) == key.lasting(other)


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        (v.NET_ADDRESSES, ("192.0.2.7",), ()),
        (v.AUTH_SCHEMES, ("Negotiate", "NTLM"), ("NTLM",)),
        (v.DYNAMICS_PENDING_SEND, 9, 300),
        (v.SERVER_VERSION, "4.96", "4.98"),
    ],
)
def test_a_change_is_one(key: FactKey[Any], one: Any, other: Any) -> None:
    """What a name no longer resolves to, a scheme that is gone, mail that piles up: what lasts differs."""
    assert key.lasting(one) != key.lasting(other)
