"""Metrics in Prometheus' text format, as for the textfile collector of node_exporter: one run, which says when it was.

Names are blackbox_exporter's where the meaning is equal. Nothing is labelled by mailbox.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from probe.document import Report, ReportOptions
from probe.document.telling.known import Known
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.facts import Facts


class _Metrics(Collector):
    """The metrics of one run."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def collect(self) -> Iterable[Metric]:
        document, known = self._document, Known(self._document)
        started, finished = (datetime.fromisoformat(document[end]) for end in ("started", "finished"))
        yield _single("probe_run_timestamp_seconds", "When the run ended, as seconds since 1970.", finished.timestamp())
        yield _single("probe_run_duration_seconds", "How long the run took.", (finished - started).total_seconds())
        yield _single("probe_run_interrupted", "Whether the run was interrupted before its end.", float(document["interrupted"]))
        if document["estate"] is not None:
            yield _family(
                "probe_mailboxes",
                "Mailboxes by profile and verdict.",
                ("profile", "support", "readiness"),
                Counter((a["profile"], a["support"], a["readiness"]) for a in document["assessments"]),
            )
        attempts = Counter((a["prober"], a["outcome"]) for a in document["attempts"])
        yield _family("probe_attempts", "Attempts of the run.", ("prober", "outcome"), attempts)
        yield from _of_endpoints(known)


def _of_endpoints(known: Known) -> Iterator[Metric]:
    held = {
        subject: outcomes
        for subject in known.endpoints
        if (outcomes := {a["outcome"] for a in known.attempts.get(subject, ())} - {Outcome.NOT_SCHEDULED})
    }
    up = {(subject,): float(Outcome.COMPLETED in outcomes) for subject, outcomes in held.items()}
    yield _family("probe_endpoint_up", "Whether some conversation with the endpoint came to its end.", ("endpoint",), up)
    facts = {subject: known.of.get(subject, Facts(subject)) for subject in known.endpoints}
    own = {(subject,): end.timestamp() for subject, of in facts.items() if (end := of.value(v.CERTIFICATE_NOT_AFTER)) is not None}
    chain = {
        (subject,): ends.not_after.timestamp() for subject, of in facts.items() if (ends := of.value(v.CERTIFICATE_CHAIN_ENDS)) is not None
    }
    yield _family("probe_certificate_not_after_seconds", "When the server's certificate ends, as seconds since 1970.", ("endpoint",), own)
    yield _family(
        "probe_ssl_earliest_cert_expiry",
        "When the first certificate of the chain that is needed ends, as seconds since 1970.",
        ("endpoint",),
        chain,
    )
    sessions = {
        (s, session.version): 1.0 for s, of in facts.items() if (session := of.value(v.TLS_NEGOTIATED)) is not None and session.version
    }
    yield _family("probe_tls_version_info", "The version of TLS that was negotiated.", ("endpoint", "version"), sessions)


def _single(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _family(name: str, meaning: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> Metric:
    """A gauge for each tuple of values of the labels."""
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for of_them, value in values.items():
        family.add_metric(of_them, value)
    return family


def _render(document: Mapping[str, Any], _options: ReportOptions) -> Iterator[str]:
    registry = CollectorRegistry()
    registry.register(_Metrics(document))
    yield generate_latest(registry).decode("utf-8")


REPORT = Report(
    id="metrics",
    title="Metrics of the run in Prometheus' text format, for a textfile collector.",
    media_type="text/plain; version=0.0.4; charset=utf-8",
    render=_render,
)
