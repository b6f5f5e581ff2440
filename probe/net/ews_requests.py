"""Requests to EWS that a child process carries out, and their results: plain data that goes in and comes out."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import Literal

from probe.model.values import dataclass

EwsTrouble = Literal[
    "", "timed-out", "closed", "tls-failed", "untrusted", "too-long", "no-challenge", "locked", "second-request", "malformed"
]
"""What went wrong beside what the status says:

- `timed-out`, `closed`: the connection gave no whole answer;
- `tls-failed`, `untrusted`: the handshake, or the certificate; nothing was sent then;
- `too-long`: the answer was cut off;
- `no-challenge`: the server did not take up NTLM, so that nobody signed in;
- `locked`: the server says in words that the account is locked out;
- `second-request`: the library wanted to go on after the one logon, and was held back;
- `malformed`: the answer is not what EWS says.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EwsRequest:
    """A request to look into folders. Make it just before it is carried out, because it holds a password in clear."""

    url: str
    address: str
    """The address to connect to, whatever the name in the URL may resolve to meanwhile; TLS goes by the name."""
    username: str
    """Empty where a token says who it is."""
    password: str = field(repr=False)
    """The password; the access token where it is `bearer`."""
    authentication: Literal["ntlm", "basic", "negotiate", "bearer"]
    """`negotiate` carries NTLM inside; Kerberos is not spoken."""
    mailbox: str
    """Address of the mailbox whose folders are looked into."""
    impersonate: bool
    is_exchange_2007: bool = False
    """Whether nothing newer than Exchange 2007 answers there, so that its schema is asked in at once."""
    folders: tuple[str, ...] = ("inbox",)
    """Distinguished names of the folders, in order; those after the first are asked for only if the first is found."""
    newer_than: datetime | None = None
    """A time from which on the messages of the inbox are counted, once the folders were found; None: they are not."""
    ca_file: str | None = None
    """More trust anchors, in PEM."""
    has_older_hello: bool = False
    """Whether the server is known to fail on a present-day TLS hello."""
    seconds: float
    """Longest conversation, so that what came before is told. Best effort: the deadline is the parent's, and a little later."""


SCHEMA = "Exchange2010_SP2"
"""What every server since Exchange 2010 SP2 speaks, so that one request is enough."""
OLDEST_SCHEMA = "Exchange2007_SP1"
"""What Exchange 2007 SP1 and later speak; asked in where the other is refused."""

# What a server says that does not know the schema, or whose mailbox server behind it does not (responsecode.md of EWS's documentation).
TOO_NEW = frozenset(
    {"ErrorInvalidServerVersion", "ErrorSchemaValidation", "ErrorIncorrectSchemaVersion", "ErrorInvalidSchemaVersionForMailboxVersion"}
)

NO_SUCH_MAILBOX = "ErrorNonExistentMailbox"
"""Exchange's code that makes Autodiscover worth asking: the mailbox is another server's, or nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EwsResult:
    """The result of an EwsRequest: plain data, without the password even where the peer repeats it."""

    status: int | None
    """HTTP status of the last answer, None where there was none."""
    headers: tuple[tuple[str, str], ...]
    """Headers of that answer that are on the list of `probe.net.ews_protocol`."""
    folder: str | None
    """What came of the first folder: `found`, or Exchange's response code, or None where Exchange said neither."""
    others: tuple[tuple[str, str], ...] = ()
    """What came of the other folders, likewise, as far as they were answered. All else here is about the first."""
    newer: int | str | None = None
    """How many messages came after the time that was named, or the response code in place of a number; None where nobody asked, or no answer came."""
    version: str | None
    """Four numbers out of ServerVersionInfo, as in `15.1.2507.57`."""
    back_off_seconds: float | None
    """How long a busy server asks to be left alone, if it says."""
    error: EwsTrouble
    logons: int
    """Requests that carried the password, a proof of it, or the token; after the first that was refused there is no other."""
    exchanges: tuple[tuple[str, str, int | None], ...]
    """Every request: method, path, and status, None where no answer came."""

    def header(self, name: str) -> str | None:
        """The first value of a header, or None; names compare without case."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AutodiscoverResult:
    """What Autodiscover on the same host said of the mailbox; like EwsResult, plain data, free of the password."""

    directions: tuple[str, str] | None
    """Where it sends the mailbox: action and target, as in `probe.wire.autodiscover.Directions`; None where it told nothing."""
    status: int | None
    """HTTP status of the last answer, None where there was none."""
    headers: tuple[tuple[str, str], ...]
    """Headers of that answer, as in EwsResult."""
    error: EwsTrouble
    logons: int
    """Requests that carried the password, a proof of it, or the token: one at most."""
    exchanges: tuple[tuple[str, str, int | None], ...]
    """Every request, as in EwsResult."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRemoval:
    """A request to remove one message."""

    request: EwsRequest
    subject: str
    """Its whole subject; a message with any other is not touched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalResult:
    """The result of a MessageRemoval."""

    state: Literal["absent", "removed", "kept", "refused", "broken"]
    """`kept`: it was found, and the server would not delete it; `refused`: nobody was let in, or the server would not search;
    `broken`: no answer that can be read."""
    detail: str = ""
    """Exchange's code or the status, where there is one."""
    trouble: str = ""
    """As in `EwsTrouble`."""
    status: int | None = None
    """HTTP status of the last answer."""
    logons: int = 0
    """As in `EwsResult`."""

    @property
    def is_let_in(self) -> bool:
        """Whether EWS itself answered, which it does only for an account that was let in."""
        return self.state != "broken" and self.status in (200, 500)
