"""Tests of each kind of target, on what arrives at a real server, and of the kinds that are refused."""

from __future__ import annotations

import email
import email.policy
import html
import importlib
import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from probe.alerts.conditions import Severity
from probe.alerts.quoting import Style
from probe.alerts.schemes import SCHEMES, RefusedTarget, scheme_of
from probe.alerts.wording import Message, MessageLine, Part
from probe.net.alert_request import DeliveryEnding
from probe.net.quiet import quiet
from tests.alerts.peers import SUCCESS, Answer, Arrived, https_target, mail_target
from tests.alerts.sending import EVENT, ThisProcess, sent

_GREETING = (
    "220\r\n.\r\nRCPT TO:<x>\u202e\x1b[31m <!channel> <@U0123> @everyone @here *bold* _under_ ~gone~ `code` [link](https://evil.example/a) <https://evil.example|x> "
    "<b>html</b> <img src=https://evil.example/i.png> {{DATE(2020-01-01T00:00:00Z)}} <at>Bob</at> :skull: ||spoiler|| $x$ #ops "
    "&lt;!here&gt; www.evil.example bob@evil.example"
)
_MESSAGE = Message(
    title="[CRITICAL] contoso: smtp://mail:587 is *down* <!channel>",
    severity=Severity.CRITICAL,
    is_over=False,
    lines=(
        MessageLine(Part.OURS, "The server closes the connection.", "Cause"),
        MessageLine(Part.WORDS, _GREETING, "In the server's words"),
        MessageLine(Part.LINK, "https://probe.contoso.test:8025/e/1a_2b", "Where to look"),
        MessageLine(Part.OURS, "sales@contoso.test, @everyone@contoso.test", "Mailboxes"),
    ),
)
_WEBHOOK_SECRET = "hook-s3cret"
_WEBEX_TOKEN = "a" * 80

_URLS: dict[str, tuple[str, str]] = {
    "workflows": ("workflows://prod-1.westeurope.logic.azure.com/abc/sig-1_x", "prod-1.westeurope.logic.azure.com"),
    "workflow": ("workflow://prod-1.westeurope.logic.azure.com/abc/sig-1_x", "prod-1.westeurope.logic.azure.com"),
    "slack": ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/", "hooks.slack.com"),
    "jsons": (f"jsons://localhost:PORT/{_WEBHOOK_SECRET}?+X-Key=secret", "localhost"),
    "xmls": (f"xmls://localhost:PORT/{_WEBHOOK_SECRET}", "localhost"),
    "forms": (f"forms://localhost:PORT/{_WEBHOOK_SECRET}", "localhost"),
    "mmosts": ("mmosts://localhost:PORT/3ccdd113474722377935511fc85d3dd4", "localhost"),
    "rockets": ("rockets://AWeIWKb3Hk9AQzWMA/8jBzJjGfwMHGRmm@localhost:PORT/#ops", "localhost"),
    "gchat": ("gchat://workspace/key/token", "chat.googleapis.com"),
    "webex": (f"webex://{_WEBEX_TOKEN}", "api.ciscospark.com"),
    "wxteams": (f"wxteams://{_WEBEX_TOKEN}", "api.ciscospark.com"),
    "zulip": (f"zulip://botname@contoso/{'a' * 32}/ops", "contoso.zulipchat.com"),
    "discord": (f"discord://417429632418316298/{'B' * 64}", "discord.com"),
    "ntfys": ("ntfys://localhost:PORT/topic", "localhost"),
    "gotifys": ("gotifys://localhost:PORT/token", "localhost"),
    "pover": (f"pover://{'u' * 30}@{'a' * 30}", "api.pushover.net"),
    "opsgenie": (f"opsgenie://{'a' * 36}", "api.opsgenie.com"),
    "pagerduty": (f"pagerduty://{'a' * 32}@{'b' * 32}/probe", "events.pagerduty.com"),
    "splunk": (f"splunk://route@{'a' * 36}", "alert.victorops.com"),
    "victorops": (f"victorops://route@{'a' * 36}", "alert.victorops.com"),
    "signl4": (f"signl4://{'a' * 8}", "connect.signl4.com"),
}
"""A URL of each kind that goes over HTTPS, and the host that it leads to."""


def _answer(request: Arrived) -> Answer:
    """As the real services answer."""
    if request.host == "hooks.slack.com":
        return 200, {"Content-Type": "text/html"}, b"ok"
    if request.host == "api.opsgenie.com":
        return 202, {"Content-Type": "application/json"}, b'{"result": "Request will be processed", "took": 0.3, "requestId": "43a29c5c"}'
    return SUCCESS


def _texts_in(form: object) -> list[str]:
    match form:
        case str():
            return [form]
        case dict():
            return [text for value in form.values() for text in _texts_in(value)]
        case list():
            return [text for value in form for text in _texts_in(value)]
    return []


def _texts(request: Arrived) -> list[str]:
    """Every text of a request, decoded as its receiver decodes it."""
    kind = request.headers["Content-Type"].partition(";")[0]
    body = request.body.decode()
    if kind == "application/json":
        return _texts_in(json.loads(body))
    if kind == "application/xml":
        return [html.unescape(text) for text in re.findall(r"<(?:Subject|Message)>(.*?)</", body, re.DOTALL)]
    assert kind == "application/x-www-form-urlencoded"
    return [text for values in parse_qs(body).values() for text in values]


