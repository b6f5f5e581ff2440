"""What happens to servers and mailboxes in a driven week, each kind of change with exactly what is to be told of it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

from probe.alerts.wording import Message
from probe.model import vocabulary as v
from probe.model.facts import Fact
from probe.model.keys import FactKey
from probe.model.kinds import Build, ChainEnd
from probe.model.refusals import Refusal
from tests.service.driven import START, Driven
from tests.service.records import Records
from tests.service.world import Change, demonstration, down, telling, url_of

MAINTENANCE = '[schedule]\nmaintenance = ["Tue 13:00-14:00"]\n'
MAINTENANCE_BEGINS, MAINTENANCE_ENDS = START + timedelta(hours=25), START + timedelta(hours=26)
"""Of each week; the service begins on a Monday at noon."""
CONFIRMED_WITHIN = timedelta(minutes=5) + timedelta(minutes=2)
"""An interval, and the second look."""
SIGNED_IN_WITHIN = timedelta(hours=1) + timedelta(minutes=2)
"""An interval of a canary."""
AT_ONCE = timedelta(minutes=2)
STEADY = timedelta(minutes=30)
"""After which what came and went is told of again."""


@dataclass(frozen=True)
class Wanted:
    """One alert that is called for."""

    mark: str
    """What stands in brackets in front of its title."""
    about: str
    words: str
    since: datetime
    within: timedelta

    def is_told_by(self, at: datetime, message: Message) -> bool:
        """Whether this is it."""
        text = "\n".join((message.title, *(f"{line.label}: {line.text}" for line in message.lines)))
        is_in_time = self.since <= at <= self.since + self.within
        return is_in_time and message.title.startswith(f"[{self.mark}]") and self.about in text and self.words in text


class Course:
    """Changes that are drawn by lot, and what is to be told of them."""

    def __init__(self, service: Driven, records: Records, days: int, seed: int) -> None:
        self._clock, self._world, self._records = service.clock, service.world, records
        self._days = days
        self._chance = random.Random(seed)
        self.wanted: list[Wanted] = []
        self.changed: dict[str, list[datetime]] = {}
        """When each endpoint changed, and is looked at a second time."""

    def happen(self, endpoints: int) -> None:
        """Have each kind of change happen, to a tenth of the endpoints if that is more. Each changes in one way, so that what is told of it is plain."""
        kinds = (
            self.goes_down_and_comes_back,
            self.fails_once,
            self.flaps,
            self.is_another_of_a_pool,
            self.loses_a_mechanism,
            self.is_updated,
            self.loses_the_mechanism_that_is_used,
            self.becomes_another_product,
            self.renews_its_certificate,
            self.has_a_certificate_that_ends_soon,
            self.has_a_certificate_for_another_name,
            self.refuses_an_account,
            self.is_disabled_in_dynamics,
            self.goes_down_in_maintenance_alone,
            self.goes_down_in_maintenance_and_stays_down,
            self.loses_a_mechanism_in_maintenance,
        )
        for place, number in enumerate(self._chance.sample(range(endpoints), max(len(kinds), endpoints // 10))):
            kinds[place % len(kinds)](number, self._moment())

    def _moment(self) -> datetime:
        """After a first day on which nothing happens, after maintenance, and long enough before the end to be over by then."""
        last = START + timedelta(days=self._days) - timedelta(hours=8)
        return MAINTENANCE_ENDS + (last - MAINTENANCE_ENDS) * self._chance.random()

    # ---- kinds of changes -------------------------------------------------------------------------------------------

    def goes_down_and_comes_back(self, number: int, at: datetime) -> None:
        back = at + timedelta(hours=2)
        self._change(number, at, down())
        self._restore(number, back)
        self._want("WARNING", number, at, "refused")
        self._want("RECOVERED", number, back)

    def fails_once(self, number: int, at: datetime) -> None:
        self.changed.setdefault(url_of(number), []).append(at)
        self._clock.at(at, partial(self._world.change_once, url_of(number), down()))

    def flaps(self, number: int, at: datetime) -> None:
        phase = timedelta(minutes=8)
        for turn in range(5):
            begins, ends = at + 2 * turn * phase, at + (2 * turn + 1) * phase
            self._change(number, begins, down())
            self._restore(number, ends)
            if turn < 3:
                self._want("WARNING", number, begins)
                self._want("RECOVERED", number, ends)
            elif turn == 3:  # the fourth time within an hour
                self._want("UNSTEADY, WARNING", number, begins)
        self._want("RECOVERED", number, ends + STEADY)

    def is_another_of_a_pool(self, number: int, at: datetime) -> None:
        for turn in range(6):
            self._tell(number, at + turn * timedelta(minutes=20), v.EWS_HEADERS, (f"X-FEServer: MAIL{turn}",))

    def loses_a_mechanism(self, number: int, at: datetime) -> None:
        self._tell(number, at, v.AUTH_SCHEMES, ("NTLM",))
        self._want("INFORMATION", number, at, "auth.schemes: from ")

    def is_updated(self, number: int, at: datetime) -> None:
        self._tell(number, at, v.SERVER_BUILD, Build((15, 2, 1748, 43)))
        self._want("INFORMATION", number, at, "server.build: from ")

    def becomes_another_product(self, number: int, at: datetime) -> None:
        back = at + timedelta(hours=3)
        self._tell(number, at, v.SERVER_BUILD, Build((15, 0, 1497, 48)))
        self._restore(number, back)
        self._want("INFORMATION", number, at, "to Exchange Server 2013")
        self._want("INFORMATION", number, back, "from Exchange Server 2013")

    def loses_the_mechanism_that_is_used(self, number: int, at: datetime) -> None:
        back = at + timedelta(hours=3)
        self._tell(number, at, v.AUTH_SCHEMES, ("Negotiate",))
        self._restore(number, back)
        self._want("CRITICAL", number, at, "Cause: No sign-in mechanism in common")
        self._want("RECOVERED", number, back)

    def renews_its_certificate(self, number: int, at: datetime) -> None:
        self._ends(number, at, at + timedelta(days=365))
        self._want("INFORMATION", number, at, "certificate.not_after: from ")

    def has_a_certificate_that_ends_soon(self, number: int, at: datetime) -> None:
        at = min(at, START + timedelta(days=self._days) - timedelta(hours=13))
        tomorrow = datetime.combine(at.date() + timedelta(days=1), time(), UTC)
        ends = tomorrow + timedelta(days=14, hours=9)
        self._ends(number, at, ends)
        self._want("INFORMATION", number, at, "certificate.not_after: from ")
        self._want("WARNING", number, at, f"in 15 days, on {ends.date()}")
        self._want("WARNING", number, tomorrow, f"in 14 days, on {ends.date()}", AT_ONCE)

    def has_a_certificate_for_another_name(self, number: int, at: datetime) -> None:
        back = at + timedelta(hours=3)
        self._tell(number, at, v.CERTIFICATE_MATCHES_NAME, False)
        self._restore(number, back)
        self._want("CRITICAL", number, at)
        self._want("RECOVERED", number, back)

    def refuses_an_account(self, number: int, at: datetime) -> None:
        canary, back = f"m0@p{number}.contoso.test", at + timedelta(hours=3)
        refused = (telling(v.AUTH_ACCEPTED, False), telling(v.AUTH_REFUSAL, (Refusal.BAD_CREDENTIALS,), "401 Unauthorized"))
        for change in refused:
            self._clock.at(at, partial(self._world.change, canary, change))
        self._clock.at(back, partial(self._world.restore, canary))
        self._want("CRITICAL", number, at, canary, SIGNED_IN_WITHIN)
        self._want("RECOVERED", number, back, canary, SIGNED_IN_WITHIN)

    def is_disabled_in_dynamics(self, number: int, at: datetime) -> None:
        address, back = f"m1@p{number}.contoso.test", at + timedelta(hours=3)
        self._clock.at(at, partial(self._records.disable, [address], at))
        self._clock.at(back, partial(self._records.enable, [address]))
        self._want("WARNING", number, at, f"Mailboxes: {address}", about=f"Server profiles: p{number}")
        self._want("RECOVERED", number, back, f"Mailboxes: {address}", about=f"Server profiles: p{number}")

    def goes_down_in_maintenance_alone(self, number: int, at: datetime) -> None:
        self._change(number, MAINTENANCE_BEGINS + timedelta(minutes=10), down())
        self._restore(number, MAINTENANCE_ENDS - timedelta(minutes=10))

    def goes_down_in_maintenance_and_stays_down(self, number: int, at: datetime) -> None:
        self._change(number, MAINTENANCE_BEGINS + timedelta(minutes=20), down())
        self._restore(number, MAINTENANCE_ENDS + timedelta(hours=2))
        self._want("WARNING", number, MAINTENANCE_ENDS, "refused", AT_ONCE)
        self._want("RECOVERED", number, MAINTENANCE_ENDS + timedelta(hours=2))

    def loses_a_mechanism_in_maintenance(self, number: int, at: datetime) -> None:
        self._tell(number, MAINTENANCE_BEGINS + timedelta(minutes=30), v.AUTH_SCHEMES, ("NTLM",))
        self._want("INFORMATION", number, MAINTENANCE_ENDS, "auth.schemes: from ", AT_ONCE)

    # ---- what they are made of --------------------------------------------------------------------------------------

    def _want(
        self, mark: str, number: int, since: datetime, words: str = "", within: timedelta = CONFIRMED_WITHIN, *, about: str | None = None
    ) -> None:
        self.wanted.append(Wanted(mark, about or url_of(number), words, since, within))

    def _change(self, number: int, at: datetime, change: Change) -> None:
        self.changed.setdefault(url_of(number), []).append(at)
        self._clock.at(at, partial(self._world.change, url_of(number), change))

    def _restore(self, number: int, at: datetime) -> None:
        self.changed.setdefault(url_of(number), []).append(at)
        self._clock.at(at, partial(self._world.restore, url_of(number)))

    def _tell(self, number: int, at: datetime, key: FactKey[Any], value: Any) -> None:
        """Another value from then on. Of a key that nothing is found of nothing would change."""
        assert any(isinstance(one, Fact) and one.key == key and one.value != value for one in demonstration().readings), key
        self._change(number, at, telling(key, value, f"{key.name} is {value}"))

    def _ends(self, number: int, at: datetime, ends: datetime) -> None:
        self._tell(number, at, v.CERTIFICATE_NOT_AFTER, ends)
        self._tell(number, at, v.CERTIFICATE_CHAIN_ENDS, ChainEnd(f"CN=ex{number}.contoso.test", ends))
