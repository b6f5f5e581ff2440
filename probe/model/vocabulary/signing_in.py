"""Signing in."""

from __future__ import annotations

from probe.model.keys import FactKey, in_any_order, nothing, without_query
from probe.model.kinds import FLAG, TEXT, TEXTS, choice, choices
from probe.model.refusals import Refusal

AUTH_MECHANISMS: FactKey[tuple[str, ...]] = FactKey(
    "auth.mechanisms",
    TEXTS,
    "SASL and login mechanisms offered under TLS, upper-case, in order, each once; `USER` for POP3's USER and PASS, `APOP` for a stamp in the greeting, `LOGIN` also for IMAP's LOGIN unless it is disabled.",
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
    "HTTP authentication schemes of EWS, as offered, each once.",
    (("Negotiate", "NTLM"), ()),
    kept=in_any_order,
    is_drift=True,
)
WINDOWS_SCHEMES = frozenset({"ntlm", "negotiate"})
"""Windows' own among them, in small letters (RFC 4559, [MS-NTHT])."""
AUTH_AS_SERVICE: FactKey[bool] = FactKey(
    "auth.as_service",
    FLAG,
    "Whether this program ran as the account of the asynchronous service, or had its Kerberos ticket, so that it could sign in as Windows does.",
    (True, False),
)
AUTH_ACCEPTED: FactKey[bool] = FactKey(
    "auth.accepted", FLAG, "Whether the account's credentials were taken, proved by a further command.", (True, False)
)
AUTH_MECHANISM: FactKey[str] = FactKey(
    "auth.mechanism",
    TEXT,
    "How the account was signed in, or tried to be: a SASL mechanism, `USER` for POP3's USER and PASS, `APOP`, `LOGIN` also for IMAP's LOGIN.",
    ("PLAIN", "USER"),
)
AUTH_REPLY: FactKey[str] = FactKey(
    "auth.reply",
    TEXT,
    "The server's words to a login that it refused, or to the command after it, its lines joined by newlines; empty where it refused nothing.",
    ("535 5.7.8 Error: authentication failed", "-ERR [AUTH] Invalid credentials", ""),
    kept=nothing,
)
AUTH_REFUSAL: FactKey[tuple[str, ...]] = FactKey(
    "auth.refusal",
    choices(*Refusal),
    "What the refusal of a login may mean; several where the words cannot separate them.",
    ((Refusal.BAD_CREDENTIALS,), ()),
    kept=in_any_order,
)
MODERN_AUTH_AUTHORITY: FactKey[str] = FactKey(
    "modern_auth.authority",
    TEXT,
    "Who EWS or ActiveSync names to give tokens (authorization_uri); not followed.",
    ("https://login.microsoftonline.com/common/oauth2/authorize", "https://adfs.contoso.test/adfs/oauth2/authorize"),
)
MODERN_AUTH_TENANT: FactKey[str] = FactKey(
    "modern_auth.tenant", TEXT, "The one tenant whose tokens it says it takes (trusted_issuers).", ("0b5b4ad3-4a6c-4b5e-8f5e-2f7f0b0d1c11",)
)
AUTHORITY_ISSUER: FactKey[str] = FactKey(
    "authority.issuer",
    TEXT,
    "Issuer that the authority of the account's domain names (OpenID discovery).",
    ("https://sts.windows.net/0b5b4ad3/",),
)
AUTHORITY_TENANT: FactKey[str] = FactKey("authority.tenant", TEXT, "Tenant in that issuer.", ("0b5b4ad3-4a6c-4b5e-8f5e-2f7f0b0d1c11",))
AUTHORITY_REALM: FactKey[str] = FactKey(
    "authority.realm",
    choice("managed", "federated", "unknown"),
    "Whether Entra ID itself checks the account's password, a federation server does, or it knows no such domain.",
    ("managed", "federated"),
)
AUTHORITY_FEDERATION: FactKey[str] = FactKey(
    "authority.federation_url",
    TEXT,
    "Where a federated account signs in, as Entra ID says; not followed.",
    ("https://adfs.contoso.test/adfs/ls/",),
    kept=without_query,
)
AUTHORITY_GRANTED: FactKey[bool] = FactKey(
    "authority.granted", FLAG, "Whether the authority gave a token for user name and password alone.", (True, False)
)
AUTHORITY_ERRORS: FactKey[tuple[str, ...]] = FactKey(
    "authority.errors",
    TEXTS,
    "What the authority refused with: its error, and Entra ID's numbers.",
    (("invalid_grant", "AADSTS50076"),),
    kept=in_any_order,
)
EWS_INBOX: FactKey[str] = FactKey(
    "ews.inbox",
    TEXT,
    "What came of FindFolder on the inbox: `found`, or Exchange's error code.",
    ("found", "ErrorNonExistentMailbox", "ErrorImpersonateUserDenied"),
)
EWS_CALENDAR: FactKey[str] = FactKey(
    "ews.calendar", TEXT, "What came of FindFolder on the calendar: `found`, or Exchange's error code.", ("found", "ErrorAccessDenied")
)
EWS_CONTACTS: FactKey[str] = FactKey("ews.contacts", TEXT, "The same for the contacts.", ("found", "ErrorFolderNotFound"))
EWS_TASKS: FactKey[str] = FactKey("ews.tasks", TEXT, "The same for the tasks.", ("found", "ErrorFolderNotFound"))
EWS_IMPERSONATION: FactKey[str] = FactKey(
    "ews.impersonation", choice("granted", "denied"), "Whether the account may act as the mailbox.", ("granted", "denied")
)