def test_every_kind_of_target_is_tried_here() -> None:
    """Each scheme of the table has a URL in these tests; mail has tests of its own."""
    assert set(_URLS) | {"mailtos"} == set(SCHEMES)


@pytest.mark.parametrize("name", sorted(_URLS))
async def test_a_hostile_greeting_arrives_as_text(name: str, tmp_path: Path) -> None:
    """At each kind of target the words of a server arrive as text: nothing of them is a link, and in a chat no markup and no mention."""
    url, host = _URLS[name]
    with https_target(host, answers=_answer) as target:
        ended = await sent(url.replace("PORT", str(target.port)), _MESSAGE, tmp_path, by=ThisProcess, hosts=target.hosts(host))
    assert (ended.ending, ended.why) == (DeliveryEnding.TAKEN, "")
    (request,) = target.arrived
    assert request.host.partition(":")[0] == host
    (text,) = [text for text in _texts(request) if "In the server's words" in text]
    title = next(text for text in _texts(request) if "CRITICAL" in text and "contoso" in text)
    assert "https://probe.contoso.test:8025/e/1a_2b" in text
    # Nothing of the words is left that anything links.
    (words,) = re.findall(r"In the server's words: «(.*?)»", text)
    assert "evil" in words
    assert not re.search(r"\w://|\w\.[a-z]|\w@\w|[\x00-\x1f\u202e]", words)
    assert "\\x0d\\x0a" in words or "＼x0d＼x0a" in words
    if SCHEMES[name].style is Style.CHAT:
        without_link = (text + title).replace("https://probe.contoso.test:8025/e/1a_2b", "")
        assert not set(without_link) & set(r"*_~`<>[]#|\&@{}$^")
        assert not re.search(r":\w+:", words)


@pytest.mark.parametrize(
    ("name", "identity", "begun", "over"),
    [
        ("pagerduty", "dedup_key", ("event_action", "trigger"), ("event_action", "resolve")),
        ("splunk", "entity_id", ("message_type", "CRITICAL"), ("message_type", "RECOVERY")),
        ("signl4", "X-S4-ExternalID", ("X-S4-Status", None), ("X-S4-Status", "resolved")),
    ],
)
async def test_an_end_closes_the_incident_that_its_beginning_opened(
    name: str, identity: str, begun: tuple[str, str | None], over: tuple[str, str], tmp_path: Path
) -> None:
    """Where a target keeps incidents of its own, the events of one incident have one identity there, and the end closes it; a notice has another."""
    url, host = _URLS[name]
    began = replace(_MESSAGE, thread="probe/contoso/17")
    with https_target(host) as target:
        for told in (began, replace(began, is_over=True), _MESSAGE):
            ended = await sent(url, told, tmp_path, by=ThisProcess, hosts=target.hosts(host))
            assert ended.ending is DeliveryEnding.TAKEN
    first, second, other = (json.loads(request.body) for request in target.arrived)
    assert (first[identity], second[identity], other[identity]) == ("probe/contoso/17", "probe/contoso/17", EVENT)
    assert first.get(begun[0]) == begun[1]
    assert second[over[0]] == over[1]


@pytest.mark.parametrize("is_over", [True, False])
@pytest.mark.parametrize("severity", list(Severity))
@pytest.mark.parametrize("name", sorted(_URLS))
async def test_every_event_is_sent_whatever_it_tells(name: str, severity: Severity, is_over: bool, tmp_path: Path) -> None:
    """At each kind of target, what begins, what is over and what is only to be known arrives by one request."""
    url, host = _URLS[name]
    with https_target(host, answers=_answer) as target:
        told = replace(_MESSAGE, severity=severity, is_over=is_over, thread="probe/contoso/17")
        ended = await sent(url.replace("PORT", str(target.port)), told, tmp_path, by=ThisProcess, hosts=target.hosts(host))
    assert (ended.ending, ended.why) == (DeliveryEnding.TAKEN, "")
    assert len(target.arrived) == 1


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "hooks.slack.com"),
        (
            (
                "https://prod-1.westeurope.logic.azure.com:443/workflows/abc/triggers/manual/paths/invoke?api-version=2016-06-01"
                "&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=sig-1_x"
            ),
            "prod-1.westeurope.logic.azure.com",
        ),
        (f"https://discord.com/api/webhooks/417429632418316298/{'B' * 64}", "discord.com"),
    ],
)
async def test_a_url_as_the_product_shows_it_is_understood(url: str, host: str, tmp_path: Path) -> None:
    """The https URL that Slack, Teams or Discord shows for a webhook stands for that target."""
    with https_target(host, answers=_answer) as target:
        ended = await sent(url, _MESSAGE, tmp_path, by=ThisProcess, hosts=target.hosts(host))
    assert (ended.ending, ended.why) == (DeliveryEnding.TAKEN, "")
    assert len(target.arrived) == 1


