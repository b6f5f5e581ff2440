"""Metrics in Prometheus' text format, as for the textfile collector of node_exporter: one run, which says when it was.

What it tells of mailboxes and endpoints it tells as the service does (`probe/document/telling/metrics.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from prometheus_client.core import Metric

from probe.document import Report, ReportOptions
from probe.document.telling.known import Known
from probe.document.telling.metrics import MEDIA_TYPE, endpoints, exposition, family, mailboxes, single


def _metrics(document: Mapping[str, Any]) -> Iterator[Metric]:
    known = Known(document)
    started, finished = (datetime.fromisoformat(document[end]) for end in ("started", "finished"))
    yield single("probe_run_timestamp_seconds", "When the run ended, as seconds since 1970.", finished.timestamp())
    yield single("probe_run_duration_seconds", "How long the run took.", (finished - started).total_seconds())
    yield single("probe_run_interrupted", "Whether the run was interrupted before its end.", float(document["interrupted"]))
    if document["estate"] is not None:
        yield mailboxes((a["profile"], a["support"], a["readiness"]) for a in document["assessments"])
    attempts = Counter((a["prober"], a["outcome"]) for a in known.all_attempts)
    yield family("probe_attempts", "Attempts of the run.", ("prober", "outcome"), attempts)
    outcomes = {subject: [a["outcome"] for a in known.attempts.get(subject, ())] for subject in known.endpoints}
    yield from endpoints(outcomes, {subject: known.of(subject) for subject in known.endpoints})


def _render(document: Mapping[str, Any], _options: ReportOptions) -> Iterator[str]:
    yield exposition(_metrics(document))


REPORT = Report(
    id="metrics",
    title="Metrics of the run in Prometheus' text format, for a textfile collector.",
    media_type=MEDIA_TYPE,
    render=_render,
)
