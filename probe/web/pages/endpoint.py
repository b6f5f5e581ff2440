"""An endpoint as its page shows it: what it is and how that is known, its TLS, its certificate. Pure in the state."""

from __future__ import annotations

from probe.document.index import JsonObject
from probe.document.telling.endpoints import main_facts
from probe.document.telling.known import Known
from probe.document.telling.posture import posture_of
from probe.model import vocabulary as v
from probe.model.estate import Endpoint
from probe.web.documents import endpoint_document
from probe.web.state import EstateState

_IDENTIFYING = (v.SERVER_PRODUCT, v.SERVER_VERSION, v.SERVER_BUILD, v.SERVER_UPDATE, v.SERVER_END_OF_SUPPORT, v.PROVIDER)


class EndpointView:
    """What the page shows of one endpoint."""

    def __init__(self, state: EstateState, endpoint: Endpoint) -> None:
        self.endpoint, self.on = endpoint, state.run.judged_at
        self.document = endpoint_document(state, endpoint)
        self.known = Known(self.document)
        # That of an estate is not in the document of a look.
        deployment = state.names.estate.deployment
        self.known.deployment = {"runs_on": deployment.runs_on, "fips": deployment.fips}
        self.facts = self.known.of(endpoint.url)
        self.main = main_facts(self.known, endpoint.url, self.on)
        self.mailboxes = state.names.served[endpoint.url]
        self.posture = posture_of(self.known, endpoint.url, self.on)
        self.attempts = [one for one in self.document["attempts"] if one["outcome"] != "not-scheduled"]

    def identity(self) -> list[JsonObject]:
        """Facts of what it is, each as the document has it, with its evidence."""
        wanted = [key.name for key in _IDENTIFYING]
        facts = [fact for fact in self.known.facts_of(self.endpoint.url) if fact["key"] in wanted]
        return sorted(facts, key=lambda fact: wanted.index(fact["key"]))
