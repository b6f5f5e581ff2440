"""Whether sign-in by token is offered."""

from __future__ import annotations

from typing import Any

import pytest

from probe.inferences.modern_auth import INFERENCE
from probe.model import vocabulary as v
from probe.model.kinds import Challenge
from tests.inferences.known import Known, settled

_POP3: Known = {v.ENDPOINT_SERVICE: "pop3", v.ENDPOINT_HOST: "mail.contoso.test", v.PROTOCOL_GREETING: "+OK hi"}
_EWS: Known = {v.ENDPOINT_SERVICE: "ews", v.ENDPOINT_HOST: "mail.contoso.test"}
_BEARER = Challenge("Bearer", None, (("client_id", "x"), ("authorization_uri", "https://login.windows.net/common/oauth2/authorize")))

_NOT_HERE: Known = {
    v.EWS_BEARER_CHALLENGES: (Challenge("Bearer", None, (("client_id", "x"), ("error", "invalid_token"))),),
    v.EWS_BEARER_DIAGNOSTICS: (
        '4000000;reason="Flighting is not enabled for domain \'contoso.test\'.";error_category="oauth_not_available"',
    ),
}


@pytest.mark.parametrize(
    ("known", "offered"),
    [
        ({**_POP3, v.AUTH_MECHANISMS: ("PLAIN", "XOAUTH2")}, True),
        ({**_POP3, v.AUTH_MECHANISMS: ("OAUTHBEARER",)}, True),
        ({**_POP3, v.AUTH_MECHANISMS_PLAIN: ("XOAUTH2",)}, True),
        ({**_POP3, v.AUTH_MECHANISMS: ("PLAIN", "LOGIN")}, False),
        ({**_POP3, v.AUTH_MECHANISMS: ()}, False),
        ({**_POP3, v.AUTH_MECHANISMS_PLAIN: ("PLAIN",)}, None),
        (_POP3, None),
        ({v.ENDPOINT_SERVICE: "pop3", v.ENDPOINT_HOST: "mail.contoso.test", v.AUTH_MECHANISMS: ("PLAIN",)}, None),
        ({**_POP3, v.SERVER_PRODUCT: "Exchange Online", v.AUTH_MECHANISMS: ("PLAIN",)}, True),
        ({v.ENDPOINT_SERVICE: "ews", v.ENDPOINT_HOST: "outlook.office365.com"}, True),
        ({**_EWS, v.EWS_CHALLENGES: (Challenge("Negotiate"), _BEARER)}, True),
        ({**_EWS, v.EWS_CHALLENGES: (Challenge("bearer", None, (("error", "invalid_token"),)),)}, None),
        ({**_EWS, v.EWS_CHALLENGES: (Challenge("NTLM"), Challenge("Negotiate"))}, None),
        (_EWS, None),
        ({**_EWS, v.EWS_BEARER_CHALLENGES: (_BEARER,)}, True),
        ({**_EWS, v.EWS_BEARER_CHALLENGES: ()}, None),
        ({**_EWS, v.EWS_BEARER_CHALLENGES: (), v.SERVER_PRODUCT: "Exchange Server 2016"}, False),
        ({**_EWS, v.EWS_CHALLENGES: (Challenge("NTLM"),), v.SERVER_PRODUCT: "Exchange Server 2010"}, False),
        ({**_EWS, **_NOT_HERE, v.EWS_ASKED_FOR: "sales@contoso.test"}, False),
        ({**_EWS, **_NOT_HERE, v.EWS_ASKED_FOR: "sales@fabrikam.test"}, None),
        ({**_EWS, **_NOT_HERE}, None),
        ({v.ENDPOINT_SERVICE: "tls", v.ENDPOINT_HOST: "mail.contoso.test"}, None),
    ],
)
def test_tokens_are_offered_where_a_mechanism_or_an_authority_is_named(known: Known, offered: Any) -> None:
    """A complete list without a token mechanism is a no; the silence of an anonymous EWS answer is not."""
    assert settled(INFERENCE, v.MODERN_AUTH_OFFERED, known) is offered
