"""Autodiscover version 2 (JSON): the URL at which Exchange says that a mailbox is to be opened, without a sign-in.

What is sent, once for each mailbox, wherever it lives according to the estate, over TLS verified for the host name:

1. to the host of the mailbox's EWS endpoint (the outgoing one where it only sends): `GET /autodiscover/autodiscover.json?Email=ADDRESS&Protocol=EWS`;
2. where the profile finds its server by Autodiscover: to DNS, for the SRV records of `_autodiscover._tcp.DOMAIN` and for the alias
   of `autodiscover.DOMAIN`; and, if the first answer had no URL, the same request to `autodiscover.DOMAIN`, or to the host of Exchange
   Online that it is an alias of, else to the first host of the SRV records. An answer of DNS may name any host; that host gets a request that anybody
   may send, over TLS for its own name, and nothing else;
3. where the answer is a redirect from a server that is not Exchange Online's to one that is: the same request, to that host, once. Its
   answer counts if it names a URL. No other redirect is followed, and none without TLS.

The answer is a URL or a redirect. Exchange Online redirects requests for mailboxes that it does not have to their own server; an Exchange on
premises (2016 and later) redirects requests for moved mailboxes to Exchange Online.

It does not sign in and changes nothing. It cannot show whether the mailbox exists: some servers answer for any address of their domains.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from probe.model import vocabulary as v
from probe.model.estate import Endpoint, Security, Service
from probe.model.facts import Why
from probe.net.failures import NameUnresolved, PeerFailure
from probe.net.http_exchange import HttpResponse, asked_to_wait, exchange, host_header
from probe.probing import Dial, Effect, MailboxSubject, Notebook, Prober, Scope
from probe.tables.hosts import is_exchange_online_host
from probe.wire.mail_address import ascii_domain

MAX_URL = 500
"""Characters that are kept of a URL; real ones have under 100."""


async def probe(subject: MailboxSubject, dial: Dial, notes: Notebook) -> None:
    """Hold the conversation of the module's page."""
    mailbox = subject.mailbox
    if not subject.finds_server:
        for key in (v.AUTODISCOVER_ALIASES, v.AUTODISCOVER_SERVICES):
            notes.missing(key, Why.NOT_APPLICABLE, "the profile does not find its server by Autodiscover")
        await _ask(mailbox, dial, notes)
        return
    domain = ascii_domain(mailbox)
    hosts = await _named_by_dns(domain, dial, notes)
    if await _ask(mailbox, dial, notes):
        return
    reasons: list[str] = []
    for host, port in hosts:
        found = dial.to(Endpoint(Service.AUTODISCOVER, host, port, Security.IMPLICIT))
        try:
            if await _ask(mailbox, found, notes):
                return
        except (PeerFailure, OSError) as failed:
            # The failure of the mailbox's own server is the reason that counts; these are second chances.
            reasons.append(f"{host}: {failed}"[:150])
        finally:
            dial.connections += found.connections
    notes.missing(
        v.AUTODISCOVER_URL,
        Why.NOT_DISCLOSED,
        f"neither the EWS host nor a host named by DNS gives it: {'; '.join(reasons) or 'DNS names none'}",
    )


async def _named_by_dns(domain: str, dial: Dial, notes: Notebook) -> list[tuple[str, int]]:
    """The hosts that may be asked for a domain besides the EWS host, by DNS."""
    usual = f"autodiscover.{domain}"
    try:
        aliases = await dial.aliases(usual)
        notes.declared(v.AUTODISCOVER_ALIASES, aliases)
        services = await dial.services(f"_autodiscover._tcp.{domain}")
        notes.declared(v.AUTODISCOVER_SERVICES, tuple(f"{host}:{port}" for host, port in services))
    except NameUnresolved as failed:
        for key in (v.AUTODISCOVER_ALIASES, v.AUTODISCOVER_SERVICES):
            notes.missing(key, Why.UNRESOLVED, str(failed))
        return hosts_to_ask(usual, (), ())
    return hosts_to_ask(usual, aliases, services)


