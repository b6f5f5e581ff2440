"""Which log-on page the anonymous EWS request is redirected to, by the address of the redirect.

A page that is shown at once, without a redirect, is recognized by the prober.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import vocabulary as v
from probe.model.estate import Service
from probe.model.inferences import Conclusion, Inference, InferenceScope, Premises, Unsettled
from probe.tables.logon_pages import logon_page

_LOGIN_TIMEOUT = 440
"""The status of IIS with which Outlook on the web shows its log-on page to a POST without a sign-in."""


def _infer(premises: Premises) -> Iterator[Conclusion | Unsettled]:
    facts = premises.facts
    status = facts.value(v.HTTP_STATUS)
    if facts.value(v.ENDPOINT_SERVICE) not in (None, str(Service.EWS)):
        yield Unsettled(v.EWS_LOGON_PAGE, "the endpoint is not an EWS endpoint", is_moot=True)
    elif status is None:
        yield Unsettled(v.EWS_LOGON_PAGE, "there was no answer")
    elif status == _LOGIN_TIMEOUT:
        yield v.EWS_LOGON_PAGE, facts.subject
    elif 300 <= status < 400:
        yield _by_target(facts.value(v.HTTP_REDIRECT))
    elif 200 <= status < 300:
        yield Unsettled(v.EWS_LOGON_PAGE, f"HTTP {status} may come with any page, and this one is not a known log-on page")
    else:
        yield v.EWS_LOGON_PAGE, ""


def _by_target(target: str | None) -> Conclusion | Unsettled:
    if target is not None and logon_page(target) is not None:
        return v.EWS_LOGON_PAGE, target
    return Unsettled(v.EWS_LOGON_PAGE, "the request is redirected to an address that is not a known log-on page")


INFERENCE = Inference(
    id="logon-page",
    title="Which log-on page the anonymous EWS request is led to, by the address that it is sent on to",
    scope=InferenceScope.ENDPOINT,
    needs=(v.ENDPOINT_SERVICE, v.HTTP_STATUS, v.HTTP_REDIRECT),
    gives=(v.EWS_LOGON_PAGE,),
    infer=_infer,
)
