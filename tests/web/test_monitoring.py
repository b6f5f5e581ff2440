"""Health and metrics, as load balancers, Prometheus and others ask for them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from probe.model.endpoints import endpoint_id
from probe.model.estate import Endpoint
from probe.model.runs import Run
from probe.web import Standby
from tests.looking import playing
from tests.runs import EWS, NOON, POP, a_checked_run, a_mailbox, a_run, an_estate
from tests.scripted import TRANSCRIPTS
from tests.web.client import Answer
from tests.web.world import World, world

DOVECOT = (TRANSCRIPTS / "pop3-capabilities" / "dovecot-stls.txt").read_text()


def samples(answer: Answer) -> dict[tuple[str, ...], float]:
    """By name and the values of its labels, in the order of their names, each sample."""
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(answer.body.decode())
    found = [sample for family in families for sample in family.samples]
    told = {(sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value for sample in found}
    assert len(told) == len(found)
    return told


async def test_a_service_that_answers_lives(service: World) -> None:
    """`/healthz` says so, to HEAD without a body."""
    assert (await service.asker.ask("/healthz")).json()["status"] == "ok"
    head = await service.asker.ask("/healthz", "HEAD")
    assert (head.status, head.body) == (200, b"")


async def test_a_service_is_ready_as_long_as_its_schedule_is_kept(service: World) -> None:
    """`/readyz` gives the reason where it is not."""
    assert (await service.asker.ask("/readyz")).json()["status"] == "ready"
    service.watch.ready = Standby(False, "another service holds this deployment; this one waits")
    answer = await service.asker.ask("/readyz")
    assert answer.status == 503
    assert answer.problem == "another service holds this deployment; this one waits"
    assert (await service.asker.ask("/healthz")).status == 200


async def test_metrics_are_those_of_the_estate(service: World) -> None:
    """Mailboxes by verdict, endpoints by URL, attempts as counters, the schedule's lag; nothing is labelled by mailbox."""
    service.watch.late = timedelta(seconds=42)
    told = samples(await service.asker.ask("/metrics"))
    assert told["probe_mailboxes", "corp", "not-ready", "unsupported"] == 2
    assert told["probe_endpoint_up", POP] == 1
    assert told["probe_endpoint_up", EWS] == 1
    assert told["probe_certificate_not_after_seconds", POP] > NOON.timestamp()
    assert told["probe_attempts_total", "denied", "ews-inbox"] == 2
    assert told["probe_schedule_lag_seconds",] == 42
    assert told["probe_dynamics_mailboxes", "corp", "disabled"] == 1
    assert told["probe_start_time_seconds",] == NOON.timestamp()
    assert not any("@" in label for name in told for label in name)


async def test_who_stands_by_tells_nothing_of_the_estate(service: World) -> None:
    """What it knew when it watched would be counted beside what whoever watches knows, and alerted of for as long as it stands by."""
    service.watch.ready = Standby(False, "another service watches this deployment", stands_by=True)
    told = samples(await service.asker.ask("/metrics"))
    assert told["probe_ready",] == 0
    assert told["probe_schedule_lag_seconds",] == 0
    of_the_estate = ("probe_mailboxes", "probe_dynamics_mailboxes", "probe_endpoint_up", "probe_certificate", "probe_ssl", "probe_tls")
    assert [name for name in told if name[0].startswith(of_the_estate)] == []


async def test_metrics_follow_the_newest_state(service: World) -> None:
    """A run that is another object is another state."""
    before = samples(await service.asker.ask("/metrics"))
    run = a_checked_run()
    await service.watch.show(replace(run, assessments=run.assessments[:1]))
    after = samples(await service.asker.ask("/metrics"))
    assert ("probe_mailboxes", "corp", "not-ready", "unsupported") in before
    assert {name for name in after if name[0] == "probe_mailboxes"} == {("probe_mailboxes", "corp", "ready", "supported")}


def served_at(url: str) -> Run:
    """A run of nothing yet, of an estate whose mailbox is collected there."""
    estate = an_estate(a_mailbox("sales@branch.test"))
    branch = replace(estate.profiles[1], incoming=Endpoint.parse(url))
    return a_run(estate=replace(estate, profiles=(estate.profiles[0], branch)))


