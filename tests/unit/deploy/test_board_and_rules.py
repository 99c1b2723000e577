"""The Grafana board and the alert rules ask for metrics and labels that there are."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scheduler.adapters.telemetry.gauges import GAUGES
from scheduler.adapters.telemetry.metrics import PrometheusTelemetry, described

ROOT = Path(__file__).parents[3]
BOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/medley.json").read_text())
RULES: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/rules.yaml").read_text())
OF_PROMETHEUS = frozenset({"instance", "job", "le"})
"""Labels that every scrape, or every histogram, has."""
OF_PROCESSES = frozenset({"process_resident_memory_bytes"})
_METRIC = re.compile(r"\b(medley_[a-z_]+|process_[a-z_]+)\b(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'([a-z_]+)(?:=~|!~|!=|=)"')
_GROUPING = re.compile(r"\b(?:by|on|group_left)\s*\(([^)]*)\)")
_STRING = re.compile(r'"[^"]*"')


def known() -> dict[str, frozenset[str]]:
    """Return every name that a query may ask for, with its labels."""
    found = {gauge.name: frozenset(gauge.labels) for gauge in GAUGES}
    for name, kind, labels, _ in described(PrometheusTelemetry("1").registry):
        if kind == "histogram":
            found |= {f"{name}_{part}": frozenset({*labels, "le"}) for part in ("bucket", "sum", "count")}
        else:
            found[name] = frozenset(labels)
    return found


KNOWN = known()


def board_queries() -> Iterator[str]:
    for panel in BOARD["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    for variable in BOARD["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = variable["query"]["query"].removeprefix("label_values(").removesuffix(")").split(", ")
            yield f'{metric}{{{label}=""}}'


def rule_queries() -> Iterator[str]:
    yield from (rule["expr"] for group in RULES["groups"] for rule in group["rules"])


def faults(query: str) -> list[str]:
    """Return what a query asks for that there is not, and what is wrong with its form."""
    asked = _METRIC.findall(query)
    wrong = [f"no metric {name}" for name, _ in asked if name not in KNOWN and name not in OF_PROCESSES]
    labels: set[str] = set(OF_PROMETHEUS).union(*(KNOWN.get(name, frozenset()) for name, _ in asked))
    for name, matchers in asked:
        of_name = KNOWN.get(name, frozenset()) | OF_PROMETHEUS
        wrong += [f"{name} has no label {label}" for label in _MATCHER.findall(matchers) if label not in of_name]
    for group in _GROUPING.findall(_STRING.sub('""', query)):
        wrong += [f"nothing has the label {label}" for label in group.replace(",", " ").split() if label not in labels]
    bare = _STRING.sub("", query)
    wrong += [f"unbalanced {pair}" for pair in ("()", "{}", "[]") if bare.count(pair[0]) != bare.count(pair[1])]
    return wrong if asked else [*wrong, "asks for nothing of ours"]


@pytest.mark.parametrize("query", [*board_queries(), *rule_queries()])
def test_a_query_asks_for_what_there_is(query: str) -> None:
    assert faults(query) == []


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("medley_no_such_thing", "no metric medley_no_such_thing"),
        ("medley_decisions", "no metric medley_decisions"),
        ('medley_queue_gangs{job_id="x"}', "medley_queue_gangs has no label job_id"),
        ("sum by (attempt) (medley_queue_gangs)", "nothing has the label attempt"),
        ("sum(medley_queue_gangs", "unbalanced ()"),
        ("up", "asks for nothing of ours"),
    ],
)
def test_a_query_for_what_there_is_not_is_found(query: str, fault: str) -> None:
    assert fault in faults(query)


def test_every_metric_is_on_the_board() -> None:
    shown = {name for query in board_queries() for name, _ in _METRIC.findall(query)}
    missing = {re.sub("_(bucket|sum|count)$", "", name) for name in KNOWN} - {
        re.sub("_(bucket|sum|count)$", "", name) for name in shown
    }
    assert missing == set()


def test_panels_have_titles_texts_and_units_and_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
        if panel["type"] != "row":
            assert panel["title"]
            assert panel["description"]
            assert panel["fieldConfig"]["defaults"]["unit"]
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


def test_every_alert_says_how_bad_it_is_what_happened_and_what_to_do() -> None:
    rules = [rule for group in RULES["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 10
    for rule in rules:
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert {"summary", "next"} <= rule["annotations"].keys()
        assert re.fullmatch(r"(\d+[smhd])?", rule.get("for", ""))
        for text in rule["annotations"].values():
            for label in re.findall(r"\$labels\.([a-z_]+)", text):
                assert label in rule["expr"] or any(label in KNOWN[name] for name, _ in _METRIC.findall(rule["expr"]))
