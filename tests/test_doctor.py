"""Tests of what is found wrong with a set-up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from probe import app
from probe.config import read_estate
from probe.doctor import Health, Symptom, clocks, worst
from probe.memory import folder
from probe.model.estate import Estate, SecretReference
from probe.model.runs import Run
from probe.model.watching import AlertSettings
from tests.gate.world import demonstrated
from tests.hostile import closed_port
from tests.outlook.estates import HEAD
from tests.runs import EWS, a_run, an_attempt


def told(symptoms: Iterable[Symptom]) -> dict[str, list[tuple[Health, str]]]:
    found: dict[str, list[tuple[Health, str]]] = {}
    for symptom in symptoms:
        found.setdefault(symptom.about.partition(":")[0], []).append((symptom.health, symptom.words))
        assert symptom.health is not Health.WRONG or symptom.remedy
    return found


@pytest.fixture
def options(tmp_path: Path) -> app.Options:
    return app.Options(state=tmp_path / "state", timeout=5, hosts={"mail.contoso.test": f"127.0.0.1:{closed_port()}"})


def an_estate_there(secret: str) -> Estate:
    """One profile, whose server nobody needs to reach."""
    text = HEAD.partition('[[profile]]\nname = "online"')[0].replace("env:SECRET", secret)
    mailbox = (
        '[[mailbox]]\naddress = "a@contoso.test"\nprofile = "corp"\nincoming = "server-side"\noutgoing = "none"\nappointments = "none"\n'
    )
    return read_estate(text + mailbox, "estate.toml")


@pytest.mark.parametrize(("kind", "health"), [("ext4", Health.GOOD), ("tmpfs", Health.WRONG)])
async def test_without_an_estate_this_machine_is_looked_at(
    options: app.Options, monkeypatch: pytest.MonkeyPatch, kind: str, health: Health
) -> None:
    """The state folder, which has to outlive the machine, and the trust anchors; nothing is connected to."""
    monkeypatch.setattr(folder, "_file_system_of", lambda path: kind)
    found = told(await app.doctor(None, options))
    assert found.keys() == {"state folder", "trust anchors"}
    assert found["state folder"][0][0] is health


async def test_a_state_folder_that_others_may_write_is_wrong(options: app.Options, tmp_path: Path) -> None:
    """Nobody signs in with such a folder, and the doctor says why."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o777)
    ((health, words),) = told(await app.doctor(None, options))["state folder"]
    assert health is Health.WRONG
    assert str(tmp_path / "state") in words


async def test_a_machine_without_authorities_is_told(options: app.Options, tmp_path: Path) -> None:
    """A file of trust anchors that cannot be read is wrong too, and is told by its option."""
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing", encoding="utf-8")
    found = told(await app.doctor(None, replace(options, ca_file=broken)))["trust anchors"]
    assert (Health.WRONG, f"{broken} holds no PEM certificates that can be read, or something else besides that cannot") in found


