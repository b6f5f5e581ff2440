"""No secret of an estate is in anything that the service writes, sends or shows."""

from __future__ import annotations

import asyncio
import base64
import email
import email.policy
import json
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from probe import app
from probe.config import read_estate
from probe.memory import Folder
from probe.model.estate import Secret
from probe.service import ServiceSettings, serve
from probe.simulation import pop3, smtp
from probe.simulation.authorities import Client
from probe.simulation.ews import Account
from probe.simulation.exchange import ExchangeOnline
from probe.simulation.pop3 import Pop3Server
from probe.simulation.smtp import SmtpServer
from probe.web.listener import listen_settings
from probe.web.tokens import Tokens, TokenScope
from tests.alerts.peers import HttpsTarget, MailTarget, https_target, mail_target
from tests.exchange_world import ONLINE, OURS, World
from tests.looking import authority, server_context
from tests.service.accounts import ADDRESS, ESTATE
from tests.service.kept import texts_of, texts_of_row
from tests.web.client import Asker
from tests.web.pages.reading import PageReader

PASSWORD = 'MARKED-1 pa"ss&w+rd\\%'
CLIENT_SECRET = "MARKED-2~client.secret+/="
WEBHOOK_TOKEN = "MARKED-3-webhook"
MAIL_PASSWORD = "MARKED-4-mail"
HEARTBEAT_TOKEN = "MARKED-5-heartbeat"
DATABASE_PASSWORD = "MARKED-6-database"
USER = "anna@contoso.test"
CLOUD = """
[[profile]]
name = "cloud"
server_type = "exchange-online"
incoming = "{ews}/EWS/Exchange.asmx"
authentication = "oauth"
credentials = "server-to-server"
tenant = "contoso.test"
client_id = "{client}"
client_secret = "env:CLIENT_SECRET"
[[mailbox]]
address = "{user}"
profile = "cloud"
incoming = "server-side"
outgoing = "server-side"
appointments = "none"
"""


