"""What `[schedule]` and `[alerts]` may hold: durations, hours of a day, and who is told."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, PlainValidator

from probe.config.table import SecretPlace, Table, key
from probe.model.watching import WEEKDAYS, AlertSettings, Hours, ScheduleSettings

_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_LONGEST = timedelta(days=365)
_MOST_STAGES = 20
_MOST_DAYS_AHEAD = 3650

_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"


def duration(given: object) -> timedelta | None:
    """How long a duration of an estate is; None for `off`. Raises ValueError with one sentence on what would be right."""
    if given == "off":
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", given if isinstance(given, str) else "")
    length = timedelta() if found is None else int(found[1]) * _UNITS[found[2]]
    if not timedelta() < length <= _LONGEST:
        raise ValueError('must be seconds, minutes, hours or days, as in "30s", "5m", "1h" or "1d", of 365 days at most, or "off"')
    return length


def _time(given: object) -> time:
    if not isinstance(given, str) or not re.fullmatch(_TIME, given):
        raise ValueError('must be a time of day, hours and minutes, as in "07:00"')
    return time.fromisoformat(given)


def _daily(given: object) -> Hours:
    found = re.fullmatch(rf"({_TIME})-({_TIME})", given if isinstance(given, str) else "")
    if found is None:
        raise ValueError('must be two times of day, as in "01:00-05:00"')
    return Hours(start=time.fromisoformat(found[1]), end=time.fromisoformat(found[2]))


def _hours(given: object) -> Hours:
    day, space, between = (given if isinstance(given, str) else "").rpartition(" ")
    try:
        daily = _daily(between)
        weekday = WEEKDAYS.index(day) if space else None
    except ValueError:
        raise ValueError(
            f'must be hours of a day, with or without one of {", ".join(WEEKDAYS)} before them, as in "Sat 22:00-02:00" or "22:00-02:00"'
        ) from None
    return Hours(start=daily.start, end=daily.end, weekday=weekday)


def a_day(given: object) -> date:
    """The date that TOML gives. Raises ValueError with one sentence on what would be right."""
    if not isinstance(given, date) or isinstance(given, datetime):
        raise ValueError("must be a date without quotes, as in 2027-01-31")
    return given


def _stages(given: object) -> list[int]:
    are_days = isinstance(given, list) and all(type(days) is int and 1 <= days <= _MOST_DAYS_AHEAD for days in given)
    if not isinstance(given, list) or not are_days or not 1 <= len(given) <= _MOST_STAGES:
        raise ValueError(
            f"must be a list of 1 to {_MOST_STAGES} numbers of days, each from 1 to {_MOST_DAYS_AHEAD}, as in ahead_days = [30, 14, 7, 1]"
        )
    return sorted(set(given), reverse=True)


def _link(given: object) -> str:
    if isinstance(given, str) and "@" in given:  # as of an endpoint
        raise ValueError("must not carry a user name or password: it stands in every alert")
    text = given if isinstance(given, str) and given.isascii() and given.isprintable() and " " not in given and len(given) <= 256 else ""
    try:
        parts = urlsplit(text)
        is_address = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not parts.query and not parts.fragment
        )
    except ValueError:
        is_address = False
    if not is_address or re.search(r"[\"'<>`\\^{|}?#]", text):
        raise ValueError('must be the address of the page of probe, as in "https://probe.contoso.test:8025"')
    return text.rstrip("/")


def targets(given: list[SecretPlace]) -> list[SecretPlace]:
    """Whom a profile's alerts go to: somebody. Raises ValueError where the list is empty."""
    if not given:
        raise ValueError("must name at least one target; left out, its alerts go where [alerts] says")
    return given


_Duration = Annotated[timedelta | None, PlainValidator(duration)]
_SCHEDULE = ScheduleSettings()
_ALERTS = AlertSettings()


class ScheduleTable(Table):
    quick: _Duration = key("how often each endpoint is looked at", "5m", default=_SCHEDULE.quick)
    posture: _Duration = key("how often all that an endpoint takes of TLS is found out", "1d", default=_SCHEDULE.posture)
    canary: _Duration = key("how often one mailbox of each profile is signed in to", "1h", default=_SCHEDULE.canary)
    logins: _Duration = key("how often every mailbox is signed in to", "1d", default=_SCHEDULE.logins)
    logins_between: Annotated[Hours, PlainValidator(_daily)] = key(
        "the hours in which every mailbox is signed in to", "01:00-05:00", default=_SCHEDULE.logins_between
    )
    roundtrip: _Duration = key("how often a profile sends a test mail to itself", "off", default=_SCHEDULE.roundtrip)
    dynamics: _Duration = key("how often Dynamics' own state is read", "5m", default=_SCHEDULE.dynamics)
    maintenance: list[Annotated[Hours, PlainValidator(_hours)]] = key(
        "the hours in which nobody is alerted, and nobody signed in to", ["Sat 22:00-02:00"], default=[]
    )

    @property
    def settings(self) -> ScheduleSettings:
        """As the model has them."""
        return ScheduleSettings(**{**dict(self), "maintenance": tuple(self.maintenance)})


class AlertTable(Table):
    to: list[SecretPlace] = key("where the URLs of the targets are kept", ["file:/run/secrets/teams-url"], default=[])
    digest: Annotated[time, PlainValidator(_time)] | None = key("when what changed is summed up", "07:00", default=_ALERTS.digest)
    ahead_days: Annotated[list[int], PlainValidator(_stages)] = key(
        "how many days ahead an end is told of", [30, 14, 7, 1], default=list(_ALERTS.ahead_days)
    )
    remind: _Duration = key("after how long what lasts is told again", "24h", default=_ALERTS.remind)
    link: Annotated[str, PlainValidator(_link)] | None = key(
        "what links in alerts begin with", "https://probe.contoso.test:8025", default=_ALERTS.link
    )
    heartbeat: SecretPlace | None = key("where the URL of the heartbeat is kept", "env:HEARTBEAT_URL", default=_ALERTS.heartbeat)

    @property
    def settings(self) -> AlertSettings:
        """As the model has them; a target that is named twice counts once."""
        return AlertSettings(**{**dict(self), "to": tuple(dict.fromkeys(self.to)), "ahead_days": tuple(self.ahead_days)})


Targets = Annotated[list[SecretPlace], AfterValidator(targets)]
