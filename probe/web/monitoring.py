"""What other watchers ask: whether the service lives, whether it keeps its schedule, and metrics, of the estate and of one endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response
from prometheus_client.core import Metric

from probe import __version__
from probe.document.telling.metrics import (
    EARLIEST_EXPIRY,
    MEDIA_TYPE,
    TLS_VERSION,
    counter,
    earliest_expiry,
    endpoints,
    exposition,
    family,
    mailboxes,
    single,
    tls_version,
)
from probe.model import vocabulary as v
from probe.web.forms import HealthForm
from probe.web.problems import RequestProblem
from probe.web.state import MOST_NAME, EstateState, States
from probe.web.watch import CannotCheck, LastLook, Watch

LONGEST_LOOK_SECONDS = 120.0
"""How long /probe waits for a look where the scraper does not say how long it does."""
_MARGIN_SECONDS = 0.5
"""Before the scraper's own time-out an answer has to leave (as in blackbox_exporter)."""


def monitoring(watch: Watch, states: States, clock: Callable[[], datetime]) -> APIRouter:
    """The routes of monitoring."""
    router = APIRouter(tags=["monitoring"])

    @router.get("/healthz")
    async def healthz() -> HealthForm:
        """Whether the service lives."""
        return HealthForm(status="ok", detail=f"probe {__version__} answers")

    @router.get("/readyz")
    async def readyz() -> HealthForm:
        """Whether there is a schedule that is kept. 503 where it is not, with the reason."""
        standby = watch.standby()
        if not standby.is_ready:
            raise RequestProblem(503, standby.words, {"Retry-After": "10"})
        return HealthForm(status="ready", detail=standby.words)

    @router.get("/metrics", response_class=_Exposition)
    async def metrics() -> Response:
        """Metrics of the estate and of the service, for Prometheus. Nothing is labelled by mailbox. Of the estate a service that stands by tells nothing."""
        of_this = exposition([*_of_the_service(watch, clock()), *_of_the_schedule(watch)])
        if watch.standby().stands_by:
            return _Exposition(of_this)
        dynamics = family("probe_dynamics_mailboxes", "Mailboxes by their state in Dynamics.", ("profile", "state"), watch.dynamics())
        return _Exposition(of_this + exposition([dynamics]) + of_the_estate(await states.newest()))

    @router.get("/probe", response_class=_Exposition)
    async def probe(
        target: Annotated[str, Query(max_length=MOST_NAME, description="An endpoint of the estate: its id, or its subject.")],
        module: Annotated[Literal["quick"], Query(description="The only one.")] = "quick",
        x_prometheus_scrape_timeout_seconds: Annotated[
            float, Header(gt=0, allow_inf_nan=False, description="As Prometheus sends it.")
        ] = LONGEST_LOOK_SECONDS,
    ) -> Response:
        """The newest result of one endpoint with its age, as metrics; looked at anew where it is older than the schedule's interval."""
        endpoint = states.names().endpoint(target)
        if endpoint is None:
            raise RequestProblem(404, "the estate has no such endpoint")
        seconds = min(max(x_prometheus_scrape_timeout_seconds - _MARGIN_SECONDS, _MARGIN_SECONDS), LONGEST_LOOK_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                await watch.look(endpoint)
        except TimeoutError:
            raise RequestProblem(503, f"the look has not ended within {seconds:g} s; it goes on", {"Retry-After": "10"}) from None
        except CannotCheck as not_held:
            raise RequestProblem(503, str(not_held), {"Retry-After": "10"}) from None
        last = watch.last_look(endpoint.url)
        if last is None:
            raise RequestProblem(503, "nothing is known of this endpoint yet", {"Retry-After": "10"})
        return _Exposition(exposition(_of_one_endpoint(await states.newest(seconds), endpoint.url, last, clock())))

    return router


class _Exposition(Response):
    media_type = MEDIA_TYPE


def _of_the_service(watch: Watch, now: datetime) -> Iterator[Metric]:
    yield family("probe_build_info", "The version of this program.", ("version",), {(__version__,): 1.0})
    yield single("probe_start_time_seconds", "When the service began, as seconds since 1970.", watch.started.timestamp())
    yield single("probe_uptime_seconds", "How long the service has been running.", max((now - watch.started).total_seconds(), 0.0))
    yield single("probe_ready", "Whether the schedule is kept.", float(watch.standby().is_ready))


def _of_the_schedule(watch: Watch) -> Iterator[Metric]:
    yield single("probe_schedule_lag_seconds", "How late the latest due task is.", watch.lag().total_seconds())
    yield counter("probe_attempts", "Attempts that ended since the service began.", ("prober", "outcome"), watch.attempts())


def of_the_estate(state: EstateState) -> str:
    """The metrics of the estate as text."""
    verdicts = chain.from_iterable(part.verdicts.items() for part in state.parts)
    # What no part has is a family without samples.
    told = [exposition([mailboxes(dict(verdicts))])]
    for place, empty in enumerate(endpoints({}, {})):
        told += [exposition([empty]), *(part.samples[place] for part in state.parts)]
    return "".join(told)


def _of_one_endpoint(state: EstateState, url: str, last: LastLook, now: datetime) -> Iterator[Metric]:
    facts = state.facts_of(url)
    is_trusted = facts.value(v.CERTIFICATE_TRUSTED) is True and facts.value(v.CERTIFICATE_MATCHES_NAME) is True
    is_success = last.seconds > 0 and is_trusted
    yield single("probe_success", "Whether the conversation came to its end over trusted TLS.", float(is_success))
    yield single("probe_duration_seconds", "How long the conversation took; 0 where it did not come to its end.", last.seconds)
    yield single("probe_result_age_seconds", "How long ago this was seen.", max((now - last.at).total_seconds(), 0.0))
    if (expiry := earliest_expiry(facts)) is not None:
        yield single("probe_ssl_earliest_cert_expiry", EARLIEST_EXPIRY, expiry)
    if (version := tls_version(facts)) is not None:
        yield family("probe_tls_version_info", TLS_VERSION, ("version",), {(version,): 1.0})
