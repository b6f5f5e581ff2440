"""SASL mechanisms, by the examples of their documents."""

from __future__ import annotations

import base64
import os
from typing import Any

import pytest
import spnego

from probe.simulation.ntlm import Proof, WindowsHost
from probe.wire import sasl
from probe.wire.lines import WireError


def test_plain_says_all_at_once() -> None:
    """An empty authorization identity, the user name and the password (RFC 4616 section 4)."""
    plain = sasl.mechanism("PLAIN", "tim", "tanstaaftanstaaf", "h", 1)
    assert plain.first == b"\0tim\0tanstaaftanstaaf"
    with pytest.raises(WireError):
        plain.respond(b"more")


def test_login_answers_two_questions() -> None:
    """The user name, then the password, whatever the words of the questions; a third has no answer."""
    login = sasl.mechanism("LOGIN", "tim", "secret", "h", 1)
    assert (login.first, login.respond(b"Username:"), login.respond(b"x")) == (None, b"tim", b"secret")
    with pytest.raises(WireError):
        login.respond(b"again")


def test_cram_md5_answers_as_its_document_does() -> None:
    """The example of RFC 2195 section 2."""
    cram = sasl.mechanism("CRAM-MD5", "tim", "tanstaaftanstaaf", "h", 1)
    challenge = base64.b64decode("PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+")
    assert cram.respond(challenge) == b"tim b913a602c7eda7a495b4e6e7334d3890"
    with pytest.raises(WireError):
        cram.respond(challenge)


def test_apop_digests_the_stamp() -> None:
    """The example of RFC 1939 section 7; a greeting without a stamp has no digest."""
    greeting = "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>"
    assert sasl.apop_digest(greeting, "tanstaaf") == "c4c9334bac560ecc979e58001b3e22fb"
    assert sasl.apop_digest("+OK POP3 server ready", "tanstaaf") is None
    assert sasl.apop_digest("+OK <no stamp> here", "tanstaaf") is None


def test_tokens_are_handed_over_and_their_errors_answered() -> None:
    """XOAUTH2 answers an error with nothing, OAUTHBEARER with ^A (RFC 7628 section 3.2.3); a second error has no answer."""
    xoauth2 = sasl.mechanism("XOAUTH2", "a@b.test", "tok", "h", 1)
    assert xoauth2.first == b"user=a@b.test\1auth=Bearer tok\1\1"
    assert xoauth2.respond(b'{"status":"400"}') == b""
    bearer = sasl.mechanism("OAUTHBEARER", "a,b=c", "tok", "mail.test", 993)
    assert bearer.first == b"n,a=a=2Cb=3Dc,\1host=mail.test\1port=993\1auth=Bearer tok\1\1"
    assert bearer.respond(b"{}") == b"\1"
    for one in (xoauth2, bearer):
        with pytest.raises(WireError):
            one.respond(b"again")


def test_the_first_wanted_that_is_offered_is_chosen() -> None:
    """One mechanism is chosen, in our order; none where nothing is in common."""
    assert sasl.chosen(("LOGIN", "PLAIN"), sasl.PASSWORD_MECHANISMS) == "PLAIN"
    assert sasl.chosen(("GSSAPI",), sasl.PASSWORD_MECHANISMS) is None
    with pytest.raises(KeyError):
        sasl.mechanism("GSSAPI", "a", "b", "h", 1)


def test_without_a_user_name_it_is_the_windows_session_that_signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """SSPI is asked for then, and its messages pass through unchanged; with a user name it never is. A stand-in: there is no Windows here."""
    asked: list[tuple[Any, Any]] = []
    genuine = spnego.client

    def client(username: str | None, password: str | None, **options: Any) -> Any:
        asked.append((username, options["options"]))
        return genuine(username or "who", password or "ever", **{**options, "options": spnego.NegotiateOptions.use_ntlm})

    monkeypatch.setattr(spnego, "client", client)
    of_session, of_user = sasl.NtlmMechanism(None, None, host="crm", service="HTTP"), sasl.NtlmMechanism("tim", "secret")
    assert asked == [(None, spnego.NegotiateOptions.use_sspi), ("tim", spnego.NegotiateOptions.use_ntlm)]
    assert of_session.first == of_user.first


@pytest.mark.parametrize("level", ["0", "1", "2", "3", "5", "none"])
def test_no_variable_weakens_ntlm(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    """LM_COMPAT_LEVEL, which pyspnego obeys, would bring NTLMv1, whose response has 24 bytes; it is left as it was."""
    monkeypatch.setenv("LM_COMPAT_LEVEL", level)
    mechanism = sasl.NtlmMechanism("CONTOSO\\tim", "secret")
    host = WindowsHost(computer="mail.contoso.test", domain="contoso.test", version=(10, 0, 17763))
    proof = mechanism.respond(base64.b64decode(host.challenge()))
    assert int.from_bytes(proof[20:22], "little") > 24
    assert Proof.read(base64.b64encode(proof).decode()).is_of("secret")
    assert os.environ["LM_COMPAT_LEVEL"] == level
