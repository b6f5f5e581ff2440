"""Tests of the metrics of a run."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from probe.document import ReportOptions, publish
from probe.model import vocabulary as v
from probe.model.attempts import Outcome
from probe.model.kinds import ChainEnd
from probe.model.runs import Run
from probe.reports.metrics import REPORT
from tests.runs import NOON, POP, SMTP, a_checked_run, a_fact, a_run, an_attempt


def samples(run: Run) -> dict[tuple[str, ...], float]:
    """By name and the values of its labels, in the order of their names, each sample."""
    text = "".join(REPORT.render(publish(run), ReportOptions()))
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    told = {(sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value for sample in found}
    assert len(told) == len(found)
    return told


def test_mailboxes_are_counted_by_profile_and_verdict() -> None:
    """What an alert rule goes by: how many mailboxes of a profile have which verdict. No mailbox is named."""
    told = samples(a_checked_run())
    assert told["probe_mailboxes", "corp", "not-ready", "unsupported"] == 2
    assert sum(value for (name, *_), value in told.items() if name == "probe_mailboxes") == 7
    assert told["probe_attempts", "denied", "ews-inbox"] == 2
    assert not any("@" in label for name in told for label in name)


def test_an_endpoint_is_up_where_a_conversation_came_to_its_end() -> None:
    """One that was held to its end is enough; what was not held, or was ended by us, says nothing."""
    attempts = [
        an_attempt(1, POP),
        an_attempt(2, POP, Outcome.TIMED_OUT, prober="tls-posture"),
        an_attempt(3, SMTP, Outcome.REFUSED),
        an_attempt(4, "imap://imap.branch.test:143", Outcome.NOT_SCHEDULED),
        an_attempt(5, "imap://imap.branch.test:143", Outcome.INTERRUPTED),
        an_attempt(6, "imap://imap.branch.test:143", Outcome.BUG),
    ]
    told = samples(a_run(attempts=attempts))
    assert told["probe_endpoint_up", POP] == 1
    assert told["probe_endpoint_up", SMTP] == 0
    assert ("probe_endpoint_up", "imap://imap.branch.test:143") not in told


def test_ends_of_certificates_are_times() -> None:
    """The server's own certificate and the first of the chain to end, each as seconds since 1970; the run says when it was."""
    readings = [a_fact(v.CERTIFICATE_NOT_AFTER, NOON), a_fact(v.CERTIFICATE_CHAIN_ENDS, ChainEnd("CN=CA", NOON.replace(hour=11)))]
    told = samples(a_run(readings=readings, attempts=[an_attempt()]))
    assert told["probe_certificate_not_after_seconds", POP] == NOON.timestamp()
    assert told["probe_ssl_earliest_cert_expiry", POP] == NOON.timestamp() - 3600
    assert told["probe_run_timestamp_seconds",] == NOON.timestamp() + 7
    assert told["probe_run_duration_seconds",] == 7
    assert told["probe_run_interrupted",] == 0


def test_a_label_holds_whatever_a_name_holds() -> None:
    """Quotes, backslashes and line ends of a profile's name are escaped as the format has it."""
    from dataclasses import replace

    name = 'a"b\\c'
    run = a_checked_run()
    run = replace(run, assessments=tuple(replace(a, profile=name) for a in run.assessments))
    assert samples(run)["probe_mailboxes", name, "ready", "supported"] == 1
