"""The facts that a sign-in to EWS shows: of the account, of the mailbox's folders, and of a server in front of Exchange."""

from __future__ import annotations

from typing import Literal, Protocol

from probe.model import vocabulary as v
from probe.model.attempts import TranscriptLine
from probe.model.facts import Why
from probe.model.kinds import Build
from probe.model.refusals import Refusal
from probe.net.ews_requests import NO_SUCH_MAILBOX, AutodiscoverResult, EwsResult
from probe.net.failures import Denied, OffProtocol, PeerClosed, PeerFailure, TlsFailed, UntrustedPeer
from probe.net.http_exchange import patience
from probe.probing import Account, Dial, Notebook
from probe.probing.ews import POLICY_BLOCKS, busy

# Possible causes of a bare 401 to an offered scheme, by responses collected in 2026-11: a wrong password, a locked account,
# EWS off for the directory, or an authentication policy that blocks passwords. They look alike on purpose.
_BARE_401 = (Refusal.BAD_CREDENTIALS, Refusal.ACCOUNT_LOCKED, Refusal.PROTOCOL_DISABLED, Refusal.OAUTH_REQUIRED)

# Words in X-AutoDiscovery-Error and x-ms-diagnostics, as Exchange Online sent them until Basic was retired (2022-10 and later).
_WORDS = (
    ("AppPasswordRequired", (Refusal.APP_PASSWORD_REQUIRED, Refusal.MFA_REQUIRED)),
    ("BasicAuthBlock", (Refusal.BASIC_AUTH_DISABLED,)),
    ("Basic Auth Blocked", (Refusal.BASIC_AUTH_DISABLED,)),
    ("BlockBasicAuth", (Refusal.BASIC_AUTH_DISABLED,)),
    ("FederatedStsUnreachable", (Refusal.TEMPORARY_FAILURE,)),
)
_TELLING_HEADERS = ("X-EWS-Policy-Reason", "X-AutoDiscovery-Error", "X-MS-Diagnostics", "X-CasErrorCode", "Retry-After", "Location")

# Response codes of EWS (responsecode.md and ews-throttling-in-exchange.md of its documentation, read 2026-11).
_MAY_NOT_IMPERSONATE = frozenset({"ErrorImpersonateUserDenied", "ErrorImpersonationDenied"})
ACCOUNT_STATES = {
    "ErrorPasswordExpired": (Refusal.PASSWORD_EXPIRED,),
    "ErrorPasswordChangeRequired": (Refusal.PASSWORD_EXPIRED,),
    "ErrorAccountDisabled": (Refusal.ACCOUNT_DISABLED,),
}

APPOINTMENT_FOLDERS = {"calendar": v.EWS_CALENDAR, "contacts": v.EWS_CONTACTS, "tasks": v.EWS_TASKS}
"""The folders that are synchronized besides mail, by their distinguished names."""

AUTHORITY_KEYS = (
    v.AUTHORITY_ISSUER,
    v.AUTHORITY_TENANT,
    v.AUTHORITY_REALM,
    v.AUTHORITY_FEDERATION,
    v.AUTHORITY_GRANTED,
    v.AUTHORITY_ERRORS,
)
AUTODISCOVER_KEYS = (v.AUTODISCOVER_ACTION, v.AUTODISCOVER_TARGET)


class _WithHeaders(Protocol):
    """An answer with headers, read in this process or in the child."""

    def header(self, name: str) -> str | None: ...


