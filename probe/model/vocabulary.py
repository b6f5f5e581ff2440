"""Every fact that can exist: its name, its type, and one line of meaning.

Probers, inferences, rules and reports meet here and nowhere else. A key is named for what was seen, never for
what it is hoped to mean; units stand in the name.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from probe.model.estate import Authentication, Credentials, Delivery, Effect, Location, Security, ServerType, Service
from probe.model.facts import (
    BUILD,
    CHALLENGES,
    COUNT,
    DAY,
    FLAG,
    FLAGS,
    LISTS,
    MOMENT,
    SESSION,
    TEXT,
    TEXTS,
    UPDATE,
    Build,
    Challenge,
    FactKey,
    Flags,
    Lists,
    TlsSession,
    UpdateRange,
    choice,
    choices,
    longer_build,
)


def more_specific_product(one: str, other: str) -> str | None:
    """`Exchange` (cannot be told which) gives way to one of the Exchange products; any other two must be the same."""
    if one == other or (other == "Exchange" and one.startswith("Exchange ")):
        return one
    return other if one == "Exchange" and other.startswith("Exchange ") else None


# --- What the operator declares ---------------------------------------------------------------------------

DEPLOYMENT_RUNS_ON: FactKey[str] = FactKey(
    "deployment.runs_on", TEXT, "Which Windows speaks TLS to the mail servers.", ("windows-server-2019",)
)
DEPLOYMENT_FIPS: FactKey[bool] = FactKey(
    "deployment.fips", FLAG, "Whether the Windows FIPS policy is on where the asynchronous service runs.", (True, False)
)
DEPLOYMENT_MASS_EMAIL: FactKey[bool] = FactKey(
    "deployment.mass_email", FLAG, "Whether mass mailings are sent through server-side synchronization.", (True, False)
)
DEPLOYMENT_CUSTOM_PROVIDERS: FactKey[bool] = FactKey(
    "deployment.custom_email_providers", FLAG, "Whether the mail protocols are extended or custom email providers are used.", (True, False)
)
DEPLOYMENT_OWA_TRACKING: FactKey[bool] = FactKey(
    "deployment.outlook_on_the_web_tracking", FLAG, "Whether people track from Outlook on the web.", (True, False)
)
DEPLOYMENT_MANUAL_TRACKING: FactKey[bool] = FactKey(
    "deployment.outlook_manual_tracking", FLAG, "Whether people track by hand in Dynamics 365 for Outlook.", (True, False)
)
DEPLOYMENT_APPOINTMENT_WAYS: FactKey[tuple[str, ...]] = FactKey(
    "deployment.appointment_ways",
    choices(*Delivery),
    "The ways in which mailboxes of the organization synchronize appointments, contacts and tasks, `none` left out.",
    (("server-side",), ("outlook", "server-side"), ()),
)
DEPLOYMENT_ALLOWS: FactKey[tuple[str, ...]] = FactKey(
    "deployment.allow",
    choices(*Effect),
    "Effects beyond reading that the operator switched on; empty where none is.",
    (("logs-in",), ("logs-in", "provokes"), ()),
)

PROFILE_SERVER_TYPE: FactKey[str] = FactKey(
    "profile.server_type", choice(*ServerType), "Server type of the email server profile.", tuple(map(str, ServerType))
)
PROFILE_AUTHENTICATION: FactKey[str] = FactKey(
    "profile.authentication",
    choice(*Authentication),
    "Authentication protocol that the profile is set to.",
    tuple(map(str, Authentication)),
)
PROFILE_CREDENTIALS: FactKey[str] = FactKey(
    "profile.credentials", choice(*Credentials), "Whose credentials the profile signs in with.", tuple(map(str, Credentials))
)
PROFILE_IMPERSONATION: FactKey[bool] = FactKey(
    "profile.impersonation", FLAG, "Whether the profile's account impersonates the mailbox.", (True, False)
)
PROFILE_FIPS_VALIDATED: FactKey[str] = FactKey(
    "profile.fips_validated", TEXT, "The operator's word for the validation of the mail server's cryptographic module.", ("CMVP #4282",)
)
PROFILE_LOCATIONS: FactKey[tuple[str, ...]] = FactKey(
    "profile.locations",
    choices(*Location),
    "Where the mailboxes live that server-side synchronization serves through this profile, as far as all of them are known.",
    (("on-premises",), ("exchange-online", "on-premises")),
)

MAILBOX_INCOMING: FactKey[str] = FactKey(
    "mailbox.incoming", choice(*Delivery), "How incoming mail is delivered.", tuple(map(str, Delivery))
)
MAILBOX_OUTGOING: FactKey[str] = FactKey(
    "mailbox.outgoing", choice("server-side", "outlook", "none"), "How outgoing mail is delivered.", ("server-side", "outlook", "none")
)
MAILBOX_APPOINTMENTS: FactKey[str] = FactKey(
    "mailbox.appointments",
    choice("server-side", "outlook", "none"),
    "How appointments, contacts and tasks are synchronized.",
    ("server-side", "outlook", "none"),
)
MAILBOX_DOMAIN: FactKey[str] = FactKey(
    "mailbox.domain", TEXT, "Domain of the mailbox's address, lower-case.", ("contoso.test", "gmail.com", "msn.com")
)
MAILBOX_LOCATION: FactKey[str] = FactKey("mailbox.location", choice(*Location), "Where the mailbox lives.", tuple(map(str, Location)))

ENDPOINT_SERVICE: FactKey[str] = FactKey(
    "endpoint.service", choice(*Service), "What the endpoint is declared to speak.", tuple(map(str, Service))
)
ENDPOINT_SECURITY: FactKey[str] = FactKey(
    "endpoint.security", choice(*Security), "How the endpoint is declared to come to speak TLS.", tuple(map(str, Security))
)
ENDPOINT_HOST: FactKey[str] = FactKey(
    "endpoint.host", TEXT, "The endpoint's host, lower-case.", ("outlook.office365.com", "mail.contoso.test", "::1")
)

# --- Reaching it ------------------------------------------------------------------------------------------

NET_ADDRESSES: FactKey[tuple[str, ...]] = FactKey(
    "net.addresses",
    TEXTS,
    "Every address that the name resolves to, in the resolver's order; empty when the name does not exist.",
    (("192.0.2.7", "2001:db8::7"), ()),
)
NET_CONNECTED: FactKey[bool] = FactKey(
    "net.connected", FLAG, "Whether a TCP connection came about: yes, or every address refused it or gave no way to it.", (True, False)
)
PROTOCOL_SPOKEN: FactKey[bool] = FactKey(
    "protocol.spoken", FLAG, "Whether what answered speaks the protocol of the endpoint.", (True, False)
)
PROTOCOL_GREETING: FactKey[str] = FactKey(
    "protocol.greeting", TEXT, "The greeting as said, its lines joined by newlines.", ("+OK Dovecot ready.",)
)
PROTOCOL_CAPABILITIES: FactKey[tuple[str, ...]] = FactKey(
    "protocol.capabilities",
    TEXTS,
    "Capabilities as listed, in order, once TLS is up; the lines of CAPA, of EHLO after its first, or the words of IMAP's CAPABILITY.",
    (("TOP", "UIDL", "SASL PLAIN"), ()),
)
PROTOCOL_CAPABILITIES_PLAIN: FactKey[tuple[str, ...]] = FactKey(
    "protocol.capabilities_plain", TEXTS, "Capabilities as listed before TLS.", (("TOP", "STLS"), ())
)
SMTP_EHLO_NAME: FactKey[str] = FactKey(
    "smtp.ehlo_greeting", TEXT, "First line of the reply to EHLO, less its code.", ("mail.example Hello probe [192.0.2.1]",)
)
POP3_LOGIN_DELAY_SECONDS: FactKey[int] = FactKey(
    "pop3.login_delay_seconds",
    COUNT,
    "Seconds that the server wants between logins of one account (LOGIN-DELAY, RFC 2449 section 6.5), while nobody is signed in.",
    (300, 10),
)
ROUNDTRIP_SENT: FactKey[bool] = FactKey(
    "roundtrip.sent", FLAG, "Whether the outgoing server took a test message from the mailbox to itself.", (True, False)
)
ROUNDTRIP_REPLY: FactKey[str] = FactKey(
    "roundtrip.reply",
    TEXT,
    "What the outgoing server said to the test message, or to the command at which it refused it.",
    ("250 2.0.0 Ok: queued as 4F1", "550 5.7.60 SMTP; Client does not have permissions to send as this sender"),
)
ROUNDTRIP_MILLISECONDS: FactKey[int] = FactKey(
    "roundtrip.milliseconds",
    COUNT,
    "Time from the outgoing server's yes until the test message was seen in the inbox, in milliseconds.",
    (850, 12000),
)
ROUNDTRIP_REMOVED: FactKey[bool] = FactKey(
    "roundtrip.removed",
    FLAG,
    "Whether the test message is gone from the inbox; no where the server let it be marked as deleted at most.",
    (True, False),
)
SMTP_HELP: FactKey[str] = FactKey(
    "smtp.help",
    TEXT,
    "Reply to HELP, as said, good or not; asked only where the greeting names no product.",
    ("214 2.0.0 This is OpenSMTPD", "502 5.5.2 Error: command not recognized"),
)
PROTOCOL_FAREWELL: FactKey[str] = FactKey(
    "protocol.farewell", TEXT, "What the server said when we took our leave, as said.", ("+OK Better luck next time.",)
)
IMAP_ID: FactKey[tuple[str, ...]] = FactKey(
    "imap.id",
    TEXTS,
    "What the server says of itself in answer to ID (RFC 2971), as `field=value`, a field alone where its value is NIL; empty for NIL.",
    (("name=Cyrus IMAPD", "version=3.6.1"), ()),
)
IMAP_PREAUTH: FactKey[bool] = FactKey(
    "imap.preauth", FLAG, "Whether the greeting takes us for signed in, so that STARTTLS is out of reach.", (True, False)
)
SMTP_SIZE_LIMIT_BYTES: FactKey[int] = FactKey(
    "smtp.size_limit_bytes", COUNT, "Largest message that the server says it takes; 0 where it says that it sets no limit.", (37748736, 0)
)

# --- TLS and certificate ----------------------------------------------------------------------------------

STARTTLS_OFFERED: FactKey[bool] = FactKey("starttls.offered", FLAG, "Whether STLS or STARTTLS was listed before TLS.", (True, False))
STARTTLS_EXTRA_BYTES: FactKey[str] = FactKey(
    "starttls.extra_bytes",
    TEXT,
    "What came in clear between the upgrade's go-ahead and the handshake, bytes outside ASCII escaped; empty when nothing did.",
    ("", "+OK injected\\x0d\\x0a"),
)
STARTTLS_TAKES_INJECTED: FactKey[bool] = FactKey(
    "starttls.takes_injected_commands",
    FLAG,
    "Whether a command that came in clear behind STLS or STARTTLS was obeyed under TLS, as if it had come there.",
    (True, False),
)
STARTTLS_WITHDRAWN: FactKey[tuple[str, ...]] = FactKey(
    "starttls.withdrawn_capabilities",
    TEXTS,
    "Names of capabilities, other than the upgrade itself, that were listed before TLS and are not listed under it.",
    ((), ("AUTH",)),
)
STARTTLS_DIFFERS: FactKey[bool] = FactKey(
    "starttls.differs_between_addresses",
    FLAG,
    "Whether STLS or STARTTLS was listed at one address of the name and not at another.",
    (True, False),
)
TLS_MODE: FactKey[str] = FactKey(
    "tls.mode", choice("implicit", "starttls", "none"), "How TLS came about, if it did.", ("implicit", "starttls", "none")
)
TLS_COMPLETED: FactKey[bool] = FactKey(
    "tls.completed",
    FLAG,
    "Whether a TLS handshake with this program's own client came to its end, the certificate trusted or not.",
    (True, False),
)
TLS_FAILURE: FactKey[str] = FactKey(
    "tls.failure", TEXT, "How the handshake failed, in words; empty when it did not.", ("", "the peer sent an alert: handshake failure")
)
TLS_NEGOTIATED: FactKey[TlsSession] = FactKey(
    "tls.negotiated",
    SESSION,
    "What our own handshake agreed on, null where not visible.",
    (TlsSession("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),),
)
TLS_VERSIONS: FactKey[tuple[str, ...]] = FactKey(
    "tls.versions",
    choices("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    "Every protocol version that the server takes, lowest first.",
    (("TLSv1.2", "TLSv1.3"),),
)
TLS_SUITES: FactKey[Lists] = FactKey(
    "tls.suites",
    LISTS,
    "Every cipher suite that it takes, by version, IANA names, in the server's order where it has one.",
    ((("TLSv1.2", ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",)),),),
)
TLS_GROUPS: FactKey[Lists] = FactKey(
    "tls.groups",
    LISTS,
    "Every group that it exchanges keys in, by version; empty where keys are exchanged in none.",
    ((("TLSv1.3", ("x25519",)),),),
)
TLS_SCHEMES: FactKey[Lists] = FactKey(
    "tls.schemes", LISTS, "Every signature scheme that it signs with, for TLS 1.2 and 1.3.", ((("TLSv1.3", ("rsa_pss_rsae_sha256",)),),)
)
TLS_SERVER_ORDER: FactKey[Flags] = FactKey(
    "tls.server_order",
    FLAGS,
    "Whether the server's order of suites decides rather than the client's, for versions with two suites or more.",
    ((("TLSv1.2", True), ("TLSv1.3", False)),),
)
TLS_EXTENDED_MASTER_SECRET: FactKey[bool] = FactKey(
    "tls.extended_master_secret", FLAG, "Whether TLS 1.2 is held with the extended master secret (RFC 7627).", (True, False)
)
TLS_SECURE_RENEGOTIATION: FactKey[bool] = FactKey(
    "tls.secure_renegotiation",
    FLAG,
    "Whether the server knows secure renegotiation (RFC 5746), in its highest version below TLS 1.3.",
    (True, False),
)
TLS_WITHOUT_SCHEMES: FactKey[str] = FactKey(
    "tls.without_schemes",
    TEXT,
    "What a TLS 1.2 server signs with when the client names no signature scheme; `refused` where it then ends the handshake.",
    ("refused", "rsa_pkcs1_sha1"),
)
TLS_CERTIFICATES: FactKey[tuple[str, ...]] = FactKey(
    "tls.certificates",
    TEXTS,
    "Every server certificate that the hellos brought to light: key, signature, subject.",
    (("rsa-2048, sha256-rsa, CN=mail.contoso.test", "ecdsa-p256, sha256-ecdsa, CN=mail.contoso.test"),),
)
FIPS_PROFILE: FactKey[str] = FactKey(
    "fips.profile", TEXT, "The client whose FIPS mode the other facts of this name are about.", ("sp800-52r2", "windows-server-2019")
)
FIPS_CAN_WORK: FactKey[bool] = FactKey(
    "fips.can_work",
    FLAG,
    "Whether that client, limited to what its FIPS mode allows, comes to a TLS session with this server.",
    (True, False),
)
FIPS_REASONS: FactKey[tuple[str, ...]] = FactKey(
    "fips.reasons", TEXTS, "Why it does not, in words; empty where it does.", (("the server shows an rsa-1024 key",), ())
)
FIPS_NEGOTIATES: FactKey[TlsSession] = FactKey(
    "fips.negotiates",
    SESSION,
    "What this pair gets when the client offers what it offers by default, its FIPS policy being as declared.",
    (TlsSession("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "secp384r1", "rsa_pss_rsae_sha256"),),
)
FIPS_ALSO_ACCEPTS: FactKey[tuple[str, ...]] = FactKey(
    "fips.also_accepts",
    TEXTS,
    "What the server takes and that client's FIPS mode refuses: all of it after a full posture, else one of each kind that was asked for.",
    (("TLSv1.3 with TLS_CHACHA20_POLY1305_SHA256", "TLSv1.1"), ()),
)
CERTIFICATE_SUBJECT: FactKey[str] = FactKey("certificate.subject", TEXT, "Subject of the certificate, RFC 4514.", ("CN=mail.contoso.test",))
CERTIFICATE_ISSUER: FactKey[str] = FactKey("certificate.issuer", TEXT, "Issuer of the certificate, RFC 4514.", ("CN=Contoso Issuing CA",))
CERTIFICATE_NAMES: FactKey[tuple[str, ...]] = FactKey(
    "certificate.names",
    TEXTS,
    "DNS names and addresses that the certificate is for (subject alternative names).",
    (("mail.contoso.test", "*.contoso.test"),),
)
CERTIFICATE_NOT_BEFORE: FactKey[datetime] = FactKey(
    "certificate.not_before", MOMENT, "Start of validity.", (datetime(2026, 1, 1, tzinfo=UTC),)
)
CERTIFICATE_NOT_AFTER: FactKey[datetime] = FactKey(
    "certificate.not_after", MOMENT, "End of validity.", (datetime(2027, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC))
)
CERTIFICATE_KEY: FactKey[str] = FactKey("certificate.key", TEXT, "Kind and size of the public key.", ("rsa-2048", "ecdsa-p256", "ed25519"))
CERTIFICATE_SIGNATURE: FactKey[str] = FactKey(
    "certificate.signature", TEXT, "Algorithm that the certificate is signed with.", ("sha256-rsa", "sha384-ecdsa")
)
CERTIFICATE_CHAIN: FactKey[tuple[str, ...]] = FactKey(
    "certificate.chain",
    TEXTS,
    "Subjects of the certificates sent, in the order sent.",
    (("CN=mail.contoso.test", "CN=Contoso Issuing CA"),),
)
CERTIFICATE_TRUSTED: FactKey[bool] = FactKey(
    "certificate.trusted", FLAG, "Whether OpenSSL, with this machine's trust anchors, verified the chain (the name apart).", (True, False)
)
CERTIFICATE_DISTRUSTED_BECAUSE: FactKey[str] = FactKey(
    "certificate.distrusted_because",
    TEXT,
    "Why the chain was not verified, in OpenSSL's words; empty when it was.",
    ("", "self-signed certificate", "certificate has expired"),
)
CERTIFICATE_MATCHES_NAME: FactKey[bool] = FactKey(
    "certificate.matches_name", FLAG, "Whether the certificate is for the host that was asked for.", (True, False)
)

# --- HTTP and Exchange ------------------------------------------------------------------------------------

HTTP_STATUS: FactKey[int] = FactKey("http.status", COUNT, "Status of the answer to an anonymous EWS request.", (401, 403, 200))
HTTP_SERVER: FactKey[str] = FactKey("http.server", TEXT, "Server header of that answer.", ("Microsoft-IIS/10.0",))
HTTP_REDIRECT: FactKey[str] = FactKey(
    "http.redirect", TEXT, "Where that answer points elsewhere to; not followed.", ("https://other.example/EWS/Exchange.asmx",)
)
EWS_CHALLENGES: FactKey[tuple[Challenge, ...]] = FactKey(
    "ews.challenges",
    CHALLENGES,
    "All challenges of that answer, with their parameters.",
    ((Challenge("Basic", None, (("realm", "mail.contoso.test"),)),), ()),
)
EWS_HEADERS: FactKey[tuple[str, ...]] = FactKey(
    "ews.headers", TEXTS, "The headers of that answer by which Exchange may be known, as `Name: value`.", (("X-FEServer: MAIL01",), ())
)
EWS_POLICY_BLOCK: FactKey[str] = FactKey(
    "ews.policy_block",
    choice("disabled", "blocked-by-policy"),
    "How Exchange Online says that EWS is closed (X-EWS-Policy-Reason).",
    ("disabled", "blocked-by-policy"),
)
EWS_MARKS: FactKey[tuple[str, ...]] = FactKey(
    "ews.exchange_marks",
    choices("header", "owa-page", "export-tool"),
    "Where Exchange showed itself to an anonymous visitor; empty where it did not.",
    (("header", "owa-page"), ()),
)
SERVER_BUILD: FactKey[Build] = FactKey(
    "server.build",
    BUILD,
    "Exchange's build, three numbers where only three were shown.",
    (Build((15, 1, 2507, 57)), Build((15, 2, 2562))),
    longer_build,
)
NTLM_WINDOWS_BUILD: FactKey[str] = FactKey(
    "ntlm.windows_build", TEXT, "Windows version in the NTLM challenge; Windows', never Exchange's.", ("10.0.20348",)
)
NTLM_COMPUTER: FactKey[str] = FactKey(
    "ntlm.computer", TEXT, "DNS name of the computer in the NTLM challenge, else its NetBIOS name.", ("mail01.contoso.test",)
)
NTLM_DOMAIN: FactKey[str] = FactKey(
    "ntlm.domain", TEXT, "DNS name of the domain in the NTLM challenge, else its NetBIOS name.", ("contoso.test",)
)

# --- Signing in -------------------------------------------------------------------------------------------

AUTH_MECHANISMS: FactKey[tuple[str, ...]] = FactKey(
    "auth.mechanisms",
    TEXTS,
    "SASL and login mechanisms offered under TLS, upper-case, in order, each once; `USER` for POP3's USER and PASS, `APOP` for a stamp in the greeting, `LOGIN` also for IMAP's LOGIN unless it is disabled.",
    (("PLAIN", "LOGIN", "XOAUTH2"), ()),
)
AUTH_MECHANISMS_PLAIN: FactKey[tuple[str, ...]] = FactKey(
    "auth.mechanisms_plain", TEXTS, "The same, offered before TLS.", (("CRAM-MD5",), ())
)
AUTH_SCHEMES: FactKey[tuple[str, ...]] = FactKey(
    "auth.schemes", TEXTS, "HTTP authentication schemes of EWS, as offered, each once.", (("Negotiate", "NTLM"), ())
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
)
AUTH_REFUSAL: FactKey[tuple[str, ...]] = FactKey(
    "auth.refusal",
    choices(
        "mfa-required",
        "app-password-required",
        "oauth-required",
        "basic-auth-disabled",
        "protocol-disabled",
        "bad-credentials",
        "account-locked",
        "throttled",
        "tls-required",
        "password-expired",
        "temporary-failure",
    ),
    "What the refusal of a login may mean; several where the words cannot separate them.",
    (("bad-credentials",), ()),
)
EWS_INBOX: FactKey[str] = FactKey(
    "ews.inbox",
    TEXT,
    "What came of FindFolder on the inbox: `found`, or Exchange's error code.",
    ("found", "ErrorNonExistentMailbox", "ErrorImpersonateUserDenied"),
)
EWS_IMPERSONATION: FactKey[str] = FactKey(
    "ews.impersonation", choice("granted", "denied"), "Whether the account may act as the mailbox.", ("granted", "denied")
)

# --- What is worked out -----------------------------------------------------------------------------------

SERVER_VENDOR: FactKey[str] = FactKey("server.vendor", TEXT, "Who makes or runs it.", ("Microsoft", "Google"))
SERVER_PRODUCT: FactKey[str] = FactKey(
    "server.product",
    TEXT,
    "What answers, as far as what was said reveals it.",
    ("Exchange Server 2016", "Exchange Server 2007", "Exchange Server SE", "Exchange Online", "Exchange", "Gmail", "Dovecot"),
    more_specific_product,
)
SERVER_VERSION: FactKey[str] = FactKey("server.version", TEXT, "Its version, as far as what was said reveals it.", ("4.96", "15.1.2507.57"))
SERVER_UPDATE: FactKey[UpdateRange] = FactKey(
    "server.update",
    UPDATE,
    "Which cumulative and security update of Exchange runs, exactly or between two.",
    (UpdateRange(exact="CU23 Oct25SU"), UpdateRange(at_least="CU23 May25HU", at_most="CU23 Aug25SU"), UpdateRange(at_least="RTM Aug26SU")),
)
SERVER_END_OF_SUPPORT: FactKey[date] = FactKey(
    "server.end_of_support", DAY, "When the product's support ended or ends.", (date(2025, 10, 14), date(2035, 12, 31))
)
PROVIDER: FactKey[str] = FactKey(
    "provider",
    TEXT,
    "Whose hosted service it is.",
    ("gmail", "yahoo", "aol", "outlook.com", "msn", "windows-live", "exchange-online", "icloud"),
)
MODERN_AUTH_OFFERED: FactKey[bool] = FactKey("modern_auth.offered", FLAG, "Whether token sign-in (OAuth) is offered.", (True, False))
PASSWORD_LOGIN_POSSIBLE: FactKey[bool] = FactKey(
    "password_login.possible", FLAG, "Whether a password can work at all here and today.", (True, False)
)
MFA_REQUIRED: FactKey[bool] = FactKey(
    "mfa.required", FLAG, "Whether the account that signs in needs multi-factor authentication.", (True, False)
)


def all_keys() -> dict[str, FactKey[Any]]:
    """Every key of the vocabulary, by name, in the order above."""
    return {value.name: value for value in globals().values() if isinstance(value, FactKey)}
