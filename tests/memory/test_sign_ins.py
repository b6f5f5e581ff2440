"""The table of sign-ins: once in 15 minutes for an account, a mailbox and an endpoint, whatever programs, clocks and disks do."""

from __future__ import annotations

import multiprocessing
import os
import signal
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from probe.memory import SIGN_INS_APART, Folder, MailboxSignIn, MemoryUnavailable, SignIns
from probe.model.named_address import NamedAddress

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
POP, SMTP, EWS = "pop3s://mail.contoso.test:995", "smtps://mail.contoso.test:465", "https://mail.contoso.test:443/EWS/Exchange.asmx"
MINUTE = timedelta(minutes=1)
LONGEST = timedelta(seconds=30)
WHO, OTHER, ACCOUNT = b"i" * 32, b"j" * 32, b"a" * 64
RUN, NEXT = b"run" * 5, b"next" * 4


def login(mailbox: str = "a@contoso.test", endpoint: str = POP, prober: str = "pop3-login", way: bytes = b"w") -> MailboxSignIn:
    return MailboxSignIn(mailbox=mailbox, endpoints=(endpoint,), prober=prober, way=way)


TRIP = MailboxSignIn(mailbox="a@contoso.test", endpoints=(SMTP, POP), prober="mail-round-trip", way=b"w")


def table(folder: Path) -> SignIns:
    return SignIns(Folder(folder))


def begun(sign_ins: SignIns, what: MailboxSignIn, now: datetime, occasion: bytes = RUN, identity: bytes = WHO) -> bool:
    """Whether a sign-in begins."""
    return sign_ins.begin(identity, ACCOUNT, what, occasion, now, LONGEST) is None


def test_once_in_15_minutes_for_one_mailbox_at_one_endpoint(tmp_path: Path) -> None:
    """Another mailbox, another endpoint and another credential are free; the same is again after 15 minutes, and what was kept is gone by then."""
    sign_ins = table(tmp_path)
    assert begun(sign_ins, login(), NOW)
    sign_ins.keep(WHO, login(), RUN, b"answer", NOW)
    for occasion in (RUN, NEXT):
        assert not begun(sign_ins, login(), NOW + SIGN_INS_APART - MINUTE, occasion)
    assert begun(sign_ins, login("b@contoso.test"), NOW, NEXT)
    assert begun(sign_ins, login(endpoint=SMTP, prober="smtp-login"), NOW, NEXT)
    assert begun(sign_ins, login(), NOW, NEXT, OTHER)
    last = sign_ins.last(WHO, login("A@contoso.test"), NEXT, NOW + MINUTE)
    assert last is not None
    assert (last.at, last.answer, last.is_same_way) == (NOW, b"answer", True)
    assert not (sign_ins.last(WHO, login(way=b"other"), NEXT, NOW) or last).is_same_way
    assert begun(table(tmp_path), login(), NOW + SIGN_INS_APART, NEXT)
    found = sign_ins.last(WHO, login(), RUN, NOW + SIGN_INS_APART)
    assert found is not None
    assert (found.answer, found.is_under_way(NOW + SIGN_INS_APART)) == (None, True)


def test_a_round_trip_goes_with_the_logins_of_its_run(tmp_path: Path) -> None:
    """It is of their occasion and ends with it; without them, or with those of another run, it is in nobody's place."""
    sign_ins = table(tmp_path)
    assert begun(sign_ins, login(), NOW)
    assert begun(sign_ins, login(endpoint=SMTP, prober="smtp-login"), NOW + MINUTE)
    assert not begun(sign_ins, TRIP, NOW + 2 * MINUTE, NEXT)
    last = sign_ins.last(WHO, TRIP, NEXT, NOW + 2 * MINUTE)
    assert last is not None
    assert not last.is_own
    assert begun(sign_ins, TRIP, NOW + 2 * MINUTE)
    assert not begun(sign_ins, TRIP, NOW + 3 * MINUTE)
    own = sign_ins.last(WHO, TRIP, NEXT, NOW + 3 * MINUTE)
    assert own is not None
    assert (own.is_own, own.at) == (True, NOW)
    assert begun(sign_ins, login(), NOW + SIGN_INS_APART, NEXT)


def test_what_was_begun_and_sent_no_proof_is_none(tmp_path: Path) -> None:
    """It is taken back; an answer for it is kept nowhere, nor one of a run in whose place a person had another begin."""
    sign_ins = table(tmp_path)
    assert begun(sign_ins, login(), NOW)
    sign_ins.cancel(WHO, login(), RUN, NOW)
    sign_ins.keep(WHO, login(), RUN, b"answer", NOW)
    assert sign_ins.last(WHO, login(), NEXT, NOW) is None
    assert begun(sign_ins, login(), NOW)
    assert sign_ins.begin(WHO, ACCOUNT, login(), NEXT, NOW + MINUTE, LONGEST, regardless=True) is None
    sign_ins.keep(WHO, login(), RUN, b"of the first", NOW + MINUTE)
    last = sign_ins.last(WHO, login(), RUN, NOW + MINUTE)
    assert last is not None
    assert (last.at, last.answer) == (NOW + MINUTE, None)


