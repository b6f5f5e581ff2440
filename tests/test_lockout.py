"""Health checks never lock an account: proofs of a wrong password, counted at the server that gets them, however it ends the sign-in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from probe import app
from probe.model.estate import Authentication, Credentials, Delivery, Effect, Endpoint, Estate, SecretReference, ServerType
from probe.simulation.listening import Conversation
from tests.looking import authority, server_context
from tests.refusing import Ending, Refusing
from tests.runs import a_mailbox, an_estate

BEGIN = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
MINUTES = (0, 1, 10, 29, 31, 60, 114, 125, 155, 400, 1439)
"""When the runs of a day are held: on both sides of each pause."""


def close(conversation: Conversation) -> None:
    conversation.close()


def reset(conversation: Conversation) -> None:
    conversation.reset()


def garbage(conversation: Conversation) -> None:
    conversation.send(bytes(range(256)) + b"\r\n")
    conversation.close()


def http(status: str, *headers: str, body: str = "") -> str:
    return "\n".join(
        (f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body.encode()) + (2 if body else 0)}", "", *([body] if body else []))
    )


WORDS = {
    "a code that names it": ("-ERR [AUTH] no", "535 5.7.8 no", "{tag} NO [AUTHENTICATIONFAILED] no"),
    "that, and later": (
        "-ERR [AUTH] Authentication failed, please try again later.",
        "535 Error: authentication failed, system busy",
        "{tag} NO [AUTHENTICATIONFAILED] Temporary failure, try again later",
    ),
    "no code": ("-ERR no", "550 no", "{tag} NO no"),
    "a code of another cause": (
        "-ERR [SYS/PERM] POP3 is disabled",
        "538 5.7.11 Encryption required",
        "{tag} NO [PRIVACYREQUIRED] TLS needed",
    ),
    "a code that passes": (
        "-ERR [SYS/TEMP] LDAP is away",
        "454 4.7.0 Temporary authentication failure",
        "{tag} NO [UNAVAILABLE] LDAP is away",
    ),
    "disabled": (
        "-ERR POP3 access is disabled for this account",
        "535 5.7.139 SmtpClientAuthentication is disabled",
        "{tag} NO IMAP is disabled for your domain",
    ),
    "needs TLS, under TLS": (
        "-ERR Check user name and password; POP3 requires SSL.",
        "530 5.7.0 Must issue a STARTTLS command first",
        "{tag} NO [ALERT] SSL required",
    ),
    "too many": ("-ERR Too many invalid logon attempts.", "421 4.7.0 Too many errors", "* BYE Too many failed logins\n{tag} NO no"),
    "another language": ("-ERR Неверный пароль", "535 密码错误或账户被禁用", "{tag} NO Échec de l'authentification, réessayez plus tard"),
    "yes, and then no": ("+OK\n-ERR mailbox cannot be opened", "235 ok\n550 go away", "{tag} OK\n* BYE not you\nA9 NO not you"),
    "another command's answer": ("+ AAAA", "334 AAAA", "+ AAAA"),
}
"""Answers of POP3, SMTP and IMAP to a wrong password."""

ENDINGS: dict[str, tuple[str, Ending]] = {
    **{f"{service}, {name}": (service, said[i]) for name, said in WORDS.items() for i, service in enumerate(("pop3", "smtp", "imap"))},
    **{f"{service}, {end.__name__}": (service, end) for end in (close, reset, garbage) for service in ("pop3", "smtp", "imap", "http")},
    "http, 401": ("http", http("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"')),
    "http, 401 in Chinese": ("http", http("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"', body="密码错误")),
    "http, 403": ("http", http("403 Forbidden", body="Access denied")),
    "http, 404": ("http", http("404 Not Found")),
    "http, 407": ("http", http("407 Proxy Authentication Required", "Proxy-Authenticate: Basic realm=x")),
    "http, 429": ("http", http("429 Too Many Requests", "Retry-After: 60")),
    "http, 456": ("http", http("456 Blocked")),
    "http, 302 to a logon page": ("http", http("302 Found", "Location: /owa/auth/logon.aspx")),
    "http, 302 to nowhere": ("http", http("302 Found", "Location: https://[x")),
    "http, a logon page": ("http", http("200 OK", "Content-Type: text/html", body="<form>user name or password is wrong</form>")),
    "http, 500": ("http", http("500 Internal Server Error")),
    "http, 503": ("http", http("503 Service Unavailable", "Retry-After: 60")),
    "http, half a head": ("http", "HTTP/1.1 401 Unauthorized\nWWW-"),
}


def estate_of(service: str, port: int, password: Path) -> Estate:
    """Five mailboxes of one account at one endpoint."""
    url = {
        "pop3": "pop3s://localhost:{}",
        "imap": "imaps://localhost:{}",
        "smtp": "smtps://localhost:{}",
        "http": "https://localhost:{}/EWS/Exchange.asmx",
    }
    endpoint, estate = Endpoint.parse(url[service].format(port)), an_estate()
    sends = service == "smtp"
    profile = replace(
        estate.profiles[0],
        server_type=ServerType.EXCHANGE_SERVER if service == "http" else ServerType.POP3_SMTP,
        incoming=Endpoint.parse("pop3s://localhost:1") if sends else endpoint,
        outgoing=endpoint,
        authentication=Authentication.BASIC,
        credentials=Credentials.PROFILE,
        impersonation=True,
        username="svc@contoso.test",
        password=SecretReference("file", str(password)),
    )
    mailboxes = tuple(
        replace(
            a_mailbox(f"m{number}@contoso.test"),
            profile=profile.name,
            incoming=Delivery.NONE if sends else Delivery.SERVER_SIDE,
            outgoing=Delivery.SERVER_SIDE if sends else Delivery.NONE,
            appointments=Delivery.NONE,
        )
        for number in range(5)
    )
    return Estate(deployment=replace(estate.deployment, allow=frozenset({Effect.LOGS_IN})), profiles=(profile,), mailboxes=mailboxes)


async def proofs_of_a_day(service: str, server: Refusing, folder: Path) -> list[int]:
    """The minutes at which a proof reached the server, over the runs of a day with five mailboxes of one account."""
    password = folder / "password"
    password.write_text("marked-Wrong-7")
    estate, bugs, found = estate_of(service, server.port, password), list[str](), list[int]()
    for minute in MINUTES:
        now = BEGIN + timedelta(minutes=minute)
        options = app.Options(
            timeout=10 if service == "http" else 2,  # EWS is signed in to from a child process, which a busy machine starts slowly
            ca_file=authority().ca_file,
            state=folder / "state",
            report_bug=bugs.append,
            clock=lambda now=now: now,  # type: ignore[misc]
            tls="none",
        )
        await app.check(estate, estate.mailboxes, options)
        found += [minute] * (len(server.proofs) - len(found))
    assert not bugs, bugs[0]
    return found


@pytest.mark.parametrize(
    ("service", "ending", "mechanisms"),
    [
        pytest.param(service, ending, mechanisms, id=f"{name}, by {mechanisms}")
        for name, (service, ending) in ENDINGS.items()
        for mechanisms in (("PLAIN LOGIN", "USER") if service in ("pop3", "imap") else ("PLAIN LOGIN",))
    ],
)
async def test_however_a_wrong_password_ends_few_proofs_reach_the_server(
    service: str, ending: Ending, mechanisms: str, tmp_path: Path
) -> None:
    """At most one in the first half hour and three in the first day, in whatever words and language, and whatever stands before the server."""
    async with Refusing(service, server_context(), ending, mechanisms=mechanisms) as server:
        found = await proofs_of_a_day(service, server, tmp_path)
    assert 1 <= len(found) <= 3
    assert sum(minute <= 30 for minute in found) == 1
