"""TLS, the certificate, and what FIPS mode leaves of them."""

from __future__ import annotations

from datetime import UTC, datetime

from probe.model.keys import FactKey, in_any_order, nothing
from probe.model.kinds import (
    CHAIN_END,
    FLAG,
    FLAGS,
    LISTS,
    MOMENT,
    SESSION,
    TEXT,
    TEXTS,
    VALIDITIES,
    ChainEnd,
    Flags,
    Lists,
    TlsSession,
    Validity,
    choice,
    choices,
)

STARTTLS_OFFERED: FactKey[bool] = FactKey(
    "starttls.offered", FLAG, "Whether STLS or STARTTLS was listed before TLS.", (True, False), is_drift=True
)
STARTTLS_EXTRA_BYTES: FactKey[str] = FactKey(
    "starttls.extra_bytes",
    TEXT,
    "Unencrypted data between the server's agreement to the upgrade and the handshake, with bytes outside ASCII escaped; empty where there was none.",
    ("", "+OK injected\\x0d\\x0a"),
    kept=bool,
    is_drift=True,
)
STARTTLS_TAKES_INJECTED: FactKey[bool] = FactKey(
    "starttls.takes_injected_commands",
    FLAG,
    "Whether a command sent unencrypted after STLS or STARTTLS was executed under TLS.",
    (True, False),
)
STARTTLS_WITHDRAWN: FactKey[tuple[str, ...]] = FactKey(
    "starttls.withdrawn_capabilities",
    TEXTS,
    "The capabilities, other than the upgrade itself, that were listed before TLS and not under it.",
    ((), ("AUTH",)),
    kept=in_any_order,
)
STARTTLS_DIFFERS: FactKey[bool] = FactKey(
    "starttls.differs_between_addresses",
    FLAG,
    "Whether STLS or STARTTLS was listed at one address of the name and not at another.",
    (True, False),
)
TLS_MODE: FactKey[str] = FactKey(
    "tls.mode",
    choice("implicit", "starttls", "none"),
    "How TLS began, if it did.",
    ("implicit", "starttls", "none"),
    is_drift=True,
)
TLS_COMPLETED: FactKey[bool] = FactKey(
    "tls.completed",
    FLAG,
    "Whether a TLS handshake with this program's own client was completed, whether or not the certificate is trusted.",
    (True, False),
)
TLS_DEPLOYMENT_GETS: FactKey[bool] = FactKey(
    "tls.deployment_gets",
    FLAG,
    "Whether the deployment's own Windows, with its FIPS policy as declared, gets a TLS session with this server. "
    "In a look, the Windows that `--fips` names, its policy on. What it gets stands in `fips.negotiates`.",
    (True, False),
    is_drift=True,
)
TLS_FAILURE: FactKey[str] = FactKey(
    "tls.failure",
    TEXT,
    "How the handshake failed, in words; empty when it did not.",
    ("", "the peer sent an alert: handshake failure"),
    kept=nothing,
)
TLS_OLDER_HELLO: FactKey[bool] = FactKey(
    "tls.older_hello",
    FLAG,
    "Whether this program's handshake succeeded only with a hello from before TLS 1.3, because the server did not answer a current one.",
    (False, True),
)
TLS_NEGOTIATED: FactKey[TlsSession] = FactKey(
    "tls.negotiated",
    SESSION,
    "What this program's handshake negotiated; null where that is not visible.",
    (TlsSession("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),),
)
TLS_VERSIONS: FactKey[tuple[str, ...]] = FactKey(
    "tls.versions",
    choices("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    "Every protocol version that the server accepts, lowest first.",
    (("TLSv1.2", "TLSv1.3"),),
)
TLS_SUITES: FactKey[Lists] = FactKey(
    "tls.suites",
    LISTS,
    "Every cipher suite that the server accepts, by version, as IANA names, in the server's order where it has one.",
    ((("TLSv1.2", ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",)),),),
)
TLS_GROUPS: FactKey[Lists] = FactKey(
    "tls.groups",
    LISTS,
    "Every group that the server accepts for key exchange, by version; empty where it uses none.",
    ((("TLSv1.3", ("x25519",)),),),
)
TLS_SCHEMES: FactKey[Lists] = FactKey(
    "tls.schemes",
    LISTS,
    "Every signature scheme that the server signs with, for TLS 1.2 and 1.3.",
    ((("TLSv1.3", ("rsa_pss_rsae_sha256",)),),),
)
TLS_SERVER_ORDER: FactKey[Flags] = FactKey(
    "tls.server_order",
    FLAGS,
    "Whether the server's order of suites decides rather than the client's, for versions with two suites or more.",
    ((("TLSv1.2", True), ("TLSv1.3", False)),),
)
TLS_EXTENDED_MASTER_SECRET: FactKey[bool] = FactKey(
    "tls.extended_master_secret", FLAG, "Whether TLS 1.2 uses the extended master secret (RFC 7627).", (True, False)
)
TLS_SECURE_RENEGOTIATION: FactKey[bool] = FactKey(
    "tls.secure_renegotiation",
    FLAG,
    "Whether the server supports secure renegotiation (RFC 5746), in its highest version below TLS 1.3.",
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
    "Every server certificate that the hellos showed: key, signature, subject.",
    (("rsa-2048, sha256-rsa, CN=mail.contoso.test", "ecdsa-p256, sha256-ecdsa, CN=mail.contoso.test"),),
    kept=in_any_order,
)
FIPS_PROFILE: FactKey[str] = FactKey(
    "fips.profile", TEXT, "The client whose FIPS mode the other `fips` facts are about.", ("sp800-52r2", "windows-server-2019")
)
FIPS_CAN_WORK: FactKey[bool] = FactKey(
    "fips.can_work",
    FLAG,
    "Whether that client, limited to what its FIPS mode allows, gets a TLS session with this server.",
    (True, False),
    is_drift=True,
)
FIPS_REASONS: FactKey[tuple[str, ...]] = FactKey(
    "fips.reasons", TEXTS, "Why it gets none, in words; empty where it gets one.", (("the server shows an rsa-1024 key",), ())
)
FIPS_NEGOTIATES: FactKey[TlsSession] = FactKey(
    "fips.negotiates",
    SESSION,
    "The session that the client gets with its default offer and its FIPS policy as declared.",
    (TlsSession("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "secp384r1", "rsa_pss_rsae_sha256"),),
    is_drift=True,
)
FIPS_ALSO_ACCEPTS: FactKey[tuple[str, ...]] = FactKey(
    "fips.also_accepts",
    TEXTS,
    "What the server accepts and that client's FIPS mode refuses: everything after a full posture, else one of each kind that was asked for.",
    (("TLSv1.3 with TLS_CHACHA20_POLY1305_SHA256", "TLSv1.1"), ()),
)
CERTIFICATE_SUBJECT: FactKey[str] = FactKey(
    "certificate.subject", TEXT, "Subject of the certificate, RFC 4514.", ("CN=mail.contoso.test",), is_drift=True
)
CERTIFICATE_ISSUER: FactKey[str] = FactKey(
    "certificate.issuer", TEXT, "Issuer of the certificate, RFC 4514.", ("CN=Contoso Issuing CA",), is_drift=True
)
CERTIFICATE_NAMES: FactKey[tuple[str, ...]] = FactKey(
    "certificate.names",
    TEXTS,
    "DNS names and addresses that the certificate is for (subject alternative names).",
    (("mail.contoso.test", "*.contoso.test"),),
    kept=in_any_order,
    is_drift=True,
)
CERTIFICATE_NOT_BEFORE: FactKey[datetime] = FactKey(
    "certificate.not_before", MOMENT, "Start of validity.", (datetime(2026, 1, 1, tzinfo=UTC),)
)
CERTIFICATE_NOT_AFTER: FactKey[datetime] = FactKey(
    "certificate.not_after",
    MOMENT,
    "End of validity.",
    (datetime(2027, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)),
    is_drift=True,
)
CERTIFICATE_KEY: FactKey[str] = FactKey(
    "certificate.key", TEXT, "Kind and size of the public key.", ("rsa-2048", "ecdsa-p256", "ed25519"), is_drift=True
)
CERTIFICATE_SIGNATURE: FactKey[str] = FactKey(
    "certificate.signature",
    TEXT,
    "Algorithm that the certificate is signed with.",
    ("sha256-rsa", "sha384-ecdsa"),
    is_drift=True,
)
CERTIFICATE_CHAIN: FactKey[tuple[str, ...]] = FactKey(
    "certificate.chain",
    TEXTS,
    "The subjects of the certificates, in the order in which they were sent.",
    (("CN=mail.contoso.test", "CN=Contoso Issuing CA"),),
)
CERTIFICATE_CHAIN_DATES: FactKey[tuple[Validity, ...]] = FactKey(
    "certificate.chain_dates",
    VALIDITIES,
    "From when to when each certificate is valid, in the order in which they were sent; one that cannot be read is left out.",
    (
        (
            Validity("CN=mail.contoso.test", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
            Validity("CN=Contoso Issuing CA", datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)),
        ),
    ),
)
CERTIFICATE_CHAIN_ENDS: FactKey[ChainEnd] = FactKey(
    "certificate.chain_ends",
    CHAIN_END,
    "The earliest end of validity in the chain that was sent and is needed, the server's own certificate included, and the subject of that certificate.",
    (
        ChainEnd("CN=Contoso Issuing CA", datetime(2027, 1, 1, tzinfo=UTC)),
        ChainEnd("CN=mail.contoso.test", datetime(2026, 12, 1, tzinfo=UTC)),
    ),
    is_drift=True,
)
CERTIFICATE_TRUSTED: FactKey[bool] = FactKey(
    "certificate.trusted",
    FLAG,
    "Whether OpenSSL verified the chain with this machine's trust anchors, apart from the name.",
    (True, False),
    is_drift=True,
)
HAS_EXPIRED = "certificate has expired"
"""OpenSSL's words for X509_V_ERR_CERT_HAS_EXPIRED, in `certificate.distrusted_because` of the server's own certificate alone."""
CERTIFICATE_DISTRUSTED_BECAUSE: FactKey[str] = FactKey(
    "certificate.distrusted_because",
    TEXT,
    "Why the chain was not verified, in OpenSSL's words; empty where it was. Where another certificate than the server's own has expired, its subject too.",
    ("", "self-signed certificate", HAS_EXPIRED, f"{HAS_EXPIRED}: CN=Contoso Issuing CA, on 2026-09-30"),
    is_drift=True,
)
CERTIFICATE_MATCHES_NAME: FactKey[bool] = FactKey(
    "certificate.matches_name",
    FLAG,
    "Whether the certificate is valid for the host name of the endpoint.",
    (True, False),
    is_drift=True,
)