@pytest.mark.parametrize("back", [timedelta(seconds=0.001), MINUTE, timedelta(hours=5), timedelta(days=400)])
def test_a_clock_that_is_set_back_locks_nobody_out_for_long(tmp_path: Path, back: timedelta) -> None:
    """What was written down as later counts from the first moment at which that is seen: no sign-in too early, and one after 15 minutes."""
    sign_ins = table(tmp_path)
    assert begun(sign_ins, login(), NOW)
    seen = NOW - back
    last = sign_ins.last(WHO, login(), NEXT, seen)
    assert last is not None
    assert (last.at, last.until) == (seen, seen + LONGEST)
    assert not begun(sign_ins, login(), seen + SIGN_INS_APART - MINUTE, NEXT)
    assert begun(sign_ins, login(), seen + SIGN_INS_APART, NEXT)


def test_a_clock_that_is_set_forward_frees_by_what_it_jumped(tmp_path: Path) -> None:
    """Nobody can tell that from time that passed."""
    sign_ins = table(tmp_path)
    assert begun(sign_ins, login(), NOW)
    assert not begun(sign_ins, login(), NOW + 10 * MINUTE, NEXT)
    assert begun(sign_ins, login(), NOW + 60 * MINUTE, NEXT)


def test_the_last_sign_in_for_each_mailbox_and_of_each_account_is_told(tmp_path: Path) -> None:
    """Whatever credential it was by; none that is older than 15 minutes, and nothing where nothing was ever written."""
    sign_ins = table(tmp_path / "state")
    assert not sign_ins.is_there()
    assert not (tmp_path / "state").exists()
    assert begun(sign_ins, login("A@contoso.test"), NOW)
    assert begun(sign_ins, login("b@contoso.test"), NOW, identity=OTHER)
    assert begun(sign_ins, login("a@contoso.test", SMTP, "smtp-login"), NOW + MINUTE)
    assert sign_ins.is_there()
    assert sign_ins.times(NOW + 2 * MINUTE) == {"a@contoso.test": NOW + MINUTE, "b@contoso.test": NOW}
    assert sign_ins.last_of(ACCOUNT, "B@contoso.test", POP, NOW + MINUTE) == NOW
    assert sign_ins.last_of(b"x", "b@contoso.test", POP, NOW + MINUTE) is None
    assert sign_ins.times(NOW + SIGN_INS_APART) == {"a@contoso.test": NOW + MINUTE}


def test_what_is_forgotten_or_erased_is_overwritten(tmp_path: Path) -> None:
    """Of an account, of all, of a mailbox; an answer for another mailbox that names it goes too, and the time of that sign-in stays."""
    sign_ins = table(tmp_path)
    for mailbox in ("a@contoso.test", "b@contoso.test"):
        assert begun(sign_ins, login(mailbox), NOW)
        sign_ins.keep(WHO, login(mailbox), RUN, zlib.compress(b'["said of a@contoso.test"]'), NOW)
    assert sign_ins.erase(NamedAddress("A@contoso.test")) == 2
    assert b"a@contoso.test" not in (tmp_path / "signins.sqlite").read_bytes()
    assert not begun(sign_ins, login("b@contoso.test"), NOW)
    assert sign_ins.forget(b"another") == 0
    assert sign_ins.forget(ACCOUNT) == 1
    assert begun(sign_ins, login("b@contoso.test"), NOW)
    assert sign_ins.forget(None) == 1
    assert sign_ins.times(NOW) == {}


def _asks(folder: str, gate: object, granted: object, kill: bool) -> None:
    gate.wait()  # type: ignore[attr-defined]
    if begun(table(Path(folder)), login(), NOW, os.urandom(16)):
        granted.release()  # type: ignore[attr-defined]
        if kill:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("kill", [False, True])
def test_of_many_programs_that_ask_at_once_one_signs_in(tmp_path: Path, kill: bool) -> None:
    """However they meet on the disk; and one that is killed as soon as it may counts as one that did."""
    context = multiprocessing.get_context("spawn")
    gate, granted = context.Barrier(6), context.Semaphore(0)
    programs = [context.Process(target=_asks, args=(str(tmp_path), gate, granted, kill)) for _ in range(6)]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    assert granted.acquire(block=False)
    assert not granted.acquire(block=False)


def test_a_file_that_cannot_be_used_is_a_reason(tmp_path: Path) -> None:
    """Nothing is taken for granted of a table that cannot be read."""
    (tmp_path / "signins.sqlite").mkdir()
    for work in (lambda: begun(table(tmp_path), login(), NOW), lambda: table(tmp_path).times(NOW)):
        with pytest.raises(MemoryUnavailable, match=r"signins\.sqlite"):
            work()
