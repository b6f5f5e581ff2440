"""What the service takes to be so: of each look what two in a row agree on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from probe.model import vocabulary as v
from probe.model.attempts import Attempt, Outcome
from probe.model.facts import Reading, Why
from probe.service.known import KnownLooks, Taken
from probe.service.looks import Look, LookKey, Topic, is_unanswered
from tests.runs import NOON, POP, a_fact, a_gap, an_attempt

ENDPOINT = LookKey(Topic.ENDPOINT, POP)
TLS = LookKey(Topic.TLS, POP)
ACCOUNT = LookKey(Topic.ACCOUNT, "sales@contoso.test")


def attempt(*readings: Reading, outcome: Outcome = Outcome.COMPLETED, minute: int = 0) -> Attempt:
    return replace(an_attempt(1, POP, outcome), readings=readings, at=NOON + timedelta(minutes=minute))


def look(key: LookKey, *readings: Reading, outcome: Outcome = Outcome.COMPLETED, minute: int = 0) -> Look:
    return Look.of(key, [attempt(*readings, outcome=outcome, minute=minute)], NOON + timedelta(minutes=minute))


GOOD = a_fact(v.AUTH_MECHANISMS, ("PLAIN",))
OTHER = a_fact(v.AUTH_MECHANISMS, ("PLAIN", "LOGIN"))
SILENT = a_gap(v.AUTH_MECHANISMS, Why.TIMED_OUT)


def test_a_first_look_that_succeeds_is_believed() -> None:
    """The first look at an endpoint is believed where it came to its end."""
    known = KnownLooks()
    assert known.take(look(ENDPOINT, GOOD)) is Taken.BELIEVED
    assert known.take(look(ENDPOINT, GOOD, minute=5)) is Taken.REPEATED


def test_a_failure_is_believed_once_a_second_look_fails_too() -> None:
    """A failure is doubted until a second look fails; it then counts from the first."""
    known = KnownLooks([look(ENDPOINT, GOOD)])
    assert known.take(look(ENDPOINT, SILENT, outcome=Outcome.TIMED_OUT, minute=5)) is Taken.DOUBTED
    assert known.believed[ENDPOINT].look.get().readings == (GOOD,)
    assert known.take(look(ENDPOINT, SILENT, outcome=Outcome.TIMED_OUT, minute=6)) is Taken.BELIEVED
    assert known.believed[ENDPOINT].look.get().since == NOON + timedelta(minutes=5)


def test_what_only_one_look_finds_is_nothing() -> None:
    """What a second look does not find is not believed, and counted."""
    known = KnownLooks([look(ENDPOINT, GOOD)])
    assert known.take(look(ENDPOINT, OTHER, minute=5)) is Taken.DOUBTED
    assert known.take(look(ENDPOINT, GOOD, minute=6)) is Taken.REPEATED
    assert known.unconfirmed == 1


def test_of_two_looks_that_both_find_something_else_the_second_is_believed() -> None:
    """Where two looks in a row find something else than is known, the newer is believed, from its own time."""
    known = KnownLooks([look(ENDPOINT, GOOD)])
    known.take(look(ENDPOINT, OTHER, minute=5))
    assert known.take(look(ENDPOINT, SILENT, outcome=Outcome.CLOSED, minute=6)) is Taken.BELIEVED
    assert known.believed[ENDPOINT].look.get().since == NOON + timedelta(minutes=6)


def test_noise_is_no_change() -> None:
    """A greeting of another host of the pool, or with another id of a session, is the same."""
    known = KnownLooks([look(ENDPOINT, a_fact(v.PROTOCOL_GREETING, "+OK Dovecot ready. <1a2b.3@one>"))])
    assert known.take(look(ENDPOINT, a_fact(v.PROTOCOL_GREETING, "+OK Dovecot ready. <9f8e.7@one>"), minute=5)) is Taken.REPEATED


def test_a_posture_that_fails_takes_nothing_back() -> None:
    """What a server takes of TLS stays known while it does not answer."""
    known = KnownLooks([look(TLS, a_fact(v.TLS_VERSIONS, ("TLSv1.2",)))])
    for minute in (5, 6, 7):
        assert known.take(look(TLS, a_gap(v.TLS_VERSIONS, Why.REFUSED), outcome=Outcome.REFUSED, minute=minute)) is Taken.DOUBTED
    assert len(known.believed[TLS].look.get().readings) == 1


def test_a_refused_sign_in_is_believed_at_once() -> None:
    """A sign-in that was refused is believed at once: the account is not tried again."""
    known = KnownLooks([look(ACCOUNT, a_fact(v.AUTH_ACCEPTED, True))])
    assert known.take(look(ACCOUNT, a_fact(v.AUTH_ACCEPTED, False), minute=60)) is Taken.BELIEVED


def test_a_sign_in_that_fails_where_the_server_is_silent_says_nothing() -> None:
    """A sign-in that fails while its server answers nobody is never believed; where the server answers, the second is."""
    failed = [look(ACCOUNT, a_gap(v.AUTH_ACCEPTED, Why.TIMED_OUT), outcome=Outcome.TIMED_OUT, minute=minute) for minute in (60, 120, 180)]
    signed_in, silent = look(ACCOUNT, a_fact(v.AUTH_ACCEPTED, True)), look(ENDPOINT, SILENT, outcome=Outcome.TIMED_OUT)
    assert [KnownLooks([signed_in, silent]).take(one) for one in failed] == [Taken.DOUBTED] * 3
    known = KnownLooks([signed_in, look(ENDPOINT, GOOD)])
    assert [known.take(one) for one in failed] == [Taken.DOUBTED, Taken.BELIEVED, Taken.REPEATED]


def test_one_sign_in_that_is_taken_twice_is_no_second_look() -> None:
    """Whoever asks within 15 minutes is given the same answer: it confirms nothing, and the next sign-in does."""
    known = KnownLooks([look(ACCOUNT, a_fact(v.AUTH_ACCEPTED, True)), look(ENDPOINT, GOOD)])
    failed = [look(ACCOUNT, a_gap(v.AUTH_ACCEPTED, Why.TIMED_OUT), outcome=Outcome.TIMED_OUT, minute=minute) for minute in (60, 60, 75)]
    assert [known.take(one) for one in failed] == [Taken.DOUBTED, Taken.DOUBTED, Taken.BELIEVED]


def test_an_account_that_was_not_signed_in_to_says_nothing() -> None:
    """An attempt that was not made leaves what is known; one that was refused says that, whatever was not tried after it."""
    untried = replace(attempt(a_gap(v.AUTH_ACCEPTED, Why.NOT_ATTEMPTED)), outcome=Outcome.NOT_SCHEDULED)
    assert is_unanswered([untried, attempt(a_fact(v.AUTH_ACCEPTED, True))])
    assert not is_unanswered([untried, attempt(a_fact(v.AUTH_ACCEPTED, False))])
    assert not is_unanswered([attempt(a_gap(v.AUTH_ACCEPTED, Why.TIMED_OUT), outcome=Outcome.TIMED_OUT)])


def test_what_a_look_says_of_itself() -> None:
    """A look says whether it failed, was cut short, was held at all, and whether the server wants a pause."""
    throttled = look(ENDPOINT, SILENT, outcome=Outcome.THROTTLED)
    assert throttled.has_failed
    assert throttled.asks_for_a_pause
    assert throttled.seconds is None
    assert look(ENDPOINT, GOOD).seconds == 0.0314159
    assert look(ENDPOINT, SILENT, outcome=Outcome.INTERRUPTED).was_interrupted
    assert not look(ENDPOINT, outcome=Outcome.NOT_SCHEDULED).has_failed


def test_a_greeting_that_shows_another_product_or_version_is_something_else() -> None:
    """A greeting may be another each time; one that shows another product or version is confirmed by a second look, and believed."""

    def greeted(text: str, minute: int = 0) -> Look:
        return look(ENDPOINT, GOOD, a_fact(v.PROTOCOL_GREETING, text), minute=minute)

    known = KnownLooks([greeted("+OK Dovecot ready. <1.2@mail.contoso.test>")])
    assert known.take(greeted("+OK Dovecot ready. <3.4@mail.contoso.test>", minute=5)) is Taken.REPEATED
    for number, text in enumerate(
        ("+OK Cyrus POP3 v2.5.10 server ready <5.6@mail.contoso.test>", "+OK Cyrus POP3 v3.4.3 server ready <7.8@mail.contoso.test>")
    ):
        assert known.take(greeted(text, minute=10 * number + 10)) is Taken.DOUBTED
        assert known.take(greeted(text.replace("@mail", "@mail2"), minute=10 * number + 11)) is Taken.BELIEVED
