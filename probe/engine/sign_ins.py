"""An account signs in for one mailbox at one endpoint once in 15 minutes, whoever asks: what an attempt is called there, and the attempt of then in place of another."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from probe import __version__
from probe.document import packed_run, unpacked_run
from probe.document.telling.words import ago
from probe.engine.plan import Conversation, Login, NotHeld, Plan
from probe.engine.struck import struck_attempts
from probe.memory import LastSignIn, MailboxSignIn, Memory
from probe.model import vocabulary as v
from probe.model.attempts import Attempt, packed, reading_named_by
from probe.model.facts import Missing, Reading, Why
from probe.model.runs import Asked, Run
from probe.net.redact import Redactor
from probe.probing import Prober

_NOBODY_ASKED = Asked(mailboxes=None, tls="none", fips="", allow=frozenset(), all_addresses=False)


def sign_in_of(conversation: Conversation, login: Login) -> MailboxSignIn:
    """The sign-in that a conversation makes."""
    how = (
        __version__,
        str(login.authentication),
        login.impersonates,
        login.password is None,
        login.synchronizes_appointments,
        repr(login.application),
        sorted(login.authorities),
        str(login.cloud),
        login.may_ask,
    )
    return MailboxSignIn(
        mailbox=login.mailbox,
        endpoints=tuple(endpoint.url for endpoint in conversation.endpoints),
        prober=conversation.prober,
        way=hashlib.blake2b(repr(how).encode("utf-8", "surrogatepass"), digest_size=16).digest(),
        counts="" if login.counts_newer_than is None else login.counts_newer_than.isoformat(),
    )


def answer_of(attempt: Attempt, redactor: Redactor) -> bytes:
    """An attempt as it is kept for whoever asks again, without the secrets of its run."""
    (told,) = struck_attempts((attempt,), redactor)
    return packed_run(
        Run(
            id="",
            probe=__version__,
            host="",
            started=told.at,
            finished=told.at,
            judged_at=told.at.date(),
            estate=None,
            asked=_NOBODY_ASKED,
            attempts=(replace(told, readings=()),),
            readings=told.readings,
            assessments=(),
        )
    )


def taken(
    last: LastSignIn, sign_in: MailboxSignIn, conversation: Conversation, prober: Prober, redactor: Redactor, now: datetime
) -> Attempt | None:
    """The attempt of then, as the answer of a conversation that is not held again; None where there is none that answers it.

    It keeps its own time. What this run's secrets are is struck out of it too.
    """
    run = None if last.answer is None or not last.is_same_way else unpacked_run(last.answer)
    if run is None or len(run.attempts) != 1 or not {reading.key for reading in run.readings} >= set(prober.collects):
        return None
    attempt, names = run.attempts[0], {run.attempts[0].id: conversation.name}
    readings: list[Reading] = [reading_named_by(reading, names) for reading in run.readings]
    if last.counts != sign_in.counts:
        readings = [_uncounted(reading) if reading.key == v.EWS_NEWER_MESSAGES else reading for reading in readings]
    return replace(
        attempt,
        id=conversation.name,
        # Later than now only where the clock was set back.
        at=min(attempt.at, now),
        transcript=packed([replace(line, text=redactor.clean(line.text)) for line in attempt.transcript]),
        readings=tuple(readings),
    )


def _uncounted(reading: Reading) -> Missing:
    detail = "it was not counted when the account signed in, and it does not sign in again for that"
    return Missing(subject=reading.subject, mailbox=reading.mailbox, key=reading.key, why=Why.NOT_ATTEMPTED, detail=detail, at=reading.at)


def not_again(last: LastSignIn, now: datetime, barred: str | None, *, is_free: bool) -> NotHeld:
    """Why a conversation is not held, and no attempt of before is there in its place.

    `barred` is why the account does not sign in for another reason either. `is_free`: whether it would where a person wants it to.
    """
    if not last.is_own:
        what = "and this was not done then"
    elif last.answer is not None:
        what = "in another way, or by another version of probe, so that the answer of then is none"
    else:
        what = "and its answer was not kept"
    parts = [
        f"the account signed in here for this mailbox {ago((now - last.at).total_seconds())}, {what}",
        barred or f"it signs in again after {last.free_at():%H:%M:%S} UTC",
        *(["`--now` signs in at once"] if is_free else []),
    ]
    return NotHeld(Why.NOT_ATTEMPTED, "; ".join(parts))


def without_recent(plan: Plan, memory: Memory, now: datetime) -> Plan:
    """The plan as it is held now: less the sign-ins in whose place the answer of one of the last 15 minutes is given. Raises MemoryUnavailable.

    It goes by accounts: no secret is looked up, so that a credential that has changed meanwhile is not known here.
    """
    if not memory.sign_ins.is_there():
        return plan

    def as_held(conversation: Conversation) -> Conversation:
        login = conversation.login
        if login is None or conversation.not_held is not None:
            return conversation
        account = memory.account(login.username)
        times = [memory.sign_ins.last_of(account, login.mailbox, endpoint.url, now) for endpoint in conversation.endpoints]
        last = max((at for at in times if at is not None), default=None)
        if last is None:
            return conversation
        detail = (
            f"the account signed in here for this mailbox {ago((now - last).total_seconds())}; the answer of then is given, as far as there is one, "
            "unless its credential has changed; --now signs in again"
        )
        return replace(conversation, not_held=NotHeld(Why.NOT_ATTEMPTED, detail))

    return replace(plan, conversations=tuple(map(as_held, plan.conversations)))
