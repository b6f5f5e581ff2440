"""What Dynamics' own records say: of its mailboxes, its email server profiles, and of itself."""

from __future__ import annotations

from datetime import UTC, datetime

from probe.model.keys import FactKey, in_any_order, magnitude, nothing, without_numbers
from probe.model.kinds import COUNT, DIRECTION_FLAGS, DIRECTION_WORDS, FLAG, MOMENT, TEXT, TEXTS, Flags, Outcomes, choice

_THEN = (datetime(2026, 11, 1, 8, tzinfo=UTC),)
_SET = "Whether Dynamics holds a password {}; the password itself cannot be read."

DYNAMICS_ORGANIZATION_ID: FactKey[str] = FactKey(
    "dynamics.organization_id",
    TEXT,
    "The id of the organization whose records were read.",
    ("5d1b0f8c-3c55-4d0f-9a57-0b9d7c3f2a11",),
    is_drift=True,
)
DYNAMICS_VERSION: FactKey[str] = FactKey(
    "dynamics.version", TEXT, "The version of Dynamics, as Dynamics reports it.", ("9.1.18.22",), is_drift=True
)
DYNAMICS_IDLE_MINUTES: FactKey[int] = FactKey(
    "dynamics.idle_minutes",
    COUNT,
    "Minutes since the asynchronous service last processed any enabled mailbox; known only where the records of all were read.",
    (3, 61),
    kept=magnitude,
)

DYNAMICS_ACTIVE: FactKey[bool] = FactKey(
    "dynamics.active", FLAG, "Whether the email server profile is active.", (True, False), is_drift=True
)
DYNAMICS_INCOMING_PORT: FactKey[int] = FactKey(
    "dynamics.incoming_port",
    COUNT,
    "The port of the profile's incoming endpoint, in a POP3/SMTP or IMAP/SMTP profile.",
    (995, 0),
    is_drift=True,
)
DYNAMICS_OUTGOING_PORT: FactKey[int] = FactKey(
    "dynamics.outgoing_port",
    COUNT,
    "The port of the profile's outgoing endpoint, in a POP3/SMTP or IMAP/SMTP profile.",
    (587, 65536),
    is_drift=True,
)
DYNAMICS_INCOMING_PASSWORD_SET: FactKey[bool] = FactKey(
    "dynamics.incoming_password_set",
    FLAG,
    _SET.format("of the profile to collect with"),
    (True, False),
    is_drift=True,
)
DYNAMICS_OUTGOING_PASSWORD_SET: FactKey[bool] = FactKey(
    "dynamics.outgoing_password_set",
    FLAG,
    _SET.format("of the profile to send with"),
    (True, False),
    is_drift=True,
)

DYNAMICS_FOUND: FactKey[bool] = FactKey(
    "dynamics.found",
    FLAG,
    "Whether Dynamics has a row with the mailbox's id or address that the account is shown; it is told where there is none.",
    (False,),
    is_drift=True,
)
DYNAMICS_DIFFERS: FactKey[tuple[str, ...]] = FactKey(
    "dynamics.differs",
    TEXTS,
    "In what the mailbox's row and its profile's are not what the estate says, each in a sentence, where no rule of its own is about it.",
    (("incoming authentication: the estate has ntlm, Dynamics has basic",), ()),
    kept=in_any_order,
    is_drift=True,
)
DYNAMICS_PROFILE: FactKey[str] = FactKey(
    "dynamics.profile",
    TEXT,
    "The name of the mailbox's email server profile in Dynamics; empty where it has none.",
    ("corp", ""),
    is_drift=True,
)
DYNAMICS_ENABLED: FactKey[Flags] = FactKey(
    "dynamics.enabled",
    DIRECTION_FLAGS,
    "Whether Dynamics processes the mailbox, for each direction.",
    (
        (("incoming", True), ("outgoing", True), ("appointments", True)),
        (("incoming", False), ("outgoing", True), ("appointments", False)),
    ),
    is_drift=True,
)
DYNAMICS_STATUS: FactKey[Outcomes] = FactKey(
    "dynamics.status",
    DIRECTION_WORDS,
    "The result of the mailbox's last test, for each direction: `not-run`, `success` or `failure`.",
    (
        (("incoming", "success"), ("outgoing", "success"), ("appointments", "success")),
        (("incoming", "failure"), ("outgoing", "success"), ("appointments", "not-run")),
    ),
    is_drift=True,
)
DYNAMICS_APPROVED: FactKey[bool] = FactKey(
    "dynamics.approved",
    FLAG,
    "Whether the mailbox's address is approved in Dynamics.",
    (True, False),
    is_drift=True,
)
DYNAMICS_APPROVED_BY_OFFICE_365: FactKey[bool] = FactKey(
    "dynamics.approved_by_office_365",
    FLAG,
    "Whether an administrator of Office 365 has approved the mailbox's address.",
    (True, False),
    is_drift=True,
)
DYNAMICS_PASSWORD_SET: FactKey[bool] = FactKey(
    "dynamics.password_set",
    FLAG,
    "Whether Dynamics holds a password of the mailbox's own and may use it; the password itself cannot be read.",
    (True, False),
    is_drift=True,
)
DYNAMICS_EWS_URL: FactKey[str] = FactKey(
    "dynamics.ews_url",
    TEXT,
    "The EWS endpoint that Autodiscover found for the mailbox.",
    ("https://mail.contoso.test/EWS/Exchange.asmx",),
    is_drift=True,
)
DYNAMICS_LAST_SUCCESS: FactKey[datetime] = FactKey(
    "dynamics.last_success",
    MOMENT,
    "When the mailbox was last synchronized successfully.",
    _THEN,
    kept=nothing,
)
DYNAMICS_LAST_ATTEMPT: FactKey[datetime] = FactKey(
    "dynamics.last_attempt", MOMENT, "When the mailbox was last processed.", _THEN, kept=nothing
)
DYNAMICS_LAST_ERROR: FactKey[str] = FactKey(
    "dynamics.last_error",
    TEXT,
    "The last error of the mailbox, in the words of Dynamics.",
    ("Http server returned 401 Unauthorized exception.",),
    kept=without_numbers,
)
DYNAMICS_LAST_ERROR_AT: FactKey[datetime] = FactKey("dynamics.last_error_at", MOMENT, "When that error occurred.", _THEN, kept=nothing)
DYNAMICS_PENDING_SEND: FactKey[int] = FactKey(
    "dynamics.pending_send", COUNT, "The number of mails of the mailbox that wait to be sent.", (12, 0), kept=magnitude
)
DYNAMICS_ORGANIZATION: FactKey[str] = FactKey(
    "dynamics.organization",
    choice("this", "other"),
    "The organization that is the primary one for synchronizing the mailbox.",
    ("this", "other"),
    is_drift=True,
)
DYNAMICS_PROCESSES_MAIL_SINCE: FactKey[datetime] = FactKey(
    "dynamics.processes_mail_since",
    MOMENT,
    "The time before which mail is not processed: the mailbox's own setting, else its profile's.",
    (*_THEN, datetime(2019, 1, 1, tzinfo=UTC)),
    is_drift=True,
)

DYNAMICS_KEYS = frozenset(value for name, value in list(globals().items()) if name.startswith("DYNAMICS_"))
"""All keys of this file, whatever their subject."""
