"""The tasks of an estate, and the day ahead."""

from __future__ import annotations

from collections import Counter
from datetime import date, time, timedelta

import pytest

from probe import app
from probe.config import read_estate
from probe.engine.work import work_of
from probe.model.estate import Effect, Estate
from probe.model.watching import Hours, Load, PlannedWork
from probe.schedule import Task, TaskKind, canaries_of, day_ahead, lines_of, tasks_of
from tests.config.estates import DEPLOYMENT, DYNAMICS
from tests.schedule.world import BERLIN

DAY = date(2026, 11, 30)
EWS, POP, SMTP = "https://mail.contoso.test:443/EWS/Exchange.asmx", "pop3s://pop.branch.test:995", "smtp://smtp.branch.test:587"
PROFILES = """
[[profile]]
name = "corp"
server_type = "exchange-server"
incoming = "https://mail.contoso.test/EWS/Exchange.asmx"
authentication = "ntlm"
credentials = "profile"
impersonation = true
username = "SVC-crm@contoso.test"
password = "env:CRM_EWS_PASSWORD"

[[profile]]
name = "branch"
server_type = "pop3-smtp"
incoming = "pop3s://pop.branch.test:995"
outgoing = "smtp://smtp.branch.test:587"
authentication = "basic"
credentials = "mailbox"
"""


def mailbox(address: str, profile: str, *more: str, served: bool = True) -> str:
    """The table of a mailbox."""
    way = "server-side" if served else "none"
    rows = (
        f'address = "{address}"',
        f'profile = "{profile}"',
        f'incoming = "{way}"',
        f'outgoing = "{way}"',
        'appointments = "none"',
        *more,
    )
    return "\n[[mailbox]]\n" + "\n".join(rows) + "\n"


def estate(allow: str = '["logs-in"]', schedule: str = "", profiles: str = PROFILES, mailboxes: str = "") -> Estate:
    """An estate with two profiles and seven mailboxes."""
    people = "".join(mailbox(f"c{number}@contoso.test", "corp") for number in range(3))
    people += mailbox("unserved@branch.test", "branch", 'password = "env:A"', served=False)
    people += mailbox("nobody@branch.test", "branch")
    people += "".join(mailbox(f"b{number}@branch.test", "branch", 'password = "env:A"') for number in range(2))
    text = f"{DEPLOYMENT}allow = {allow}\n{DYNAMICS}[schedule]\n{schedule}{profiles}{people}{mailboxes}"
    return read_estate(text, "estate.toml")


def work(of: Estate) -> PlannedWork:
    """What a plan of the whole estate holds."""
    return work_of(app.plan_check(of, of.mailboxes, app.Options(), DAY), app.probers())


def tasks(of: Estate) -> dict[TaskKind, list[Task]]:
    """The tasks of an estate by their kind."""
    found: dict[TaskKind, list[Task]] = {}
    for task in tasks_of(of, work(of)):
        found.setdefault(task.kind, []).append(task)
    return found


def test_each_endpoint_has_a_look_and_a_posture() -> None:
    """Endpoints are looked at as often as the estate says, whatever is allowed."""
    found = tasks(estate(allow="[]"))
    assert [task.subject for task in found[TaskKind.QUICK]] == [EWS, POP, SMTP]
    assert {task.interval for task in found[TaskKind.QUICK]} == {timedelta(minutes=5)}
    assert [task.subject for task in found[TaskKind.POSTURE]] == [EWS, POP, SMTP]
    assert not any(task.accounts for kind, of_kind in found.items() if kind is not TaskKind.DYNAMICS for task in of_kind)


def test_one_mailbox_of_each_profile_is_its_canary_and_the_others_come_at_night() -> None:
    """The first that has credentials, unless the profile names another; the canary, which comes each hour, does not come at night again."""
    found = tasks(estate())
    assert [task.subject for task in found[TaskKind.CANARY]] == ["c0@contoso.test", "b0@branch.test"]
    nightly = {task.subject: task for task in found[TaskKind.LOGINS]}
    assert {address for address, task in nightly.items() if task.accounts} == {"c1@contoso.test", "c2@contoso.test", "b1@branch.test"}
    assert nightly["c1@contoso.test"].between == Hours(start=time(1), end=time(5))
    named = estate(profiles=PROFILES.replace('name = "corp"', 'name = "corp"\ncanary = "C2@contoso.test"'))
    assert canaries_of(named, work(named))["corp"].address == "c2@contoso.test"


def test_a_canary_that_cannot_be_signed_in_to_is_none() -> None:
    """A canary without credentials is not replaced by another mailbox that nobody named."""
    named = estate(profiles=PROFILES.replace('name = "branch"', 'name = "branch"\ncanary = "nobody@branch.test"'))
    assert set(canaries_of(named, work(named))) == {"corp"}


def test_a_canary_that_comes_more_seldom_than_the_night_comes_at_night_too() -> None:
    """Without canaries, or with such that come each week, every mailbox comes at night."""
    for schedule in ('canary = "off"', 'canary = "7d"'):
        assert {task.subject for task in tasks(estate(schedule=schedule))[TaskKind.LOGINS] if task.accounts} >= {
            "c0@contoso.test",
            "b0@branch.test",
        }


def test_what_is_off_is_no_task() -> None:
    """Each interval can be switched off by itself."""
    keys = ("quick", "posture", "canary", "logins", "roundtrip", "dynamics")
    off = "".join(f'{key} = "off"\n' for key in keys)
    assert tasks(estate(schedule=off)) == {}
    everything = '["logs-in", "sends-mail"]'
    for key in keys:
        found = tasks(estate(everything, off.replace(f'{key} = "off"', f'{key} = "2d"')))
        assert [str(kind) for kind in found] == [key]
        assert {task.interval for of_kind in found.values() for task in of_kind} == {timedelta(days=2)}


