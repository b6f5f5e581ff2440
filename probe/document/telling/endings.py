"""Password logins that a provider has ended, by what the provider says."""

from __future__ import annotations

from probe.document.index import JsonObject
from probe.document.telling.known import Known
from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.tables.providers import PasswordEnding, candidate_providers, password_ending


def ending_behind(cited: JsonObject, known: Known, mailbox: str) -> PasswordEnding | None:
    """How the provider ended password logins, which says more than its server's reply; None where a cited reading does not say that it did."""
    if cited["key"] != v.PASSWORD_LOGIN_POSSIBLE.name or cited["value"]:
        return None
    facts = known.of(cited["subject"])
    service, host = facts.value(v.ENDPOINT_SERVICE), facts.value(v.ENDPOINT_HOST)
    if service is None or host is None:
        return None
    candidates = candidate_providers(host, facts.value(v.SERVER_PRODUCT), Service(service)) or ()
    whose = known.of(mailbox).value(v.PROVIDER)  # where servers serve several providers
    endings = [password_ending(p, Service(service)) for p in ((whose,) if whose in candidates else candidates)]
    return next(filter(None, endings), None)
