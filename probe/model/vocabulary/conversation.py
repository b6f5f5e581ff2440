"""What a conversation shows before anything of TLS or sign-in: reaching it, its words, and what became of a test message."""

from __future__ import annotations

from probe.model.keys import FactKey, in_any_order, nothing
from probe.model.kinds import COUNT, FLAG, TEXT, TEXTS

NET_ADDRESSES: FactKey[tuple[str, ...]] = FactKey(
    "net.addresses",
    TEXTS,
    "Every address that the name resolves to, in the resolver's order; empty when the name does not exist or has none.",
    (("192.0.2.7", "2001:db8::7"), ()),
    kept=bool,
)
NET_CONNECTED: FactKey[bool] = FactKey(
    "net.connected", FLAG, "Whether a TCP connection came about: yes, or every address refused it or gave no way to it.", (True, False)
)
PROTOCOL_SPOKEN: FactKey[bool] = FactKey(
    "protocol.spoken", FLAG, "Whether what answered speaks the protocol of the endpoint.", (True, False)
)
PROTOCOL_GREETING: FactKey[str] = FactKey(
    "protocol.greeting",
    TEXT,
    "The greeting as said, its lines joined by newlines.",
    ("+OK Dovecot ready.",),
    kept=nothing,
)
PROTOCOL_CAPABILITIES: FactKey[tuple[str, ...]] = FactKey(
    "protocol.capabilities",
    TEXTS,
    "Capabilities as listed, in order, once TLS is up; the lines of CAPA, of EHLO after its first, or the words of IMAP's CAPABILITY.",
    (("TOP", "UIDL", "SASL PLAIN"), ()),
    kept=in_any_order,
)
PROTOCOL_CAPABILITIES_PLAIN: FactKey[tuple[str, ...]] = FactKey(
    "protocol.capabilities_plain",
    TEXTS,
    "Capabilities as listed before TLS.",
    (("TOP", "STLS"), ()),
    kept=in_any_order,
)
SMTP_EHLO_NAME: FactKey[str] = FactKey(
    "smtp.ehlo_greeting",
    TEXT,
    "First line of the reply to EHLO, less its code.",
    ("mail.example Hello probe [192.0.2.1]",),
    kept=nothing,
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
    kept=nothing,
)
ROUNDTRIP_RETURNED: FactKey[bool] = FactKey(
    "roundtrip.returned",
    FLAG,
    "Whether the test message was seen in the inbox; no where it was looked for until the attempt's time was over.",
    (True, False),
)
ROUNDTRIP_MILLISECONDS: FactKey[int] = FactKey(
    "roundtrip.milliseconds",
    COUNT,
    "Time from the outgoing server's yes until the test message was seen in the inbox, in milliseconds.",
    (850, 12000),
    kept=nothing,
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
    kept=nothing,
)
PROTOCOL_FAREWELL: FactKey[str] = FactKey(
    "protocol.farewell",
    TEXT,
    "What the server said when we took our leave, as said.",
    ("+OK Better luck next time.",),
    kept=nothing,
)
IMAP_ID: FactKey[tuple[str, ...]] = FactKey(
    "imap.id",
    TEXTS,
    "What the server says of itself in answer to ID (RFC 2971), as `field=value`, a field alone where its value is NIL; empty for NIL.",
    (("name=Cyrus IMAPD", "version=3.6.1"), ()),
    kept=nothing,
)
IMAP_PREAUTH: FactKey[bool] = FactKey(
    "imap.preauth", FLAG, "Whether the greeting takes us for signed in, so that STARTTLS is out of reach.", (True, False)
)
SMTP_SIZE_LIMIT_BYTES: FactKey[int] = FactKey(
    "smtp.size_limit_bytes", COUNT, "Largest message that the server says it takes; 0 where it says that it sets no limit.", (37748736, 0)
)
