"""Signing in."""

from __future__ import annotations

from probe.model.keys import FactKey, in_any_order, magnitude, nothing, without_query
from probe.model.kinds import COUNT, FLAG, TEXT, TEXTS, choice, choices
from probe.model.refusals import Refusal

AUTH_MECHANISMS: FactKey[tuple[str, ...]] = FactKey(
    "auth.mechanisms",
    TEXTS,
    "SASL and login mechanisms offered under TLS, in upper case, in order, each once; `USER` for POP3's USER and PASS, `APOP` for a timestamp in the greeting, `LOGIN` also for IMAP's LOGIN unless it is disabled.",
    (("PLAIN", "LOGIN", "XOAUTH2"), ()),
    kept=in_any_order,
    is_drift=True,
)
AUTH_MECHANISMS_PLAIN: FactKey[tuple[str, ...]] = FactKey(
    "auth.mechanisms_plain",
    TEXTS,
    "The same, offered before TLS.",
    (("CRAM-MD5",), ()),
    kept=in_any_order,
    is_drift=True,
)
AUTH_SCHEMES: FactKey[tuple[str, ...]] = FactKey(
    "auth.schemes",
    TEXTS,
    "The HTTP authentication schemes that EWS offers, each once.",
    (("Negotiate", "NTLM"), ()),
    kept=in_any_order,
    is_drift=True,
)
WINDOWS_SCHEMES = frozenset({"ntlm", "negotiate"})
"""The schemes of Windows among them, in lower case (RFC 4559, [MS-NTHT])."""
AUTH_AS_SERVICE: FactKey[bool] = FactKey(
    "auth.as_service",
    FLAG,
    "Whether this program ran under the name of the account of the asynchronous service, or had a Kerberos ticket in that name, so that it could sign in as Windows does.",
    (True, False),
)
AUTH_ACCEPTED: FactKey[bool] = FactKey(
    "auth.accepted", FLAG, "Whether the account's credentials were accepted, proved by a further command.", (True, False)
)
AUTH_MECHANISM: FactKey[str] = FactKey(
    "auth.mechanism",
    TEXT,
    "The mechanism of the sign-in, successful or not: a SASL mechanism, `USER` for POP3's USER and PASS, `APOP`, `LOGIN` also for IMAP's LOGIN.",
    ("PLAIN", "USER"),
)
AUTH_REPLY: FactKey[str] = FactKey(
    "auth.reply",
    TEXT,
    "The server's reply that refused the login, or the command after it, its lines joined by newlines; empty where it refused nothing.",
    ("535 5.7.8 Error: authentication failed", "-ERR [AUTH] Invalid credentials", ""),
    kept=nothing,
)
AUTH_REFUSAL: FactKey[tuple[str, ...]] = FactKey(
    "auth.refusal",
    choices(*Refusal),
    "What the refusal of a login may mean; several where the reply does not distinguish them.",
    ((Refusal.BAD_CREDENTIALS,), ()),
    kept=in_any_order,
)
MODERN_AUTH_AUTHORITY: FactKey[str] = FactKey(
    "modern_auth.authority",
    TEXT,
    "The authority that EWS or ActiveSync names for tokens (authorization_uri); not followed.",
    ("https://login.microsoftonline.com/common/oauth2/authorize", "https://adfs.contoso.test/adfs/oauth2/authorize"),
)
MODERN_AUTH_TENANT: FactKey[str] = FactKey(
    "modern_auth.tenant",
    TEXT,
    "The only tenant whose tokens the server says it accepts (trusted_issuers).",
    ("0b5b4ad3-4a6c-4b5e-8f5e-2f7f0b0d1c11",),
)
AUTHORITY_ISSUER: FactKey[str] = FactKey(
    "authority.issuer",
    TEXT,
    "The issuer that the authority names for the account's domain (OpenID discovery).",
    ("https://sts.windows.net/0b5b4ad3/",),
)
AUTHORITY_TENANT: FactKey[str] = FactKey("authority.tenant", TEXT, "The tenant in that issuer.", ("0b5b4ad3-4a6c-4b5e-8f5e-2f7f0b0d1c11",))
AUTHORITY_REALM: FactKey[str] = FactKey(
    "authority.realm",
    choice("managed", "federated", "unknown"),
    "Whether Entra ID itself checks the account's password, a federation server does, or the domain is unknown.",
    ("managed", "federated"),
)
AUTHORITY_FEDERATION: FactKey[str] = FactKey(
    "authority.federation_url",
    TEXT,
    "The server at which a federated account signs in, as Entra ID names it; not followed.",
    ("https://adfs.contoso.test/adfs/ls/",),
    kept=without_query,
)
AUTHORITY_GRANTED: FactKey[bool] = FactKey(
    "authority.granted", FLAG, "Whether the authority issued a token for user name and password alone.", (True, False)
)
AUTHORITY_ERRORS: FactKey[tuple[str, ...]] = FactKey(
    "authority.errors",
    TEXTS,
    "The authority's error, with the numbers of Entra ID.",
    (("invalid_grant", "AADSTS50076"),),
    kept=in_any_order,
)
EWS_INBOX: FactKey[str] = FactKey(
    "ews.inbox",
    TEXT,
    "The result of FindFolder on the inbox: `found`, or the error code of Exchange.",
    ("found", "ErrorNonExistentMailbox", "ErrorImpersonateUserDenied"),
)
EWS_NEWER_MESSAGES: FactKey[int] = FactKey(
    "ews.newer_messages",
    COUNT,
    "Messages in the inbox that were received after the time from which on Dynamics processes mail, counted before Test & Enable.",
    (14312, 0),
    kept=magnitude,
)
EWS_CALENDAR: FactKey[str] = FactKey(
    "ews.calendar",
    TEXT,
    "The result of FindFolder on the calendar: `found`, or the error code of Exchange.",
    ("found", "ErrorAccessDenied"),
)
EWS_CONTACTS: FactKey[str] = FactKey("ews.contacts", TEXT, "The result of FindFolder on the contacts.", ("found", "ErrorFolderNotFound"))
EWS_TASKS: FactKey[str] = FactKey("ews.tasks", TEXT, "The result of FindFolder on the tasks.", ("found", "ErrorFolderNotFound"))
EWS_IMPERSONATION: FactKey[str] = FactKey(
    "ews.impersonation", choice("granted", "denied"), "Whether the account may act as the mailbox.", ("granted", "denied")
)
