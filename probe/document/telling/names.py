"""The estate's names that replace the placeholders in a remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from probe.document.index import JsonObject
from probe.document.telling.known import Known
from probe.document.telling.words import count, endpoints_of
from probe.model import vocabulary as v
from probe.model.estate import Credentials, Endpoint, Service
from probe.model.facts import Facts
from probe.model.remedies import Audience, Name, filled

_SERVICES = {Service.EWS: "IIS", Service.POP3: "POP", Service.IMAP: "IMAP", Service.SMTP: "SMTP"}
"""What `Enable-ExchangeCertificate -Services` takes."""

_PRODUCTS = {
    "Exchange": (Audience.EXCHANGE_SERVER, Audience.EXCHANGE_ONLINE),
    "Exchange Online": (Audience.EXCHANGE_ONLINE,),
    "Gmail": (Audience.GMAIL,),
    "Yahoo Mail": (Audience.YAHOO,),
    "Outlook.com": (Audience.OUTLOOK_COM,),
    "Dovecot": (Audience.DOVECOT,),
    "Postfix": (Audience.POSTFIX,),
}
_PROVIDERS = {
    **dict.fromkeys(("outlook.com", "msn", "windows-live"), Audience.OUTLOOK_COM),
    **dict.fromkeys(("gmx", "web.de"), Audience.GMX),
}
_DAY = re.compile(r"\b20\d\d-\d\d-\d\d\b")


def remedy_for(finding: JsonObject, address: str, known: Known, on: date, *, quotes_peers: bool = True) -> str:
    """The remedy for this case: with the estate's names in place of the placeholders, the paragraphs for this server, and the days left.

    Without `quotes_peers` it holds nothing that a server chose, as where what servers say is told apart from what we do.
    """
    urls = endpoints_of(finding) or known.used_endpoints(address)
    dated = _DAY.sub(lambda day: day.group() + _days_until(day.group(), on), finding["remedy"])
    return filled(dated, _values(urls, address, known, quotes_peers=quotes_peers), _audiences(urls, address, known))


def _values(urls: Sequence[str], address: str, known: Known, *, quotes_peers: bool) -> dict[Name, list[str]]:
    endpoints = [Endpoint.parse(url) for url in urls]
    return {
        Name.ADDRESS: [address],
        Name.ACCOUNT: accounts_of(address, urls, known),
        Name.ENDPOINT: list(urls),
        Name.HOST: [endpoint.host for endpoint in endpoints],
        Name.PORT: [str(endpoint.port) for endpoint in endpoints],
        Name.SERVICES: list(dict.fromkeys(_SERVICES[e.service] for e in endpoints if e.service in _SERVICES)),
        Name.WINDOWS: list(filter(None, [known.deployment.get("runs_on")])),
        Name.CERTIFICATE: [text for url in urls if (text := _certificate(known.of(url), quotes_peers=quotes_peers))],
    }


def accounts_of(address: str, urls: Iterable[str], known: Known) -> list[str]:
    """The user names that sign in for a mailbox at these endpoints, as far as the estate names them."""
    mailbox = known.mailboxes.get(address)
    profile = known.profiles.get(mailbox["profile"]) if mailbox else None
    if mailbox is None or profile is None:
        return []
    own, shared = mailbox["username"] or address, profile["username"]
    sent_by = profile.get("outgoing_credentials") or profile["credentials"]
    ways = (
        (profile["incoming"], profile["credentials"], shared),
        (profile["outgoing"], sent_by, profile.get("outgoing_username") or shared),
    )
    names = [
        own if whose == Credentials.MAILBOX else user if whose == Credentials.PROFILE else None for url, whose, user in ways if url in urls
    ]
    return list(dict.fromkeys(filter(None, names)))


def _certificate(facts: Facts, *, quotes_peers: bool) -> str:
    subject, end = facts.value(v.CERTIFICATE_SUBJECT) if quotes_peers else None, facts.value(v.CERTIFICATE_NOT_AFTER)
    return ", ".join(filter(None, (subject, f"valid until {end.date().isoformat()}" if end else "")))


def _audiences(urls: Iterable[str], address: str, known: Known) -> frozenset[Audience] | None:
    """The operators of these servers; None where one is not known, so that no paragraph is left out."""
    found: set[Audience] = set()
    whose = _PROVIDERS.get(known.of(address).value(v.PROVIDER) or "")
    for url in urls:
        facts = known.of(url)
        product = facts.value(v.SERVER_PRODUCT)
        if product is None:
            return None
        of_it = (Audience.EXCHANGE_SERVER,) if product.startswith("Exchange Server") else _PRODUCTS.get(product, ())
        # Consumers and tenants share Microsoft's servers, so the mailbox decides.
        found.update((Audience.OUTLOOK_COM,) if whose is Audience.OUTLOOK_COM and Audience.EXCHANGE_ONLINE in of_it else of_it)
        found.update(filter(None, [_PROVIDERS.get(facts.value(v.PROVIDER) or "")] if not of_it else ()))
    return frozenset(found)


def _days_until(day: str, on: date) -> str:
    try:
        left = (date.fromisoformat(day) - on).days
    except ValueError:  # it only looks like one
        return ""
    return f" (in {count(left, 'day', 'days')})" if left > 0 else ""