@pytest.mark.parametrize(("options", "is_tls_at_once"), [("mode=starttls", False), ("", False), ("mode=ssl", True)])
async def test_mail_goes_over_tls_as_plain_text(options: str, is_tls_at_once: bool, tmp_path: Path) -> None:
    """Mail is sent over verified TLS, as plain text alone, with nothing of the words of a server in a header or as a line of SMTP."""
    with mail_target(speaks_tls_at_once=is_tls_at_once) as target:
        url = f"mailtos://user:pa55@localhost:{target.port}?smtp=localhost&from=probe@contoso.test&to=ops@contoso.test&{options}"
        ended = await sent(url, _MESSAGE, tmp_path, by=ThisProcess)
    assert (ended.ending, ended.why) == (DeliveryEnding.TAKEN, "")
    assert all(line.startswith((b"EHLO", b"ehlo", b"STARTTLS")) for line in target.said_in_clear)
    (raw,) = target.messages
    arrived = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(arrived, email.message.EmailMessage)
    assert arrived.get_content_type() == "text/plain"
    assert arrived["To"] == "ops@contoso.test"
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert arrived["Subject"] == "[CRITICAL] contoso: smtp://mail:587 is *down* <!channel>"
    text = arrived.get_content()
    (words,) = re.findall(r"In the server's words: «(.*?)»", text)
    assert not re.search(r"\w://|\w\.[a-z]|\w@\w|[\x00-\x1f\u202e]", words)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mailto://user:pa55@mail.contoso.test", "goes in clear; use mailtos://"),
        ("json://hook.contoso.test/x", "goes in clear; use jsons://"),
        ("xml://hook.contoso.test/x", "goes in clear"),
        ("http://hook.contoso.test/s3cret", "kind that is not used"),
        ("https://hook.contoso.test/s3cret", "names no kind of target"),
        ("https://hooks.slack.com.evil.example/services/s3cret", "names no kind of target"),
        ("https://hooks.slack.com@evil.example/services/s3cret", "kind that is not used"),
        ("syslog://", "kind that is not used"),
        ("dbus://", "kind that is not used"),
        ("windows://", "kind that is not used"),
        ("macosx://", "kind that is not used"),
        ("gnome://", "kind that is not used"),
        ("apprise://host/s3cret", "kind that is not used"),
        ("irc://host", "kind that is not used"),
        ("mqtt://host", "kind that is not used"),
        ("file:///etc/passwd", "kind that is not used"),
        ("s3cret-token", "is not a URL"),
        ("", "is not a URL"),
        (" jsons://host/x", "kind that is not used"),
    ],
)
def test_a_kind_that_is_not_in_the_table_is_refused(url: str, reason: str) -> None:
    """A scheme that goes in clear, or to a program, a file or a bus of this machine, is refused with the reason; nothing of the URL is repeated."""
    with pytest.raises(RefusedTarget, match=re.escape(reason)) as refused:
        scheme_of(url)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "jsons://localhost:PORT/x?verify=no",
        "jsons://localhost:PORT/x?redirect=yes",
        "jsons://localhost:PORT/x?+H=1;VERIFY=no",
        "jsons://localhost:PORT/x?%76erify=no",
        "jsons://localhost:PORT/x?format=html",
        "jsons://localhost:PORT/x?overflow=split",
        "jsons://localhost:PORT/x?retry=5",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?template=/etc/passwd",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?blocks=yes",
        "workflows://prod-1.westeurope.logic.azure.com/abc/sig?template=/etc/passwd",
        f"discord://417429632418316298/{'B' * 64}?ping=@everyone",
        "ntfys://localhost:PORT/topic?attach=https://evil.example/",
        "mailtos://user:pa55@localhost:PORT?smtp=localhost&mode=insecure",
        "mailtos://user:pa55@localhost:PORT?smtp=localhost&pgp=encrypt&pgppub=/etc/passwd",
    ],
)
async def test_an_option_that_is_not_allowed_is_refused(url: str, tmp_path: Path) -> None:
    """A URL that would switch off verification, follow redirects, read a file, change the format or send in clear is refused, and nothing is sent."""
    with https_target("hooks.slack.com", "discord.com") as target:
        ended = await sent(
            url.replace("PORT", str(target.port)), _MESSAGE, tmp_path, by=ThisProcess, hosts=target.hosts("hooks.slack.com", "discord.com")
        )
    assert ended.ending is DeliveryEnding.REFUSED
    assert "allowed" in ended.why or "TLS alone" in ended.why
    assert not target.arrived


@pytest.mark.parametrize("name", sorted(SCHEMES))
def test_the_table_names_a_plugin_that_goes_over_tls(name: str) -> None:
    """Each scheme of the table is one that apprise itself calls secure, of the plugin that the table names."""
    scheme = SCHEMES[name]
    with quiet():
        plugin = getattr(importlib.import_module(f"apprise.plugins.{scheme.module}"), scheme.plugin)
    secure = plugin.secure_protocol
    assert name in ((secure,) if isinstance(secure, str) else secure)
    assert name not in ((plugin.protocol,) if isinstance(plugin.protocol, str) else plugin.protocol or ())