class ResultReader:
    """Writes facts from the child's result."""

    def __init__(
        self, account: Account, dial: Dial, notes: Notebook, seen: EwsResult, *, carried: Literal["password", "token", "ticket", "session"]
    ) -> None:
        self._carried = carried
        self._impersonates = account.impersonates
        self._wants_appointments = account.synchronizes_appointments
        self._newer_than = account.counts_newer_than
        self._dial = dial
        self._notes = notes
        self._seen = seen
        self._lines: tuple[TranscriptLine, ...] = ()
        for method, path, status in seen.exchanges:
            self._lines = as_evidence(dial.note(f"{method} {path}: {'no answer' if status is None else f'HTTP {status}'}"))
        for name in _TELLING_HEADERS:
            if value := seen.header(name):
                self._lines += as_evidence(dial.note(f"{name}: {value}"))
        self._other_lines = {name: as_evidence(dial.note(f"FindFolder on {name}: {came}")) for name, came in seen.others}
        self._version_line = as_evidence(dial.note(f"ServerVersionInfo: {seen.version}")) if seen.version else ()
        if seen.folder:
            self._lines += as_evidence(dial.note(f"FindFolder: {seen.folder}"))

    def conclude(self) -> None:
        """Write the facts; raises the fitting failure where the conversation failed."""
        seen, notes = self._seen, self._notes
        for key in AUTHORITY_KEYS:
            notes.missing(key, Why.NOT_APPLICABLE, "the authority did not say" if self._carried == "token" else "no token was requested")
        if seen.version is not None:
            build = Build.parse(seen.version)
            notes.declared(v.SERVER_BUILD, build, *self._version_line, source="ews-session")
            # Also as a fact of the server, so that product and update follow from it where no anonymous request shows them.
            notes.declared(v.SERVER_BUILD, build, *self._version_line, source="ews-server", of_server=True)
            notes.observed(v.EWS_MARKS, ("soap",), *self._version_line, of_server=True)
        if not self._impersonates:
            notes.missing(v.EWS_IMPERSONATION, Why.NOT_APPLICABLE, "the account is the mailbox's own")
        self._conclude_others()
        self._conclude_newer()
        if seen.folder != NO_SUCH_MAILBOX:
            for key in AUTODISCOVER_KEYS:
                notes.missing(key, Why.NOT_APPLICABLE, "Autodiscover is asked only where Exchange knows no such mailbox")
        if seen.folder is not None:
            self._conclude_answered(seen.folder)
        elif seen.logons and (seen.status in (401, 456) or seen.error == "locked"):
            self._conclude_refused()
        elif seen.status not in (None, 200, 401, 500):
            note_block(notes, seen.status, seen, self._lines)
            raise http_failure(seen.status, seen)
        else:
            raise _broken_off(seen)

    def conclude_directions(self, directed: AutodiscoverResult) -> None:
        """Write where Autodiscover directs a mailbox that EWS there does not know."""
        for method, path, status in directed.exchanges:
            self._dial.note(f"{method} {path}: {'no answer' if status is None else f'HTTP {status}'}")
        if directed.directions is None:
            for key in AUTODISCOVER_KEYS:
                self._notes.missing(key, Why.NOT_DISCLOSED, "Autodiscover on the same host gave no readable answer")
            return
        action, target = directed.directions
        lines = as_evidence(self._dial.note(f"Autodiscover: {action} {target}"))
        self._notes.declared(v.AUTODISCOVER_ACTION, action, *lines)
        if target:
            self._notes.declared(v.AUTODISCOVER_TARGET, target, *lines)

    def _conclude_others(self) -> None:
        """Write the results for calendar, contacts and tasks, and the reason for those that were not requested."""
        came = dict(self._seen.others)
        for name, key in APPOINTMENT_FOLDERS.items():
            if name in came:
                self._notes.observed(key, came[name], *self._other_lines[name])
            elif not self._wants_appointments:
                self._notes.missing(key, Why.NOT_APPLICABLE, "appointments, contacts and tasks are not synchronized here")
            elif self._seen.folder == "found":
                self._notes.missing(key, Why.NOT_DISCLOSED, "Exchange gave no answer for this folder, or for one before it")
            else:
                self._notes.missing(key, Why.NOT_ATTEMPTED, "the inbox was not found, so no other folder was requested")

    def _conclude_newer(self) -> None:
        """How many messages of the inbox Dynamics would process, where that was asked."""
        notes, key, newer = self._notes, v.EWS_NEWER_MESSAGES, self._seen.newer
        if self._newer_than is None:
            notes.missing(key, Why.NOT_APPLICABLE, "it is counted only before Test & Enable, for a mailbox whose row names a time")
        elif isinstance(newer, int):
            line = self._dial.note(f"FindItem for what was received after {self._newer_than:%Y-%m-%d %H:%M} UTC: {newer} messages")
            notes.observed(key, newer, *as_evidence(line))
        elif newer is not None:
            notes.missing(key, Why.NOT_DISCLOSED, f"Exchange says {newer} where the messages were to be counted")
        elif self._seen.folder == "found":
            notes.missing(key, Why.NOT_DISCLOSED, "Exchange gave no answer with a number")
        else:
            notes.missing(key, Why.NOT_ATTEMPTED, "the inbox was not found, so nothing was counted")

    def _conclude_answered(self, code: str) -> None:
        """Exchange itself answered, which it does only after the web server in front of it accepted the sign-in."""
        notes, lines = self._notes, self._lines
        if not self._seen.logons:
            raise OffProtocol("the server answered FindFolder without asking for a sign-in")
        notes.missing(v.EWS_POLICY_BLOCK, Why.NOT_APPLICABLE, "EWS answered")
        if code in ACCOUNT_STATES:
            notes.observed(v.AUTH_ACCEPTED, False, *lines)
            notes.observed(v.AUTH_REFUSAL, ACCOUNT_STATES[code], *lines)
        else:
            notes.observed(v.AUTH_ACCEPTED, True, *lines)
            notes.observed(v.AUTH_REFUSAL, (), *lines)
        notes.observed(v.EWS_INBOX, code, *lines)
        if (wait := busy(code, self._seen.back_off_seconds)) is not None:
            raise wait
        if self._impersonates and code == "found":
            notes.observed(v.EWS_IMPERSONATION, "granted", *lines)
        elif self._impersonates and code in _MAY_NOT_IMPERSONATE:
            notes.observed(v.EWS_IMPERSONATION, "denied", *lines)
        else:
            self._leave_open(Why.NOT_DISCLOSED, f"Exchange answers {code}, which it may do before or after it checks impersonation")

    def _conclude_refused(self) -> None:
        """The one logon was refused."""
        notes, seen = self._notes, self._seen
        words = _words(seen)
        if seen.error == "locked":
            words = (Refusal.ACCOUNT_LOCKED,)
        elif seen.status == 456:  # Exchange Online: the password is right, but not enough
            words = words or (Refusal.APP_PASSWORD_REQUIRED, Refusal.MFA_REQUIRED)
        notes.observed(v.AUTH_ACCEPTED, False, *self._lines)
        if self._carried == "ticket" and not words:
            reason = (
                f"Exchange refuses a Kerberos ticket that the KDC issued (HTTP {seen.status}): check to which account HTTP/{self._dial.endpoint.host} "
                "belongs (setspn -Q), the clocks, and whether EWS is enabled for the account"
            )
            notes.missing(v.AUTH_REFUSAL, Why.NOT_DISCLOSED, reason)
        elif self._carried == "session" and not words:
            reason = (
                f"Exchange refuses NTLM of the account that runs this program (HTTP {seen.status}): check whether EWS is enabled for the account, "
                "and whether something between this machine and IIS ends TLS, which Extended Protection refuses"
            )
            notes.missing(v.AUTH_REFUSAL, Why.NOT_DISCLOSED, reason)
        elif self._carried == "token" and not words:
            diagnosis = seen.header("X-MS-Diagnostics") or f"HTTP {seen.status}"
            notes.missing(v.AUTH_REFUSAL, Why.NOT_DISCLOSED, f"Exchange refuses the authority's token: {diagnosis[:200]}")
        else:
            notes.observed(v.AUTH_REFUSAL, words or _BARE_401, *self._lines)
        for key in (v.EWS_INBOX, v.SERVER_BUILD, v.EWS_POLICY_BLOCK):
            notes.missing(key, Why.DENIED, "the sign-in was refused")
        self._leave_open(Why.DENIED, "the sign-in was refused")

    def _leave_open(self, why: Why, detail: str) -> None:
        """Write why it is not known whether the account may impersonate the mailbox, where it should."""
        if self._impersonates:
            self._notes.missing(v.EWS_IMPERSONATION, why, detail)


