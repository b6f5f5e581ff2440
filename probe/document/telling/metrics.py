"""Metrics in Prometheus' text format: those of mailboxes and endpoints, which a run's report and the service tell in the same way.

Names are blackbox_exporter's where the meaning is equal. Nothing is labelled by mailbox.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from probe.model import vocabulary as v
from probe.model.attempts import SAYS_NOTHING_OF_THE_PEER, Outcome
from probe.model.facts import Facts

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(metrics: Iterable[Metric]) -> str:
    """Metrics as text."""

    class _All(Collector):
        def collect(self) -> Iterable[Metric]:
            return metrics

    registry = CollectorRegistry()
    registry.register(_All())
    return generate_latest(registry).decode("utf-8")


def samples_of(metric: Metric) -> str:
    """The samples of a metric as text, without what is said of it above them."""
    return "".join(line for line in exposition([metric]).splitlines(keepends=True) if not line.startswith("#"))


def single(name: str, meaning: str, value: float) -> Metric:
    """A gauge without labels."""
    return GaugeMetricFamily(name, meaning, value=value)


def family(name: str, meaning: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> Metric:
    """A gauge for each tuple of values of the labels."""
    return _filled(GaugeMetricFamily(name, meaning, labels=labels), values)


def counter(name: str, meaning: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> Metric:
    """A counter for each tuple of values of the labels; `_total` is added to its name."""
    return _filled(CounterMetricFamily(name, meaning, labels=labels), values)


def mailboxes(verdicts: Iterable[tuple[str, str, str]] | Mapping[tuple[str, str, str], int]) -> Metric:
    """How many mailboxes have which verdict; of each its profile, support and readiness, or how many there are of each such."""
    return family("probe_mailboxes", "Mailboxes by profile and verdict.", ("profile", "support", "readiness"), Counter(verdicts))


def endpoints(outcomes: Mapping[str, Collection[str]], facts: Mapping[str, Facts]) -> Iterator[Metric]:
    """Metrics of endpoints, by their URLs: how the attempts with each ended, and what is known of it."""
    held = {subject: ended for subject, of_it in outcomes.items() if (ended := set(of_it) - SAYS_NOTHING_OF_THE_PEER)}
    up = {(subject,): float(Outcome.COMPLETED in ended) for subject, ended in held.items()}
    yield family("probe_endpoint_up", "Whether some conversation with the endpoint came to its end.", ("endpoint",), up)
    own = {(subject,): end.timestamp() for subject, of in facts.items() if (end := of.value(v.CERTIFICATE_NOT_AFTER)) is not None}
    chain = {(subject,): expiry for subject, of in facts.items() if (expiry := earliest_expiry(of)) is not None}
    yield family("probe_certificate_not_after_seconds", "When the server's certificate ends, as seconds since 1970.", ("endpoint",), own)
    yield family("probe_ssl_earliest_cert_expiry", EARLIEST_EXPIRY, ("endpoint",), chain)
    sessions = {(subject, version): 1.0 for subject, of in facts.items() if (version := tls_version(of)) is not None}
    yield family("probe_tls_version_info", TLS_VERSION, ("endpoint", "version"), sessions)


EARLIEST_EXPIRY = "When the first certificate of the chain that is needed ends, as seconds since 1970."
TLS_VERSION = "The version of TLS that was negotiated."


def earliest_expiry(facts: Facts) -> float | None:
    """When the first certificate of the chain that is needed ends, in seconds since 1970; None where none was seen."""
    ends = facts.value(v.CERTIFICATE_CHAIN_ENDS)
    return None if ends is None else ends.not_after.timestamp()


def tls_version(facts: Facts) -> str | None:
    """The version of TLS that was negotiated; None where it is not known."""
    session = facts.value(v.TLS_NEGOTIATED)
    return None if session is None else session.version or None


def _filled(metric: Any, values: Mapping[Any, float]) -> Metric:
    for labels, value in values.items():
        metric.add_metric(labels, value)
    made: Metric = metric
    return made