def test_a_test_mail_goes_through_a_canary_where_it_may() -> None:
    """It needs the permission, and a mailbox that opens its own; its sign-ins are held with it."""
    daily = 'roundtrip = "1d"'
    assert TaskKind.ROUNDTRIP not in tasks(estate(schedule=daily))
    (trip,) = tasks(estate('["logs-in", "sends-mail"]', daily))[TaskKind.ROUNDTRIP]
    assert (trip.subject, trip.loads[POP].sign_ins, trip.loads[SMTP].sign_ins) == ("b0@branch.test", 2, 2)


def test_an_account_is_named_as_the_server_would_count_it() -> None:
    """In small letters, one for all mailboxes of a profile that signs in as itself, one each where each has its own."""
    found = tasks(estate())
    accounts = {task.subject: task.accounts for task in (*found[TaskKind.CANARY], *found[TaskKind.LOGINS])}
    assert accounts["c0@contoso.test"] == accounts["c1@contoso.test"] == {"svc-crm@contoso.test"}
    assert accounts["b0@branch.test"] == {"b0@branch.test"}


def test_dynamics_is_read_where_the_estate_says_how() -> None:
    """One task, with the account that reads it; without the table there is none."""
    (task,) = tasks(estate())[TaskKind.DYNAMICS]
    assert list(task.loads) == ["https://crm.contoso.test/Contoso"]
    assert len(task.accounts) == 1


def test_nobody_is_signed_in_to_during_maintenance() -> None:
    """Mailboxes have the hours of maintenance in which they do not come; endpoints are looked at all the same."""
    found = tasks(estate(schedule='maintenance = ["Sat 22:00-02:00"]'))
    hours = (Hours(start=time(22), end=time(2), weekday=5),)
    assert {task.never for task in (*found[TaskKind.CANARY], *found[TaskKind.LOGINS])} == {hours}
    assert {task.never for task in found[TaskKind.QUICK]} == {()}


def test_work_is_what_the_plan_holds() -> None:
    """A conversation that is not held costs nothing; one at two endpoints costs both."""
    of = estate()
    plan = app.plan_check(of, of.mailboxes, app.Options(allow=frozenset({Effect.SENDS_MAIL})), DAY)
    held = work_of(plan, app.probers())
    assert set(held.endpoints) == {EWS, POP, SMTP}
    assert "unserved@branch.test" not in held.mailboxes
    assert held.mailboxes["b0@branch.test"].places == {POP: Load(connections=1, sign_ins=1), SMTP: Load(connections=1, sign_ins=1)}
    logins = Counter(one.mailbox for one in plan.conversations if one.not_held is None and one.login is not None)
    assert {address for address, one in held.mailboxes.items() if one.accounts} == set(logins)


def test_the_day_ahead_has_each_kind_and_what_it_costs_each_server() -> None:
    """Looks by their interval, sign-ins in their hours, and connections and sign-ins of each server, a day and in its busiest hour."""
    of = estate()
    ahead = day_ahead(tasks_of(of, work(of)), "contoso-crm", DAY, BERLIN)
    kinds = {one.kind: one for one in ahead.kinds}
    assert (kinds[TaskKind.QUICK].tasks, kinds[TaskKind.QUICK].runs, kinds[TaskKind.QUICK].busiest_hour) == (3, 864, 36)
    assert (kinds[TaskKind.POSTURE].runs, kinds[TaskKind.CANARY].runs, kinds[TaskKind.DYNAMICS].runs) == (3, 48, 288)
    first, last = kinds[TaskKind.LOGINS].first, kinds[TaskKind.LOGINS].last
    assert first is not None
    assert last is not None
    assert 1 <= first.astimezone(BERLIN).hour <= last.astimezone(BERLIN).hour < 5
    servers = {one.url: one for one in ahead.servers}
    # The look's conversation each 5 minutes, one posture of 38, 24 sign-ins of the canary and 1 of the other mailbox.
    looks = work(of).endpoints[POP].connections * 288
    assert (servers[POP].connections, servers[POP].sign_ins) == (looks + 38 + 25, 25)
    assert servers[POP].most_sign_ins == 2
    assert ahead.servers[0].connections == max(one.connections for one in ahead.servers)


@pytest.mark.parametrize(("day", "looks"), [(date(2026, 3, 29), 276), (date(2026, 10, 25), 300)])
def test_a_day_on_which_clocks_change_is_as_long_as_it_is(day: date, looks: int) -> None:
    """A local day has 23 or 25 hours then."""
    quick = next(task for task in tasks_of(estate(), work(estate())) if task.kind is TaskKind.QUICK)
    assert day_ahead([quick], "contoso-crm", day, BERLIN).kinds[0].runs == looks


def test_the_day_ahead_is_told_in_lines() -> None:
    """What, how often, when, what it costs whom, and that nothing was done."""
    of = estate(schedule='logins = "3d"')
    lines = lines_of(day_ahead(tasks_of(of, work(of)), "contoso-crm", DAY, BERLIN), BERLIN)
    assert lines[0] == "Mon 2026-11-30, local time"
    assert lines[1] == "  quick      3 endpoints, looked at, each 5m: 864 times, 00:00 to 23:59, at most 36 an hour"
    assert f"  {EWS}" in lines
    assert lines[-1] == "No connection was made."
    assert any(line.startswith("  logins     ") and "each 3d" in line for line in lines)
    nothing = day_ahead([], "contoso-crm", DAY)
    assert "nothing is due" in lines_of(nothing)[1]