def as_evidence(line: TranscriptLine | None) -> tuple[TranscriptLine, ...]:
    """A line as evidence; empty where the transcript had no room for it."""
    return () if line is None else (line,)


def _words(answer: _WithHeaders) -> tuple[str, ...]:
    """The meaning of a refusal by its headers, as members of `auth.refusal`."""
    said = " ".join(filter(None, (answer.header("X-AutoDiscovery-Error"), answer.header("X-MS-Diagnostics")))).lower()
    return next((meaning for word, meaning in _WORDS if word.lower() in said), ())


def note_block(notes: Notebook, status: int | None, answer: _WithHeaders, lines: tuple[TranscriptLine, ...]) -> None:
    """Write the reason for a refusal by HTTP status, as far as its headers give it."""
    reason = (answer.header("X-EWS-Policy-Reason") or "").strip()
    words = _words(answer)
    if status == 403 and reason in POLICY_BLOCKS:
        notes.declared(v.EWS_POLICY_BLOCK, POLICY_BLOCKS[reason], *lines)
        words = (Refusal.PROTOCOL_DISABLED,)
    elif status == 403:
        notes.missing(v.EWS_POLICY_BLOCK, Why.NOT_DISCLOSED, "HTTP 403 came without a known reason of an EWS policy")
    if words:
        notes.observed(v.AUTH_REFUSAL, words, *lines)


def http_failure(status: int | None, answer: _WithHeaders) -> PeerFailure:
    """The failure for an answer that is neither EWS nor a request for credentials."""
    if status in (429, 503):
        return patience(status, answer.header("Retry-After"), answer.header("Date"))
    if status == 403:
        return Denied("the server refuses EWS: HTTP 403")
    if status is not None and 300 <= status < 400:
        return OffProtocol(f"the endpoint redirects elsewhere (HTTP {status}), and no redirect is followed with credentials")
    return OffProtocol(f"the EWS request was answered with HTTP {status}")


def _broken_off(seen: EwsResult) -> Exception:
    """The failure for a conversation that did not complete."""
    match seen.error:
        case "timed-out":
            return TimeoutError("EWS gave no complete answer in time")
        case "closed":
            return PeerClosed("the peer closed the connection before its answer was complete")
        case "tls-failed":
            return TlsFailed("the TLS handshake for the sign-in failed")
        case "untrusted":
            return UntrustedPeer("no credentials were sent, because the certificate was not trusted on the second connection")
        case "no-challenge":
            return Denied(f"the server offers a sign-in scheme, but did not continue it: HTTP {seen.status}")
        case "too-long":
            return OffProtocol("the answer is longer than any EWS answer")
        case _:
            return OffProtocol(f"the answer with HTTP {seen.status} is not an EWS answer")
