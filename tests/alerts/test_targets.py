"""Tests of delivery to real servers on loopback: what counts as taken, what is refused, and that no secret and nothing of the environment takes part."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from probe.alerts import Heartbeat, TargetSender
from probe.alerts.conditions import Severity
from probe.alerts.wording import Message, MessageLine, Part
from probe.model.secrets import SecretReference
from probe.net.alert_request import DeliveryEnding
from probe.net.killable import Children
from tests.alerts.peers import Answer, MailTarget, https_target, mail_target
from tests.alerts.scripted import START
from tests.alerts.sending import ThisProcess, sent
from tests.hostile import Hostile, closed_port
from tests.looking import authority

_MESSAGE = Message(
    title="[TEST] contoso: test", severity=Severity.WARNING, is_over=False, lines=(MessageLine(Part.OURS, "A cause.", "Cause"),)
)
_SECRET = "s3cret-of-the-hook"


@pytest.mark.parametrize(
    ("status", "ending"),
    [
        (200, DeliveryEnding.TAKEN),
        (204, DeliveryEnding.TAKEN),
        (301, DeliveryEnding.REFUSED),
        (307, DeliveryEnding.REFUSED),
        (400, DeliveryEnding.REFUSED),
        (404, DeliveryEnding.REFUSED),
        (429, DeliveryEnding.NOT_TAKEN),
        (500, DeliveryEnding.UNSEEN),
        (503, DeliveryEnding.NOT_TAKEN),
        (504, DeliveryEnding.UNSEEN),
    ],
)
async def test_what_a_status_means(status: int, ending: DeliveryEnding, tmp_path: Path) -> None:
    """A success is taken, a refusal and a redirect are refusals, *not now* was not taken, and of another failure of the server nobody knows."""
    with https_target() as elsewhere:
        answer: Answer = (status, {"Location": f"https://localhost:{elsewhere.port}/stolen"}, b"")
        with https_target(answers=lambda request: answer) as target:
            ended = await sent(f"jsons://user:pa55@localhost:{target.port}/{_SECRET}", _MESSAGE, tmp_path, by=ThisProcess)
    assert ended.ending is ending
    assert len(target.arrived) == 1
    assert not elsewhere.arrived
    assert str(status) in ended.why or ending is DeliveryEnding.TAKEN
    assert _SECRET not in ended.why


async def test_a_target_whose_certificate_is_not_trusted_gets_nothing(tmp_path: Path) -> None:
    """Nothing is sent to a server whose certificate this machine does not vouch for; certifi's anchors and the environment's are not asked."""
    with https_target(identity="self-signed") as target, mail_target(identity="self-signed") as mail:
        web = await sent(f"jsons://localhost:{target.port}/{_SECRET}", _MESSAGE, tmp_path)
        post = await sent(
            f"mailtos://u:{_SECRET}@localhost:{mail.port}?smtp=localhost&to=ops@contoso.test&from=a@b.test", _MESSAGE, tmp_path
        )
        untrusted = await sent(f"jsons://localhost:{target.port}/x", _MESSAGE, tmp_path, trusts=False)
    assert (web.ending, web.why) == (DeliveryEnding.REFUSED, "its certificate is not trusted")
    assert (post.ending, post.why) == (DeliveryEnding.REFUSED, "the mail server's certificate is not trusted")
    assert untrusted.ending is DeliveryEnding.REFUSED
    assert not target.arrived
    assert not mail.messages


async def test_nothing_of_the_environment_takes_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies, passwords of a .netrc and anchors that the environment names change nothing."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login thief password stolen\n")
    netrc.chmod(0o600)
    with https_target() as proxy, https_target() as target:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
            monkeypatch.setenv(name, f"http://localhost:{proxy.port}")
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent.pem")
        monkeypatch.setenv("CURL_CA_BUNDLE", "/nonexistent.pem")
        ended = await sent(f"jsons://localhost:{target.port}/x", _MESSAGE, tmp_path)
    assert (ended.ending, ended.why) == (DeliveryEnding.TAKEN, "")
    assert "Authorization" not in target.arrived[0].headers
    assert not proxy.arrived


@pytest.mark.parametrize(
    ("url", "ending", "why"),
    [
        (f"jsons://localhost:{{closed}}/{_SECRET}", DeliveryEnding.NOT_TAKEN, "no connection to it"),
        ("mailtos://u:s3cret-of-the-hook@localhost:{closed}?smtp=localhost&to=ops@contoso.test&from=a@b.test", DeliveryEnding.NOT_TAKEN, "no connection to the mail server"),
        (f"slack://{_SECRET}", DeliveryEnding.REFUSED, "apprise does not accept its URL"),
        (f"jsons://:::{_SECRET}", DeliveryEnding.REFUSED, "its URL is not one that apprise understands"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("by", [Children, ThisProcess])
async def test_a_target_that_cannot_be_reached(url: str, ending: DeliveryEnding, why: str, by: type[Children], tmp_path: Path) -> None:
    """Where no connection comes about nothing was taken; a URL that apprise cannot read is refused; neither is repeated."""
    ended = await sent(url.replace("{closed}", str(closed_port())), _MESSAGE, tmp_path, by=by)
    assert (ended.ending, ended.why) == (ending, why)


@pytest.mark.parametrize(
    ("server", "ending"),
    [
        (Hostile(greeting=b""), DeliveryEnding.UNSEEN),
        (Hostile(greeting=b"+OK\r\n"), DeliveryEnding.UNSEEN),
    ],
)
async def test_a_server_that_does_not_speak_is_given_up_in_time(server: Hostile, ending: DeliveryEnding, tmp_path: Path) -> None:
    """A target that hangs, or speaks another protocol, ends within the time for a delivery."""
    async with server.serving() as target:
        ended = await sent(f"jsons://localhost:{target.port}/{_SECRET}", _MESSAGE, tmp_path, seconds=2)
    assert ended.ending is ending
    assert _SECRET not in ended.why


async def test_a_response_that_ends_early_or_never_is_not_taken_for_one(tmp_path: Path) -> None:
    """A connection that is closed without a response, and a response of any length, leave it open whether the message was taken."""
    with https_target(answers=lambda request: None) as closing:
        ended = await sent(f"jsons://localhost:{closing.port}/x", _MESSAGE, tmp_path, by=ThisProcess)
    assert ended.ending is DeliveryEnding.UNSEEN
    with https_target(answers=lambda request: (200, {}, b"x" * 1_000_000)) as long:
        ended = await sent(f"jsons://localhost:{long.port}/x", _MESSAGE, tmp_path, by=ThisProcess)
    assert ended.ending is DeliveryEnding.UNSEEN


@pytest.mark.parametrize(
    ("server", "ending", "why"),
    [
        (MailTarget(offers_starttls=False), DeliveryEnding.REFUSED, "the mail server does not offer STARTTLS, or no login that is known"),
        (
            MailTarget(refuses=frozenset({"ops@"})),
            DeliveryEnding.PARTLY,
            "some recipients took it; of another: no recipient was accepted (SMTP 550)",
        ),
        (MailTarget(refuses=frozenset({"ops@", "boss@"})), DeliveryEnding.REFUSED, "no recipient was accepted (SMTP 550)"),
        (MailTarget(final=b"554 no"), DeliveryEnding.REFUSED, "the mail server answered with SMTP 554"),
        (MailTarget(final=b"451 later"), DeliveryEnding.NOT_TAKEN, "the mail server answered with SMTP 451"),
        (MailTarget(final=b""), DeliveryEnding.UNSEEN, "the connection to the mail server ended before it confirmed"),
        (MailTarget(login=b"535 no"), DeliveryEnding.REFUSED, "the mail server refused the login (SMTP 535)"),
    ],
)
async def test_what_a_mail_server_says_decides(server: MailTarget, ending: DeliveryEnding, why: str, tmp_path: Path) -> None:
    """Of mail, what the server says to each recipient and after the message decides; without STARTTLS nothing is sent."""
    with mail_target(server) as target:
        url = f"mailtos://u:{_SECRET}@localhost:{target.port}?smtp=localhost&from=a@b.test&to=ops@contoso.test,boss@contoso.test"
        ended = await sent(url, _MESSAGE, tmp_path, by=ThisProcess)
    assert ended.ending is ending
    assert ended.why == why
    if not server.offers_starttls:
        assert not target.messages
        assert not any(b"AUTH" in line for line in target.said_in_clear)


async def test_a_delivery_that_takes_too_long_is_broken_off(tmp_path: Path) -> None:
    """Past its time the child that delivers is killed, and nobody knows whether the message was taken."""
    with https_target() as target:
        ended = await sent(f"jsons://localhost:{target.port}/x", _MESSAGE, tmp_path, seconds=0.01)
    assert (ended.ending, ended.why) == (DeliveryEnding.UNSEEN, "it did not take the message within 0.01 s")


async def test_a_secret_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    """A reference that cannot be resolved is no reason to give up at once."""
    async with Children(1) as children:
        ended = await TargetSender(children).send(f"file:{tmp_path}/nowhere", _MESSAGE, "e", False)
    assert ended.ending is DeliveryEnding.NOT_TAKEN


async def test_no_secret_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """At debug level neither our loggers nor those of apprise, requests and urllib3 say anything of a URL, on no stream."""
    with caplog.at_level(logging.DEBUG), https_target(answers=lambda request: (404, {}, _SECRET.encode())) as target:
        for name in ("apprise", "urllib3", "requests"):
            logging.getLogger(name).setLevel(1)
        await sent(f"jsons://u:{_SECRET}@localhost:{target.port}/{_SECRET}?+X={_SECRET}", _MESSAGE, tmp_path)
        await sent(f"slack://{_SECRET}/x?template={_SECRET}", _MESSAGE, tmp_path)
    shown = capfd.readouterr()
    everything = caplog.text + shown.out + shown.err + repr([vars(record) for record in caplog.records])
    assert _SECRET not in everything
    assert {record.name.partition(".")[0] for record in caplog.records} <= {"probe", "asyncio"}


async def test_a_repetition_says_so(tmp_path: Path) -> None:
    """A message that may have arrived before begins by saying that it is possibly a repetition."""
    with https_target() as target:
        await sent(f"jsons://localhost:{target.port}/x", _MESSAGE, tmp_path, is_repetition=True)
    assert '"message": "Possibly a repetition:' in target.texts


@pytest.mark.parametrize("by", [Children, ThisProcess])
async def test_the_heartbeat_is_called_at_most_once_a_minute(by: type[Children], tmp_path: Path) -> None:
    """The heartbeat's URL is called by GET once a minute at the most; a clock that is set back does not silence it."""
    with https_target() as target:
        (tmp_path / "url").write_text(f"https://localhost:{target.port}/ping/{_SECRET}")
        async with by(1) as children:
            targets = TargetSender(children, ca_file=str(authority().ca_file))
            heart = Heartbeat(SecretReference.parse(f"file:{tmp_path}/url"), targets.beat)
            seconds = (0, 10, 59, 60, 100, -3600)
            called = [await heart.beat(START + timedelta(seconds=second)) for second in seconds]
    assert called == [True, False, False, True, False, True]
    assert [(request.method, request.path) for request in target.arrived] == [("GET", f"/ping/{_SECRET}")] * 3
    assert heart.trouble == ""


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://localhost:PORT/s3cret", "its URL is not one of https"),
        ("file:///etc/passwd", "its URL is not one of https"),
        ("s3cret", "its URL is not one of https"),
        ("https://localhost:PORT/s3cret", "it answered with HTTP status 302, which redirects elsewhere; redirects are not followed"),
    ],
)
async def test_a_heartbeat_goes_to_https_alone(url: str, why: str, tmp_path: Path) -> None:
    """A heartbeat that is not https, or redirects, was not taken; the reason repeats nothing of its URL."""
    with https_target(answers=lambda request: (302, {"Location": "http://localhost/"}, b"")) as target:
        (tmp_path / "url").write_text(url.replace("PORT", str(target.port)))
        async with ThisProcess(1) as children:
            targets = TargetSender(children, ca_file=str(authority().ca_file))
            heart = Heartbeat(SecretReference.parse(f"file:{tmp_path}/url"), targets.beat)
            assert not await heart.beat(START)
    assert heart.trouble == why