def forms_of(secret: str) -> set[str]:
    """A secret as it may stand somewhere: as it is, quoted for a URL, with the escapes of JSON, of Python and of HTML, in hexadecimal, and in base64."""
    found = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1], secret.encode().hex()}
    found.add(secret.replace("&", "&amp;").replace('"', "&#34;"))
    found.add(secret.replace("&", "&amp;").replace('"', "&quot;"))
    for before in range(3):
        # In base64 what stands before it decides how it is written; letters that hold a part of something else are left out.
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(b"\0" * before + secret.encode()).decode().rstrip("=")
            found.add(encoded[-(-before * 8 // 6) : len(encoded) - 1])
    return found


SECRETS = (PASSWORD, CLIENT_SECRET, WEBHOOK_TOKEN, MAIL_PASSWORD, HEARTBEAT_TOKEN, DATABASE_PASSWORD)


def found_in(texts: Iterator[str], secrets: tuple[str, ...]) -> set[str]:
    """The secrets that are in a text, in whichever form."""
    whole = "\0".join(texts)
    return {secret for secret in secrets if any(form in whole for form in forms_of(secret))}


@pytest.mark.parametrize(
    "text",
    [
        f"PASS {PASSWORD}",
        base64.b64encode(f"\0{ADDRESS}\0{PASSWORD}".encode()).decode(),
        base64.b64encode(f"a:{PASSWORD}".encode()).decode(),
        base64.b64encode(f"{ADDRESS}:{PASSWORD}:{ADDRESS}".encode()).decode(),
        json.dumps({"password": PASSWORD}),
        f"password={quote_plus(PASSWORD)}&x=",
    ],
)
def test_a_secret_would_be_found(text: str) -> None:
    """What searches for secrets below knows one as SASL PLAIN, Basic, JSON and a form write it."""
    assert found_in(iter([text]), SECRETS) == {PASSWORD}


def test_what_is_no_secret_is_not_found() -> None:
    """Nor is a part of one, or what stands beside one."""
    plain = base64.b64encode(f"\0{ADDRESS}\0MARKED-".encode()).decode()
    assert found_in(iter([ADDRESS, "MARKED-1", plain, json.dumps(plain)]), SECRETS) == set()


class Watched:
    """A service of two mailboxes at debug level: a password that is refused, and repeated by the server, and an application that gets a token."""

    def __init__(self, folder: Path, database: Secret | None) -> None:
        self.state = folder / "state"
        self._folder, self._database = folder, database
        self.said: list[str] = []
        self.shown: list[str] = []
        self.token = self.cookie = ""
        self.access_tokens: tuple[str, ...] = ()

    async def live(self, hook: HttpsTarget, mail: MailTarget) -> None:
        """Watch until alerts have come and everything was asked for."""
        repeats = replace(pop3.DOVECOT, refused=f"-ERR [AUTH] Authentication failed for {ADDRESS} with {PASSWORD}.")
        incoming = Pop3Server(repeats, server_context(), implicit=True, accounts={})
        outgoing = SmtpServer(smtp.POSTFIX, server_context(), implicit=True, accounts={ADDRESS: PASSWORD})
        async with incoming, outgoing, AsyncExitStack() as stack:
            world = World(stack, self._folder)
            entra, origin = await world.entra()
            entra._clients[OURS] = Client(secret=CLIENT_SECRET)
            accounts = {OURS: Account(password="", may_act_as=frozenset({USER}))}
            online = ExchangeOnline(world.tls(ONLINE), authority=origin, accounts=accounts, mailboxes=[USER], token_holder=entra.holder)
            text = ESTATE.format(pop=incoming.port, smtp=outgoing.port, address=ADDRESS)
            text += CLOUD.format(ews=await world.open(ONLINE, online), client=OURS, user=USER)
            alerts = '[alerts]\nto = ["env:HOOK_URL", "env:MAIL_URL"]\nheartbeat = "env:HEARTBEAT_URL"\n[[profile]]'
            text = text.replace("[[profile]]", alerts, 1).replace('quick = "1s"', 'quick = "1m"')
            file = self._folder / "estate.toml"
            file.write_text(text)
            anchors = authority().ca_file
            settings = ServiceSettings(
                estate_file=file,
                options=app.Options(timeout=60, hosts=world.hosts, ca_file=anchors, system_anchors=anchors, state=self.state),
                folder=Folder(self.state),
                database=self._database,
                listen=listen_settings("127.0.0.1:0", require_token=True),
                say=self.said.append,
            )
            stop = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(serve(settings, read_estate(text, str(file)), stop, asyncio.Event()))
                await _until(lambda: bool(self.said))
                await self._ask(self.said[0].rpartition(" ")[2])
                await _until(
                    lambda: bool(
                        incoming.logons and online.logons and mail.messages and {"GET", "POST"} <= {one.method for one in hook.arrived}
                    )
                )
                await self._ask_again()
                stop.set()
            assert (ADDRESS, False) in incoming.logons
            assert OURS in {name for name, _ in online.logons}
            self.access_tokens = tuple(entra._tokens)
            assert self.access_tokens

    async def _ask(self, url: str) -> None:
        self.token = Tokens(Folder(self.state)).create("pipeline", TokenScope.CHECK, app.now())
        self._asker, self._reader = Asker(url, token=self.token), PageReader(Asker(url))
        await self._reader.sign_in(self.token)
        (self.cookie,) = self._reader.cookies.values()
        wait = {"Prefer": "wait=90", "Content-Type": "application/json"}
        for path, mailbox in (("/v1/checks", USER), ("/v1/checks", ADDRESS), ("/v1/gate", ADDRESS)):
            answer = await self._asker.ask(path, "POST", wait, {"mailbox": mailbox})
            assert answer.status == 200, answer.body
            self._show(answer)
            if path == "/v1/checks":
                self._show(await self._asker.ask(f"/v1/runs/{answer.json()['id']}"))

    async def _ask_again(self) -> None:
        (endpoint,) = {
            one["id"] for one in (await self._asker.ask("/v1/endpoints")).json()["endpoints"] if one["subject"].startswith("pop3s")
        }
        api = (
            "summary",
            "mailboxes",
            f"mailboxes/{ADDRESS}",
            f"mailboxes/{USER}",
            "endpoints",
            f"endpoints/{endpoint}",
            "changes",
            "rules",
            "openapi.json",
        )
        for path in ("/metrics", f"/probe?target={endpoint}&module=quick", "/readyz", "/healthz", *(f"/v1/{one}" for one in api)):
            answer = await self._asker.ask(path)
            assert answer.status in (200, 503), (path, answer.body)
            self._show(answer)
        for path in ("/", f"/m/{ADDRESS}", f"/m/{USER}", f"/e/{endpoint}", "/changes", "/calendar", "/runs"):
            self._show(await self._reader.ask(path))

    def _show(self, answer: Any) -> None:
        assert answer.body
        self.shown.append(f"{dict(answer.headers)} {answer.body.decode()}")


async def _until(is_so: Any) -> None:
    for _ in range(1800):
        if is_so():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come about")


async def _rows_of(url: str) -> list[str]:
    """Everything that the tables of a PostgreSQL hold."""
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return [
            text for (table,) in tables for row in await connection.fetch(f"SELECT * FROM {table}") for text in texts_of_row(row.values())
        ]
    finally:
        await connection.close()


def _content(message: bytes) -> str:
    """The text of a mail, decoded."""
    arrived = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(arrived, email.message.EmailMessage)
    return str(arrived.get_content())


@pytest.mark.timeout(240)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_no_secret_is_anywhere(
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    """Password, client secret, URLs of targets and heartbeat, a target's password, tokens and session are in no file, table, log at its finest,
    alert, metric, answer or page, in no form, though a server repeats the password."""
    url = None
    if kind == "postgresql":
        if request.config.getoption("--no-servers"):
            pytest.skip("it needs a real server")
        url = request.getfixturevalue("postgresql").new_schema().replace("probe@", f"probe:{DATABASE_PASSWORD}@")
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("probe.service.serving.AT_MOST_EVERY", timedelta(seconds=1))
    watched = Watched(tmp_path, None if url is None else Secret(url))
    with https_target() as hook, mail_target(speaks_tls_at_once=True) as mail:
        for name, value in {
            "MAILBOX_PASSWORD": PASSWORD,
            "CLIENT_SECRET": CLIENT_SECRET,
            "HOOK_URL": f"jsons://localhost:{hook.port}/{WEBHOOK_TOKEN}",
            "MAIL_URL": f"mailtos://user:{MAIL_PASSWORD}@localhost:{mail.port}?smtp=localhost&from=probe@contoso.test&to=ops@contoso.test&mode=ssl",
            "HEARTBEAT_URL": f"https://localhost:{hook.port}/{HEARTBEAT_TOKEN}",
        }.items():
            monkeypatch.setenv(name, value)
        await watched.live(hook, mail)
    secrets = (*SECRETS, watched.token, watched.cookie, *watched.access_tokens)
    places: dict[str, list[str]] = {
        "the state folder": [text for file in watched.state.rglob("*") if file.is_file() for text in texts_of(file)],
        "the log": [f"{one.getMessage()} {vars(one)}" for one in caplog.records],
        "standard output and error": [*capfd.readouterr(), *watched.said],
        "alerts by webhook": [json.dumps(json.loads(one.body), ensure_ascii=False) for one in hook.arrived if one.method == "POST"],
        "alerts by mail": [text for message in mail.messages for text in (message.decode(), _content(message))],
        "answers and pages": watched.shown,
        "PostgreSQL": [] if url is None else await _rows_of(url),
    }
    assert "Authentication failed for" in "".join(places["the state folder"]) or url is not None
    assert "Authentication failed for" in "".join(places["answers and pages"])
    assert "Credentials refused" in "".join(places["alerts by webhook"])
    assert "Credentials refused" in "".join(places["alerts by mail"])
    assert ("Authentication failed for" in "".join(places["PostgreSQL"])) is (url is not None)
    assert {place for place, texts in places.items() if not any(texts)} == ({"PostgreSQL"} if url is None else set())
    assert {place: found for place, texts in places.items() if (found := found_in(iter(texts), secrets))} == {}
