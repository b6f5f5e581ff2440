"""An endpoint as its page shows it: what it is and how that is known, its TLS, its certificate. Pure in the state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import NamedTuple

from probe.document.index import JsonObject
from probe.document.telling.endpoints import main_facts
from probe.document.telling.known import Known
from probe.model import vocabulary as v
from probe.model.estate import Endpoint
from probe.model.facts import Missing
from probe.model.keys import FactKey
from probe.model.kinds import Flags, Lists, TlsSession, Validity
from probe.web.documents import endpoint_document
from probe.web.state import EstateState

_IDENTIFYING = (v.SERVER_PRODUCT, v.SERVER_VERSION, v.SERVER_BUILD, v.SERVER_UPDATE, v.SERVER_END_OF_SUPPORT, v.PROVIDER)
_VERSIONS = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_OLD = frozenset({"SSLv2", "SSLv3", "TLSv1", "TLSv1.1"})
"""Forbidden, or deprecated by RFC 8996."""


class TlsItem(NamedTuple):
    """Something of TLS that the server takes."""

    name: str
    gets: bool
    """Whether it is of the session that the deployment's Windows gets."""
    is_refused: bool
    """Whether that Windows refuses it in FIPS mode."""


class TlsVersion(NamedTuple):
    """A version of the protocol, and what the server takes in it."""

    name: str
    is_taken: bool
    is_old: bool
    gets: bool
    is_refused: bool
    suites: Sequence[TlsItem]
    groups: Sequence[TlsItem]
    schemes: Sequence[TlsItem]
    order: bool | None
    """Whether the server's own order decides; None where that is not known."""


class EndpointView:
    """What the page shows of one endpoint."""

    def __init__(self, state: EstateState, endpoint: Endpoint) -> None:
        self.endpoint, self.on = endpoint, state.run.judged_at
        self.document = endpoint_document(state, endpoint)
        self.known = Known(self.document)
        # That of an estate is not in the document of a look.
        deployment = state.names.estate.deployment
        self.known.deployment = {"runs_on": deployment.runs_on, "fips": deployment.fips}
        self.windows, self.fips = deployment.runs_on, deployment.fips
        self.facts = self.known.of(endpoint.url)
        self.main = main_facts(self.known, endpoint.url, self.on)
        self.mailboxes = state.names.served[endpoint.url]
        self.gets = self.facts.value(v.FIPS_NEGOTIATES)
        self.reasons = self.facts.value(v.FIPS_REASONS) or ()
        self.refuses = self.facts.value(v.FIPS_ALSO_ACCEPTS) or ()
        self.client = self.facts.value(v.FIPS_PROFILE)
        self.attempts = [one for one in self.document["attempts"] if one["outcome"] != "not-scheduled"]

    def identity(self) -> list[JsonObject]:
        """Facts of what it is, each as the document has it, with its evidence."""
        wanted = [key.name for key in _IDENTIFYING]
        facts = [fact for fact in self.known.facts_of(self.endpoint.url) if fact["key"] in wanted]
        return sorted(facts, key=lambda fact: wanted.index(fact["key"]))

    @property
    def no_posture(self) -> Missing | None:
        """Why it is not known what the server takes; None where it is."""
        gap = self.facts.read(v.TLS_VERSIONS)
        return gap if isinstance(gap, Missing) else None

    def versions(self) -> list[TlsVersion]:
        """Every version of the protocol, the newest first, with what the server takes in it; empty where no posture was taken."""
        taken = self.facts.value(v.TLS_VERSIONS)
        if taken is None:
            return []
        suites, groups, schemes = self._lists(v.TLS_SUITES), self._lists(v.TLS_GROUPS), self._lists(v.TLS_SCHEMES)
        flags: Flags = self.facts.value(v.TLS_SERVER_ORDER) or ()
        order = dict(flags)
        return [
            TlsVersion(
                name=name,
                is_taken=name in taken,
                is_old=name in _OLD,
                gets=self.gets is not None and self.gets.version == name,
                is_refused=name in self.refuses,
                suites=self._items(name, suites.get(name, ()), "suite"),
                groups=self._items(name, groups.get(name, ()), "group"),
                schemes=self._items(name, schemes.get(name, ()), "scheme"),
                order=order.get(name),
            )
            for name in reversed(_VERSIONS)
        ]

    def _lists(self, key: FactKey[Lists]) -> dict[str, tuple[str, ...]]:
        lists: Lists = self.facts.value(key) or ()
        return dict(lists)

    def _items(self, version: str, names: Sequence[str], part: str) -> list[TlsItem]:
        session: TlsSession | None = self.gets
        got = None if session is None or session.version != version else getattr(session, part)
        return [TlsItem(name, name == got, self._refuses(version, name)) for name in names]

    def _refuses(self, version: str, name: str) -> bool:
        return f"{version} with {name}" in self.refuses

    def chain(self) -> Sequence[Validity]:
        """The certificates that were sent, with their dates."""
        return self.facts.value(v.CERTIFICATE_CHAIN_DATES) or ()

    def validity(self) -> tuple[float, float] | None:
        """Of the server's certificate, how much of its time has passed, and how much passes in 30 days, in parts of one; None where it is not known."""
        begins, ends = self.facts.value(v.CERTIFICATE_NOT_BEFORE), self.facts.value(v.CERTIFICATE_NOT_AFTER)
        if begins is None or ends is None or ends <= begins:
            return None
        now, whole = datetime.combine(self.on, time(), UTC), (ends - begins).total_seconds()
        return min(max((now - begins).total_seconds() / whole, 0.0), 1.0), min(30 * 86400 / whole, 1.0)