async def test_a_secret_that_is_not_there_is_told_by_whose_it_is(options: app.Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the secret nor its place is told; a secret that is there is counted."""
    monkeypatch.delenv("MARKED_PLACE", raising=False)
    ((health, words),) = told(await app.doctor(an_estate_there("env:MARKED_PLACE"), options))["secrets"]
    assert health is Health.WRONG
    assert 'password of profile "corp"' in words
    assert "MARKED_PLACE" not in words
    monkeypatch.setenv("MARKED_PLACE", "MARKED_SECRET")
    ((health, words),) = told(await app.doctor(an_estate_there("env:MARKED_PLACE"), options))["secrets"]
    assert (health, words) == (Health.GOOD, "1 of 1 are where the estate says")


async def test_alert_targets_are_told_by_their_references(options: app.Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each alert target is good where its URL is there and of a kind that is used; nothing is sent, and nothing of a URL is told."""
    urls = {"SECRET": "x", "GOOD": "jsons://127.0.0.1:1/MARKED", "CLEAR": "json://127.0.0.1:1/MARKED"}
    for name, value in urls.items():
        monkeypatch.setenv(name, value)
    estate = an_estate_there("env:SECRET")
    to = tuple(map(SecretReference.parse, ("env:GOOD", "env:CLEAR", "env:MISSING")))
    found = told(await app.doctor(replace(estate, alerts=AlertSettings(to=to)), options))["alert target"]
    assert found == [
        (Health.GOOD, "a webhook over HTTPS, as JSON; whether it takes alerts is seen by: probe alert test"),
        (Health.WRONG, "json:// goes in clear; use jsons://"),
        (Health.WRONG, "the environment variable that the estate names for a secret is not set, or is empty"),
    ]


@pytest.mark.parametrize(
    ("url", "health", "words"),
    [
        (None, Health.WRONG, "the environment variable that the estate names for a secret is not set, or is empty"),
        ("http://127.0.0.1:1/MARKED", Health.WRONG, "what stands there is not a URL that begins with https://, and no other is called"),
        ("https://127.0.0.1:1/MARKED", Health.GOOD, "a URL over HTTPS; nobody called it"),
    ],
)
async def test_the_heartbeat_is_told_by_its_reference(
    options: app.Options, monkeypatch: pytest.MonkeyPatch, url: str | None, health: Health, words: str
) -> None:
    """A dead man's switch that nobody can call would else be found out by its alarm; nothing is sent, and nothing of the URL is told."""
    monkeypatch.setenv("SECRET", "x")
    monkeypatch.delenv("BEAT", raising=False)
    if url is not None:
        monkeypatch.setenv("BEAT", url)
    estate = replace(an_estate_there("env:SECRET"), alerts=AlertSettings(heartbeat=SecretReference.parse("env:BEAT")))
    assert told(await app.doctor(estate, options))["heartbeat"] == [(health, words)]


@pytest.fixture
def hanging_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose name servers never answer."""
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(60) and [])
    yield
    over.set()


@pytest.mark.usefixtures("hanging_resolver")
async def test_names_that_nobody_answers_for_take_no_longer_than_one(options: app.Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is looked up beside the others, for as long as one attempt may take, and is told."""
    monkeypatch.setenv("SECRET", "x")
    estate = an_estate_there("env:SECRET")
    profile, *others = estate.profiles
    assert profile.incoming is not None
    elsewhere = replace(profile, name="other", incoming=replace(profile.incoming, host="other.contoso.test"))
    mailbox = replace(estate.mailboxes[0], address="b@contoso.test", profile="other")
    estate = replace(estate, profiles=(profile, *others, elsewhere), mailboxes=(*estate.mailboxes, mailbox))
    found = told(await app.doctor(estate, replace(options, hosts={}, timeout=0.2)))
    assert found["name"] == [
        (Health.WRONG, "no name server answered for mail.contoso.test within 0.2 s"),
        (Health.WRONG, "no name server answered for other.contoso.test within 0.2 s"),
    ]


@pytest.mark.usefixtures("hanging_resolver")
async def test_a_deadline_ends_the_examination(options: app.Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found until then is told, and that the rest was not examined, which is no all-clear."""
    monkeypatch.setenv("SECRET", "x")
    found = told(await app.doctor(an_estate_there("env:SECRET"), replace(options, hosts={}, timeout=60, deadline=0.3)))
    assert found["secrets"] == [(Health.GOOD, "1 of 1 are where the estate says")]
    assert found["deadline"] == [(Health.UNKNOWN, "the deadline of 0.3 s had come; what is not told of here was not examined to its end")]
    assert "clock" not in found


async def test_a_name_without_an_address_and_a_server_that_tells_no_time_are_told(
    options: app.Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be seen is unknown, and no all-clear."""
    monkeypatch.setenv("SECRET", "x")
    found = told(await app.doctor(an_estate_there("env:SECRET"), replace(options, hosts={})))
    assert found["name"][0][0] is Health.WRONG
    assert found["clock"] == [(Health.UNKNOWN, "no server told the time")]


async def test_a_set_up_that_is_well_is_well_but_for_what_is_wrong_with_it(tmp_path: Path) -> None:
    """Clocks, secrets and Dynamics of the simulated estate are good, and nobody signs in to a mail server."""
    async with demonstrated() as (_, estate, options):
        found = told(await app.doctor(estate, replace(options, state=tmp_path / "state")))
    assert {health for health, _ in found["clock"]} == {Health.GOOD}
    assert found["secrets"] == [(Health.GOOD, "11 of 11 are where the estate says")]
    ((health, words),) = found["Dynamics"]
    assert (health, words.partition(",")[0]) == (Health.GOOD, "Contoso")


async def test_a_password_that_dynamics_refuses_is_tried_once(tmp_path: Path) -> None:
    """The doctor signs in through the ledger: asked again, it repeats the reason, and not the password."""
    async with demonstrated("wrong") as (demonstration, estate, options):
        for _ in range(2):
            ((health, _words),) = told(await app.doctor(estate, replace(options, state=tmp_path / "state")))["Dynamics"]
            assert health is Health.WRONG
        assert [taken for _, taken in demonstration.server.logons] == [False]


def attempted(*said: str) -> Run:
    return a_run(attempts=[an_attempt(1, EWS, said=said, prober="ews-anonymous")])


@pytest.mark.parametrize(
    ("date", "health"),
    [
        ("Mon, 23 Nov 2026 12:00:00 GMT", Health.GOOD),
        ("Mon, 23 Nov 2026 12:01:00 GMT", Health.UNKNOWN),
        ("Mon, 23 Nov 2026 11:54:00 GMT", Health.WRONG),
        ("Mon, 23 Nov 2026 13:00:00 GMT", Health.WRONG),
        ("soon", Health.UNKNOWN),
        ("Mon, 99 Nov 99999 13:00:00 GMT", Health.UNKNOWN),
    ],
)
def test_a_clock_that_is_off_is_told(date: str, health: Health) -> None:
    """Half a minute is let pass, and five minutes are what Kerberos refuses; what is no time tells nothing."""
    (symptom,) = clocks(attempted("HTTP/1.1 401 Unauthorized", f"Date: {date}"))
    assert symptom.health is health


def test_the_worst_counts() -> None:
    """One thing that is wrong makes the whole wrong, one that is not known leaves it open."""
    of = {health: Symptom(about="x", health=health, words="", remedy="y") for health in Health}
    assert worst([of[Health.GOOD], of[Health.UNKNOWN], of[Health.WRONG]]) is Health.WRONG
    assert worst([of[Health.GOOD], of[Health.UNKNOWN]]) is Health.UNKNOWN
    assert worst([]) is Health.GOOD
