"""What every sign-in to a mail server has in common: the mechanism, the conversation over verified TLS, and the result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from probe.model import vocabulary as v
from probe.model.attempts import TranscriptLine
from probe.model.estate import Authentication
from probe.model.facts import Why
from probe.model.refusals import Refusal
from probe.model.values import dataclass
from probe.net.dial import Dial
from probe.net.starttls import NoUpgrade
from probe.net.stream import Stream
from probe.probing.notebook import Notebook
from probe.probing.prober import Account, LoginSubject
from probe.wire.refusals import causes_of
from probe.wire.sasl import PASSWORD_MECHANISMS, TOKEN_MECHANISMS, chosen

LOGIN_KEYS = (v.AUTH_ACCEPTED, v.AUTH_REFUSAL, v.AUTH_REPLY, v.AUTH_MECHANISM)
"""What every sign-in to a mail server learns."""


def note_login(notes: Notebook, mechanism: str, refusal: str, *lines: TranscriptLine, was_let_in: bool) -> None:
    """Write down how a sign-in ended. `refusal` is what the server said to it, or to the command that was to prove it; empty where it was let in.

    `was_let_in` says that the login itself was taken, so that a refusal after it is none of the password.
    """
    notes.observed(v.AUTH_MECHANISM, mechanism, *lines)
    notes.observed(v.AUTH_ACCEPTED, not refusal, *lines)
    notes.heard(v.AUTH_REPLY, refusal, *lines)
    causes = causes_of(refusal) if refusal else ()
    if was_let_in and refusal:
        causes = tuple(cause for cause in causes if cause not in _OF_PASSWORD) or (Refusal.PROTOCOL_DISABLED, Refusal.ACCOUNT_DISABLED)
    notes.observed(v.AUTH_REFUSAL, causes, *lines)
    _note_ways_in(notes, is_token=mechanism in TOKEN_MECHANISMS, causes=frozenset(causes), is_let_in=not refusal, lines=lines)


_OF_PASSWORD = frozenset({Refusal.BAD_CREDENTIALS, Refusal.APP_PASSWORD_REQUIRED})
"""What no server refuses for that has just taken the password."""
_WANTS_TOKEN = frozenset({Refusal.OAUTH_REQUIRED})
_TAKES_NO_PASSWORD = frozenset({Refusal.OAUTH_REQUIRED, Refusal.BASIC_AUTH_DISABLED})
_TAKES_APP_PASSWORD = frozenset({Refusal.APP_PASSWORD_REQUIRED})


def _note_ways_in(notes: Notebook, *, is_token: bool, causes: frozenset[str], is_let_in: bool, lines: tuple[TranscriptLine, ...]) -> None:
    """Write down what the end of a login shows of how this account may sign in; words that fit another cause too show nothing."""
    if is_let_in:
        notes.observed(v.MODERN_AUTH_OFFERED if is_token else v.PASSWORD_LOGIN_POSSIBLE, True, *lines)
    elif causes and not is_token:
        if causes <= _TAKES_NO_PASSWORD:
            notes.declared(v.PASSWORD_LOGIN_POSSIBLE, False, *lines)
        elif causes <= _TAKES_APP_PASSWORD:
            notes.declared(v.PASSWORD_LOGIN_POSSIBLE, True, *lines)
        if causes <= _WANTS_TOKEN:
            notes.declared(v.MODERN_AUTH_OFFERED, True, *lines)


def note_no_login(notes: Notebook, why: Why, detail: str) -> None:
    """Record that no credentials were sent, and why."""
    for key in LOGIN_KEYS:
        notes.missing(key, why, detail)


STRUCK = "***"
"""What stands in a transcript for a secret, or for what is made of one."""


async def converse_signed_in(
    subject: LoginSubject, dial: Dial, notes: Notebook, talk: Callable[[Stream, Account], Awaitable[None]]
) -> None:
    """Hold a conversation that signs in to a mail server, over verified TLS. Where it cannot be held, record why."""
    try:
        async with dial.open_trusted() as stream:
            await talk(stream, subject.account)
    except NoUpgrade as refused:
        note_no_login(notes, Why.DENIED, f"no credentials were sent, because there is no TLS: {refused}")


@dataclass(frozen=True, slots=True)
class NoMechanism:
    """Why an account cannot be signed in."""

    why: Why
    detail: str


def choose_mechanism(account: Account, offered: Sequence[str], own: str, *, last: str = "") -> str | NoMechanism:
    """The one mechanism to sign in by: the protocol's own command, or one of SASL; or why there is none.

    `own` is the name under which the protocol's own command for user name and password is offered, and `last` that of one which is
    used only where there is no other.
    """
    if not account.username or not account.password.reveal():
        return NoMechanism(Why.NO_CREDENTIALS, "the user name or the password is empty")
    if any(character in account.username + account.password.reveal() for character in "\0\r\n"):
        return NoMechanism(Why.NO_CREDENTIALS, "the user name or the password holds characters that no mail protocol carries")
    match account.authentication:
        case Authentication.OAUTH:
            wanted: tuple[str, ...] = TOKEN_MECHANISMS
        case Authentication.BASIC:
            wanted = (own, *PASSWORD_MECHANISMS, last)
        case Authentication.AUTO:
            wanted = (own, *PASSWORD_MECHANISMS, last, "NTLM")
        case Authentication.NTLM:
            wanted = ("NTLM",)
        case other:
            return NoMechanism(Why.NOT_ATTEMPTED, f"the profile signs in by {other}, which is not spoken to mail servers here")
    found = chosen(offered, wanted)
    if found is None:
        shown = ", ".join(offered)[:200] or "nothing"
        return NoMechanism(Why.NOT_APPLICABLE, f"of {', '.join(filter(None, wanted))} the server offers none: it offers {shown}")
    return found
