"""The alert rules, the scrape configuration and the dashboard are read by Prometheus' own tool, and the rules say what they should."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from probe.config import load_estate
from probe.model.attempts import Outcome
from probe.model.rules import Readiness, Support
from tests.config_files.folder import CONFIG, output_of

_PROMETHEUS = CONFIG / "prometheus"
_RULES = _PROMETHEUS / "probe.rules.yml"
_RULES_TEST = Path(__file__).with_name("probe.rules.test.yml")
_DASHBOARD = CONFIG / "grafana" / "probe.json"
_METRICS = {
    "probe_mailboxes": {"profile", "support", "readiness"},
    "probe_endpoint_up": {"endpoint"},
    "probe_certificate_not_after_seconds": {"endpoint"},
    "probe_dynamics_mailboxes": {"profile", "state"},
    "probe_ready": set(),
    "probe_schedule_lag_seconds": set(),
    "probe_attempts_total": {"prober", "outcome"},
    "probe_success": {"endpoint"},
    "probe_duration_seconds": {"endpoint"},
    "probe_ssl_earliest_cert_expiry": {"endpoint"},
    "probe_run_timestamp_seconds": set(),
}
"""The metrics of the service, and that of the report, with their labels: those of the contract, and `endpoint` of the scrape configuration."""
_CLOSED: dict[str, set[str]] = {
    "readiness": {*Readiness},
    "support": {*Support},
    "outcome": {*Outcome},
    "job": {"probe", "probe-endpoints"},
    "state": {"enabled", "disabled", "unknown"},
}
"""Labels whose values are out of a closed list."""


def _alerts(text: str) -> set[str]:
    return set(re.findall(r"\balert(?:name)?: (\w+)", text))


def _expressions() -> Iterator[str]:
    """Each expression of the rules; of a block, all its lines."""
    for found in re.finditer(r"(?m)^( +)expr: (?:\|\n((?:\1 +.*\n)+)|(.*)$)", _RULES.read_text(encoding="utf-8")):
        yield found[2] or found[3]


def _dashboard() -> Any:
    return json.loads(_DASHBOARD.read_text(encoding="utf-8"))


def _queries() -> list[str]:
    """Each expression of the dashboard, as Grafana sends it."""
    return [
        target["expr"].replace("$profile", ".*").replace("$__rate_interval", "5m")
        for panel in _dashboard()["panels"]
        for target in panel["targets"]
    ]


def test_prometheus_reads_the_rules(promtool: Path) -> None:
    """`promtool check rules` finds no mistake in the alert rules."""
    code, said = output_of(promtool, "check", "rules", _RULES)
    assert code == 0, said


def test_prometheus_reads_the_scrape_configuration(promtool: Path) -> None:
    """`promtool check config` finds no mistake in the scrape configuration and the rules that it names."""
    code, said = output_of(promtool, "check", "config", _PROMETHEUS / "prometheus.yml")
    assert code == 0, said


def test_the_targets_are_the_endpoints_of_the_example_estate() -> None:
    """Who takes both files as they are has each endpoint scraped, under the name that it has in `/metrics`: the rules join the two by it."""
    named = re.findall(r"(?m)^ +- (\w+://\S+)$", (_PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
    assert named == [endpoint.url for endpoint in load_estate(CONFIG / "estate.example.toml").endpoints]


def test_the_rules_alert_of_what_they_should(promtool: Path, tmp_path: Path) -> None:
    """`promtool test rules` finds of made-up metrics exactly the alerts that are expected."""
    for file in (_RULES, _RULES_TEST):
        shutil.copy(file, tmp_path)
    code, said = output_of(promtool, "test", "rules", tmp_path / _RULES_TEST.name)
    assert code == 0, said


def test_each_alert_is_tested() -> None:
    """No alert is without an example of when it is told."""
    assert _alerts(_RULES.read_text(encoding="utf-8"))
    assert _alerts(_RULES_TEST.read_text(encoding="utf-8")) == _alerts(_RULES.read_text(encoding="utf-8"))


@pytest.mark.parametrize("expression", [*_expressions(), *_queries()])
def test_an_expression_asks_for_what_there_is(expression: str) -> None:
    """A rule and a panel name metrics and labels that probe has, and of a closed list the words that are in it."""
    named = set(re.findall(r"\bprobe_\w+", expression))
    assert named <= _METRICS.keys()
    labels = {label for name in named for label in _METRICS[name]} | {"job", "instance"}
    grouped = {label for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for label in re.split(r", *", group)}
    compared = re.findall(r'(\w+)(?:=|!=)"([^"]*)"', expression)
    assert grouped | {label for label, _ in compared} <= labels
    assert [(label, value) for label, value in compared if label in _CLOSED and value not in _CLOSED[label]] == []


def test_prometheus_reads_every_expression_of_the_dashboard(promtool: Path, tmp_path: Path) -> None:
    """Each expression of the dashboard is one that Prometheus can record."""
    rules = [{"record": f"panel_{number}", "expr": expression} for number, expression in enumerate(_queries())]
    assert rules
    file = tmp_path / "dashboard.rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")  # JSON is YAML
    code, said = output_of(promtool, "check", "rules", file)
    assert code == 0, said
    assert f"{len(rules)} rules found" in said


@pytest.mark.parametrize(
    ("series", "samples"),
    [
        ({'up{job="probe"}': 0}, []),
        (
            {
                'probe_mailboxes{profile="corp",support="supported",readiness="ready"}': 3,
                'probe_endpoint_up{endpoint="pop3s://a.test:995"}': 1,
            },
            [0],
        ),
    ],
)
def test_a_number_of_the_dashboard_is_nought_only_where_somebody_counted(
    promtool: Path, tmp_path: Path, series: dict[str, int], samples: list[int]
) -> None:
    """Of a service that is down nothing is shown: a green nought would say that all is well. Of one that counted and found none, nought is."""
    of_what_is_bad = [query for query in _queries() if re.search("not-ready|unsupported|undetermined|== 0", query)]
    assert len(of_what_is_bad) == 4
    asked = of_what_is_bad if samples else _queries()
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": f"{value}x10"} for name, value in series.items()],
        "promql_expr_test": [
            {"expr": query, "eval_time": "5m", "exp_samples": [{"labels": "{}", "value": value} for value in samples]} for query in asked
        ],
    }
    file = tmp_path / "dashboard.test.yml"
    file.write_text(json.dumps({"rule_files": [], "evaluation_interval": "1m", "tests": [test]}), encoding="utf-8")  # JSON is YAML
    code, said = output_of(promtool, "test", "rules", file)
    assert code == 0, said


def test_the_panels_of_the_dashboard_lie_beside_each_other() -> None:
    """Panels have ids of their own and do not overlap on Grafana's grid of 24 columns."""
    taken: set[tuple[int, int]] = set()
    for panel in _dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert max(x for x, _ in cells) < 24
        assert taken.isdisjoint(cells)
        taken |= cells
    assert len({panel["id"] for panel in _dashboard()["panels"]}) == len(_dashboard()["panels"])
