"""What a conversation shows before anything of TLS or sign-in: reaching it, its words, and what became of a test message."""

from __future__ import annotations

from probe.model.keys import FactKey, in_any_order, nothing
from probe.model.kinds import COUNT, FLAG, TEXT, TEXTS

NET_ADDRESSES: FactKey[tuple[str, ...]] = FactKey(
    "net.addresses",
    TEXTS,
    "Every address that the name resolves to, in the resolver's order; empty where the name does not exist or has no address.",
    (("192.0.2.7", "2001:db8::7"), ()),
    kept=bool,
)
NET_CONNECTED: FactKey[bool] = FactKey(
    "net.connected", FLAG, "Whether a TCP connection was established; no where every address refused it or was unreachable.", (True, False)
)
PROTOCOL_SPOKEN: FactKey[bool] = FactKey("protocol.spoken", FLAG, "Whether the answer is in the endpoint's protocol.", (True, False))
PROTOCOL_GREETING: FactKey[str] = FactKey(
    "protocol.greeting",
    TEXT,
    "The greeting as it was sent, its lines joined by newlines.",
    ("+OK Dovecot ready.",),
    kept=nothing,
)
PROTOCOL_CAPABILITIES: FactKey[tuple[str, ...]] = FactKey(
    "protocol.capabilities",
    TEXTS,
    "The capabilities under TLS, as listed and in order: the lines of CAPA, those of EHLO after the first, or the words of IMAP's CAPABILITY.",
    (("TOP", "UIDL", "SASL PLAIN"), ()),
    kept=in_any_order,
)
PROTOCOL_CAPABILITIES_PLAIN: FactKey[tuple[str, ...]] = FactKey(
    "protocol.capabilities_plain",
    TEXTS,
    "The capabilities before TLS, as listed.",
    (("TOP", "STLS"), ()),
    kept=in_any_order,
)
SMTP_EHLO_NAME: FactKey[str] = FactKey(
    "smtp.ehlo_greeting",
    TEXT,
    "First line of the reply to EHLO, without its code.",
    ("mail.example Hello probe [192.0.2.1]",),
    kept=nothing,
)
POP3_LOGIN_DELAY_SECONDS: FactKey[int] = FactKey(
    "pop3.login_delay_seconds",
    COUNT,
    "Seconds that the server requires between logins of one account, as announced before a sign-in (LOGIN-DELAY, RFC 2449 section 6.5).",
    (300, 10),
)
ROUNDTRIP_SENT: FactKey[bool] = FactKey(
    "roundtrip.sent", FLAG, "Whether the outgoing server accepted a test message from the mailbox to itself.", (True, False)
)
ROUNDTRIP_REPLY: FactKey[str] = FactKey(
    "roundtrip.reply",
    TEXT,
    "The reply of the outgoing server to the test message, or to the command at which it refused the message.",
    ("250 2.0.0 Ok: queued as 4F1", "550 5.7.60 SMTP; Client does not have permissions to send as this sender"),
    kept=nothing,
)
ROUNDTRIP_RETURNED: FactKey[bool] = FactKey(
    "roundtrip.returned",
    FLAG,
    "Whether the test message arrived in the inbox; no where it was not found until the attempt's time was over.",
    (True, False),
)
ROUNDTRIP_MILLISECONDS: FactKey[int] = FactKey(
    "roundtrip.milliseconds",
    COUNT,
    "Time from the outgoing server's acceptance until the test message was found in the inbox, in milliseconds.",
    (850, 12000),
    kept=nothing,
)
ROUNDTRIP_REMOVED: FactKey[bool] = FactKey(
    "roundtrip.removed",
    FLAG,
    "Whether the test message was removed from the inbox; no where it could at most be marked as deleted.",
    (True, False),
)
SMTP_HELP: FactKey[str] = FactKey(
    "smtp.help",
    TEXT,
    "Reply to HELP as it was sent, positive or negative; asked for only where the greeting names no product.",
    ("214 2.0.0 This is OpenSMTPD", "502 5.5.2 Error: command not recognized"),
    kept=nothing,
)
PROTOCOL_FAREWELL: FactKey[str] = FactKey(
    "protocol.farewell",
    TEXT,
    "The server's reply to QUIT or LOGOUT, as it was sent.",
    ("+OK Better luck next time.",),
    kept=nothing,
)
IMAP_ID: FactKey[tuple[str, ...]] = FactKey(
    "imap.id",
    TEXTS,
    "The fields of the answer to ID (RFC 2971), as `field=value`, or as the field alone where its value is NIL; empty for NIL.",
    (("name=Cyrus IMAPD", "version=3.6.1"), ()),
    kept=nothing,
)
IMAP_PREAUTH: FactKey[bool] = FactKey(
    "imap.preauth",
    FLAG,
    "Whether the greeting is PREAUTH: the connection counts as signed in, and STARTTLS is not possible.",
    (True, False),
)
SMTP_SIZE_LIMIT_BYTES: FactKey[int] = FactKey(
    "smtp.size_limit_bytes",
    COUNT,
    "The largest message that the server says it accepts; 0 where it says that it has no limit.",
    (37748736, 0),
)