def hosts_to_ask(usual: str, aliases: Sequence[str], services: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """The usual name, then the first of the service's records, each with its port.

    Where the usual name is an alias of Exchange Online, the target is asked under its own name, because it has no certificate for another.
    """
    online = next((alias for alias in aliases if is_exchange_online_host(alias)), None)
    return [(online or usual, 443), *services[:1]]


async def _ask(mailbox: str, dial: Dial, notes: Notebook) -> bool:
    """Ask one host; returns whether it gave a URL. Raises Throttled where it asks for a pause."""
    path = f"/autodiscover/autodiscover.json?Email={quote(mailbox, safe='@')}&Protocol=EWS"
    async with dial.open_trusted() as stream:
        answer = await exchange(stream, "GET", path, host=host_header(dial.endpoint))
        if (wait := asked_to_wait(answer)) is not None:
            raise wait
        url = _named(answer)
        if url is None:
            notes.missing(v.AUTODISCOVER_URL, Why.NOT_DISCLOSED, f"Autodiscover answers HTTP {answer.status} and names no URL")
            return False
        redirects = 300 <= answer.status < 400
        notes.declared(v.AUTODISCOVER_URL, url, *stream.evidence(url[:80]))
        notes.declared(v.AUTODISCOVER_REDIRECTS, redirects, *stream.evidence(f" {answer.status}"))
    online = _exchange_online(url) if redirects and not is_exchange_online_host(dial.endpoint.host) else None
    if online is not None:
        await _ask_on(online, f"{path}&RedirectCount=1", dial, notes)
    return True


async def _ask_on(online: Endpoint, path: str, dial: Dial, notes: Notebook) -> None:
    """Ask Exchange Online about a mailbox that was redirected to it; without an answer, what was known stays."""
    onward = dial.to(online)
    try:
        async with onward.open_trusted() as stream:
            answer = await exchange(stream, "GET", path, host=host_header(online))
            url = _named(answer) if answer.status == 200 else None
            if url is not None:
                notes.declared(v.AUTODISCOVER_URL, url, *stream.evidence(url[:80]))
                notes.declared(v.AUTODISCOVER_REDIRECTS, False, *stream.evidence(f" {answer.status}"))
    except (PeerFailure, OSError) as failed:
        dial.note(f"{online.host} gives no Autodiscover answer for the mailbox: {failed}"[:200])
    finally:
        dial.connections += onward.connections


def _exchange_online(url: str) -> Endpoint | None:
    """The Autodiscover endpoint of Exchange Online in a URL; None for other URLs."""
    try:
        parts = urlsplit(url)
        port = parts.port or 443
    except ValueError:
        return None
    host = (parts.hostname or "").rstrip(".")
    if "@" in parts.netloc or not is_exchange_online_host(host) or not parts.path.lower().startswith("/autodiscover/"):
        return None
    return Endpoint(Service.AUTODISCOVER, host, port, Security.IMPLICIT)


def _named(answer: HttpResponse) -> str | None:
    """The URL in an answer: of EWS, or of the server to ask instead."""
    url: object = None
    if answer.status in (301, 302, 303, 307, 308):
        url = answer.header("Location")
    elif answer.status == 200:
        try:
            read = json.loads(answer.body)
        except (ValueError, RecursionError):
            return None
        url = read.get("Url") if isinstance(read, dict) and str(read.get("Protocol", "")).upper() == "EWS" else None
    is_whole = isinstance(url, str) and url.lower().startswith("https://") and len(url) <= MAX_URL and url.isprintable()
    return url if is_whole and isinstance(url, str) else None


PROBER = Prober(
    id="autodiscover-json",
    title="asks Autodiscover, without signing in, where the mailbox is to be opened",
    scope=Scope.MAILBOX,
    services=frozenset({Service.EWS}),
    effect=Effect.READS,
    collects=(v.AUTODISCOVER_URL, v.AUTODISCOVER_REDIRECTS, v.AUTODISCOVER_ALIASES, v.AUTODISCOVER_SERVICES),
    probe=probe,
)
