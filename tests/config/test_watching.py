"""The schedule and the alerts of an estate."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from probe.config import EstateError, read_estate
from probe.model.estate import AlertSettings, Hours, ScheduleSettings, SecretReference
from tests.config.estates import DEPLOYMENT, DYNAMICS, ESTATE, MAILBOX, PROFILE

LOCAL = ESTATE.replace("mail.contoso.test", "127.0.0.1")


def refused(text: str) -> list[str]:
    """The messages that an estate is refused with."""
    try:
        read_estate(text, "estate.toml")
    except EstateError as wrong:
        return [problem.message for problem in wrong.problems]
    return []


def test_an_estate_need_not_say_how_it_is_watched() -> None:
    """Without the tables the schedule is the default one, and nobody is told."""
    estate = read_estate(ESTATE, "estate.toml")
    assert estate.schedule == ScheduleSettings()
    assert estate.schedule.quick == timedelta(minutes=5)
    assert estate.schedule.roundtrip is None
    assert estate.alerts == AlertSettings()
    assert (estate.profiles[0].canary, estate.profiles[0].alerts_to, estate.profiles[0].password_ends) == (None, None, None)


def test_every_key_of_the_schedule_is_read() -> None:
    """Durations are lengths of time, `off` is none, and hours are local times of day, some of them on one day of the week."""
    text = (
        'quick = "90s"\nposture = "7d"\ncanary = "off"\nlogins = "2d"\nlogins_between = "22:30-04:00"\nroundtrip = "1d"\ndynamics = "1h"\n'
        'maintenance = ["Sat 22:00-02:00", "12:00-12:30", "Mon 00:00-00:00"]\n'
    )
    assert read_estate(ESTATE + "[schedule]\n" + text, "estate.toml").schedule == ScheduleSettings(
        quick=timedelta(seconds=90),
        posture=timedelta(days=7),
        canary=None,
        logins=timedelta(days=2),
        logins_between=Hours(start=time(22, 30), end=time(4)),
        roundtrip=timedelta(days=1),
        dynamics=timedelta(hours=1),
        maintenance=(
            Hours(start=time(22), end=time(2), weekday=5),
            Hours(start=time(12), end=time(12, 30)),
            Hours(start=time(0), end=time(0), weekday=0),
        ),
    )


def test_every_key_of_the_alerts_is_read() -> None:
    """Targets are references, each once; the stages come the most days first; a link has no slash at its end."""
    text = (
        'to = ["env:TEAMS", "file:/run/secrets/mail", "env:TEAMS"]\ndigest = "07:00"\nahead_days = [7, 60, 7]\nremind = "off"\n'
        'link = "https://probe.contoso.test:8025/probe/"\nheartbeat = "env:HEARTBEAT_URL"\n'
    )
    assert read_estate(ESTATE + "[alerts]\n" + text, "estate.toml").alerts == AlertSettings(
        to=(SecretReference("env", "TEAMS"), SecretReference("file", "/run/secrets/mail")),
        digest=time(7),
        ahead_days=(60, 7),
        remind=None,
        link="https://probe.contoso.test:8025/probe",
        heartbeat=SecretReference("env", "HEARTBEAT_URL"),
    )


def test_a_profile_has_its_canary_its_targets_and_the_end_of_its_password() -> None:
    """What a profile says for itself is kept; an address is compared without regard to case."""
    text = 'canary = "Sales@contoso.test"\nalerts_to = ["env:MAIL_TEAM", "env:MAIL_TEAM"]\npassword_ends = 2027-01-31\n'
    (corp,) = read_estate(DEPLOYMENT + PROFILE + text + MAILBOX, "estate.toml").profiles
    assert corp.canary == "Sales@contoso.test"
    assert corp.alerts_to == (SecretReference("env", "MAIL_TEAM"),)
    assert corp.password_ends == date(2027, 1, 31)


SHORT = 'quick = "1s"\nposture = "2s"\ncanary = "3s"\nlogins = "4s"\nroundtrip = "5s"\n'


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "[::1]", "localhost", "LOCALHOST", "mail.localhost"])
def test_servers_of_this_machine_are_watched_as_often_as_one_likes(host: str) -> None:
    """Where every endpoint is on loopback, intervals of seconds are taken."""
    text = ESTATE.replace("mail.contoso.test", host) + "[schedule]\n" + SHORT
    assert read_estate(text, "estate.toml").schedule.logins == timedelta(seconds=4)


@pytest.mark.parametrize("host", ["mail.contoso.test", "192.0.2.7", "[2001:db8::1]", "localhost.contoso.test", "128.0.0.1"])
def test_servers_of_others_are_not(host: str) -> None:
    """Where one endpoint is elsewhere, each interval that is too short for it is refused by itself."""
    elsewhere = PROFILE.replace("corp", "branch").replace("mail.contoso.test", host)
    assert len(refused(LOCAL + elsewhere + "[schedule]\n" + SHORT)) == 5


def test_an_endpoint_that_autodiscover_found_is_one_too() -> None:
    """The endpoint of one mailbox decides as those of profiles do."""
    text = LOCAL + 'ews_url = "https://mail.contoso.test/EWS/Exchange.asmx"\n[schedule]\nquick = "59s"\n'
    (message,) = refused(text)
    assert '"1m"' in message


def test_dynamics_is_judged_by_its_own_address() -> None:
    """Dynamics on this machine is read as often as one likes, wherever the mail servers are."""
    assert refused(ESTATE + DYNAMICS.replace("crm.contoso.test", "127.0.0.1") + '[schedule]\ndynamics = "1s"\n') == []
    assert len(refused(LOCAL + DYNAMICS + '[schedule]\ndynamics = "1s"\n')) == 1
    assert refused(LOCAL + '[schedule]\ndynamics = "1s"\n') == []


def test_the_shortest_intervals_are_taken() -> None:
    """The bound itself is taken, and so is `off`."""
    assert refused(ESTATE + '[schedule]\nquick = "60s"\nposture = "15m"\ncanary = "900s"\nlogins = "24h"\nroundtrip = "off"\n') == []


@pytest.mark.parametrize("link", ["http://127.0.0.1:8025", "https://probe.contoso.test", "https://[2001:db8::1]:8025/a/b"])
def test_a_link_is_an_address_of_the_web(link: str) -> None:
    """A link may have a port and a path, and may be in clear."""
    assert read_estate(ESTATE + f'[alerts]\nlink = "{link}"\n', "estate.toml").alerts.link == link


@pytest.mark.parametrize(
    "link",
    ["", "https://", "ftp://a.test", "https://a.test/#x", "https://a.test/?x", "https://a.test/<b>", "https://a.test:99999", "https://[a"],
)
def test_what_could_be_more_than_an_address_is_no_link(link: str) -> None:
    """Nothing that a message could take for markup, a query or a fragment stands in a link."""
    assert len(refused(ESTATE + f'[alerts]\nlink = "{link}"\n')) == 1
