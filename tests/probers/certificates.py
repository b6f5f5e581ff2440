"""What a look must have seen of a real server's certificate."""

from __future__ import annotations

from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from tests.looking import Looked


def assert_certificate_is_right(looked: Looked) -> None:
    assert looked.attempt.outcome is Outcome.COMPLETED
    assert looked.value(v.CERTIFICATE_TRUSTED) is True
    assert looked.value(v.CERTIFICATE_MATCHES_NAME) is True
    assert "localhost" in (looked.value(v.CERTIFICATE_NAMES) or ())
    session = looked.value(v.TLS_NEGOTIATED)
    assert session is not None
    assert session.version == "TLSv1.3"
    assert session.suite is not None
    assert session.suite.startswith("TLS_")