async def test_an_endpoint_is_probed_once_an_interval(tmp_path: Path) -> None:
    """The first scrape has a look held, over trusted TLS; the next ones get its result, with its age, by id as by subject."""
    async with playing(DOVECOT, implicit=False) as server:
        url = f"pop3://localhost:{server.port}"
        async with world(tmp_path, served_at(url)) as made:
            first = samples(await made.asker.ask(f"/probe?target={url}&module=quick"))
            made.time.drive(200)
            second = samples(await made.asker.ask(f"/probe?target={endpoint_id(url)}"))
            assert made.watch.held == {url: 1}
    assert (first["probe_success",], first["probe_result_age_seconds",]) == (1, 0)
    assert (second["probe_success",], second["probe_result_age_seconds",]) == (1, 200)
    assert 0 < second["probe_duration_seconds",] < 5
    assert second["probe_ssl_earliest_cert_expiry",] > NOON.timestamp()
    assert ("probe_tls_version_info", "TLSv1.3") in second


async def test_an_old_result_is_seen_anew(tmp_path: Path) -> None:
    """Older than the interval it is looked at again, once for all who ask at that time; a server that is gone is no success."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(playing(DOVECOT, implicit=False))
        url = f"pop3://localhost:{server.port}"
        async with world(tmp_path, served_at(url)) as made:
            assert samples(await made.asker.ask(f"/probe?target={url}"))["probe_success",] == 1
            await stack.aclose()
            made.time.drive(301)
            answers = await asyncio.gather(*(made.asker.ask(f"/probe?target={url}") for _ in range(5)))
            assert made.watch.held == {url: 2}
    for told in map(samples, answers):
        assert (told["probe_success",], told["probe_duration_seconds",], told["probe_result_age_seconds",]) == (0, 0, 0)
        assert ("probe_ssl_earliest_cert_expiry",) not in told


async def test_a_certificate_that_is_not_trusted_is_no_success(tmp_path: Path) -> None:
    """The conversation came to its end, over TLS that no password would be sent over."""
    async with playing(DOVECOT, implicit=False, certificate="self-signed") as server:
        url = f"pop3://localhost:{server.port}"
        async with world(tmp_path, served_at(url)) as made:
            told = samples(await made.asker.ask(f"/probe?target={url}"))
    assert told["probe_success",] == 0
    assert told["probe_duration_seconds",] > 0


@pytest.mark.parametrize(
    "target",
    [
        "",
        "smtp://elsewhere.test:25",
        "000000000000",
        "127.0.0.1",
        "http://169.254.169.254/",
        "pop3s://mail.contoso.test:995%0d%0aHost:%20x",
    ],
)
async def test_a_target_that_the_estate_does_not_name_is_not_looked_at(service: World, target: str) -> None:
    """No host is probed for having been named in a request; an id that is guessed is none."""
    answer = await service.asker.ask(f"/probe?target={target}")
    assert answer.status == 404
    assert answer.problem == "the estate has no such endpoint"
    assert not service.watch.held


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("", 422, "query.target: Field required"),
        (f"?target={POP}&module=http_2xx", 422, "query.module: Input should be 'quick'"),
        (f"?target={'x' * 5000}", 422, "query.target"),
    ],
    ids=["no target", "module", "long"],
)
async def test_what_cannot_be_meant_is_said(service: World, query: str, status: int, words: str) -> None:
    """A scrape that is set up wrongly is answered with what is wrong."""
    answer = await service.asker.ask(f"/probe{query}")
    assert answer.status == status
    assert words in answer.problem
    assert not service.watch.held


async def test_a_scraper_is_answered_before_it_gives_up(service: World) -> None:
    """A look that outlasts the scraper's time-out goes on, and the scraper is told."""
    service.watch.go.clear()
    answer = await service.asker.ask(f"/probe?target={POP}", headers={"X-Prometheus-Scrape-Timeout-Seconds": "0.6"})
    assert answer.status == 503
    assert answer.problem == "the look has not ended within 0.5 s; it goes on"
