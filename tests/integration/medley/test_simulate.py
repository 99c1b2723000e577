"""`medley simulate`: a simulation in the command's own process."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.builders.command import Reply, a_scripted_server, logged_in, run_in_window, run_medley
from tests.builders.eventually import eventually

CLUSTER = """cluster: sim
node_types: {one: {devices: {h100-sxm: 8}, cpu_cores: 64, memory_gib: 512}}
racks: {r1: {"n-[1-2]": one}}
"""
WORKLOAD = """jobs:
  small: {tenant: alpha, per_hour: 8, devices_per_worker: 4, chips: h100-sxm, run: {from: 10min, to: 20min}}
  large: {tenant: beta, per_hour: 0.5, devices_per_worker: 8, workers: 2, chips: h100-sxm, run: 30min, time_limit: 1h}
"""


@pytest.fixture
def given(tmp_path: Path) -> list[str]:
    """Return the arguments that name a small cluster and what is submitted to it."""
    files = {"cluster.yaml": CLUSTER, "workload.yaml": WORKLOAD}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return [str(tmp_path / name) for name in files]


def run(given: list[str], *options: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return run_medley("simulate", *given, *options, environment={"HOME": str(folder)})


def found(given: list[str], *options: str, folder: Path) -> Any:
    result = run(given, *options, "-o", "json", folder=folder)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_it_shows_who_waited_and_what_was_used(given: list[str], tmp_path: Path) -> None:
    result = run(given, "--days", "1", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert result.stdout.startswith("sim: 2 nodes, 16 devices; 1.0 days, ")
    for shown in ("TENANT", "alpha", "beta", "DEVICES OF A JOB", "devices used", "jobs waiting"):
        assert shown in result.stdout


def test_the_same_seed_gives_the_same_decisions_and_both_engines_do(given: list[str], tmp_path: Path) -> None:
    digests = [
        found(given, "--days", "0.1", *options, folder=tmp_path)["digest"]
        for options in ((), ("--engine", "services"), ("--seed", "2"))
    ]
    assert digests[0] == digests[1] != digests[2]


def test_another_policy_decides_otherwise_on_the_same_jobs(given: list[str], tmp_path: Path) -> None:
    options = ("--days", "0.5", "--preemption", "off", "--order")
    fair, shortest = (found(given, *options, order, folder=tmp_path) for order in ("fair", "srtf"))
    assert fair["digest"] != shortest["digest"]
    assert fair["jobs"]["submitted"] == shortest["jobs"]["submitted"]
    assert (shortest["order"], shortest["preemption"]) == ("srtf", "off")
    unknown = run(given, "--order", "alphabetical", folder=tmp_path)
    assert unknown.returncode == 2
    assert "srtf" in unknown.stderr


def test_all_jobs_are_accounted_for(given: list[str], tmp_path: Path) -> None:
    report = found(given, "--days", "1", folder=tmp_path)
    jobs = report["jobs"]
    assert jobs["submitted"] == sum(jobs[name] for name in ("succeeded", "failed", "refused", "waiting", "begun"))
    assert report["wait"]["jobs"] == jobs["submitted"]
    assert 0 < report["use"] <= 1
    assert sum(tenant["share"] for tenant in report["tenants"]) == pytest.approx(1)


def test_more_nodes_are_compared_with_what_there_is(given: list[str], tmp_path: Path) -> None:
    picture = tmp_path / "chart.svg"
    options = ("--days", "1", "--add", "2x8xh100-sxm", "--compare", "--svg", str(picture))
    result = run(given, *options, folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert re.search(r"with 16 more devices: median wait .* -> .*, used .* %", result.stdout)
    assert ET.parse(picture).getroot().tag.endswith("svg")
    before, after = found(given, *options[:5], folder=tmp_path)["items"]
    assert after["wait"]["mean_s"] < before["wait"]["mean_s"]
    assert after["jobs"]["submitted"] == before["jobs"]["submitted"], "both have the same jobs"


def test_what_was_found_is_shown_where_the_chart_cannot_be_written(given: list[str], tmp_path: Path) -> None:
    result = run(given, "--days", "0.1", "--svg", str(tmp_path / "missing" / "chart.svg"), folder=tmp_path)
    assert result.returncode != 0
    assert "chart.svg cannot be used" in result.stderr
    assert "devices used" in result.stdout


def test_a_list_of_jobs_is_replayed_until_all_are_over(given: list[str], tmp_path: Path) -> None:
    history = tmp_path / "history.csv"
    history.write_text(
        "submitted_at,tenant,run_s,chip_hours\n2026-01-01T00:00:00Z,alpha,3600,16\n2026-01-01T00:10:00Z,beta,3600,8\n"
    )
    report = found([given[0], str(history)], folder=tmp_path)
    assert report["jobs"]["succeeded"] == 2
    assert report["virtual_s"] == 7_200
    assert report["wait"]["longest_s"] == 3_000


def test_a_live_cluster_is_simulated(given: list[str], tmp_path: Path) -> None:
    node = {
        "cluster": "east", "name": "n1", "state": "ready", "tenant": None, "labels": {}, "pods": 110,
        "topology": {"node": "n1", "rack": "r1", "cluster": "east"}, "cpu_milli": 64_000, "memory_mib": 500_000,
        "devices": [{"chip": "h100-sxm", "count": 8, "memory_mib": 81_920}],
    }  # fmt: skip
    with a_scripted_server() as server:
        server.on("GET /v1/nodes", Reply(body={"items": [node], "next": None}))
        server.on("GET /v1/chips", Reply(body={"items": [], "next": None}))
        asked = ["simulate", "live", given[1], "--days", "0.2", "--add", "1x8xh100-sxm", "-o", "json"]
        result = run_medley(*asked, environment=logged_in(server, tmp_path))
    assert result.returncode == 0, result.stderr
    assert (json.loads(result.stdout)["cluster"], json.loads(result.stdout)["nodes"]) == ("east", 2)


def test_a_terminal_sees_it_in_its_width(given: list[str], tmp_path: Path) -> None:
    shown = run_in_window("simulate", *given, "--days", "1", columns=60, environment={"HOME": str(tmp_path)})
    assert "jobs waiting" in shown
    assert max(len(line) for line in shown.splitlines() if "|" in line) <= 60


def test_ctrl_c_shows_what_there_is_so_far(given: list[str], tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "medley", "simulate", *given, "--days", "3650", "-o", "json"]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=Path(__file__).parents[3], text=True
    ) as process:
        mapped = Path(f"/proc/{process.pid}/stat")
        eventually(lambda: _has_worked(mapped), within_s=60, what="it has begun to simulate")
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    report = json.loads(printed)
    assert not report["is_whole"]
    assert report["jobs"]["submitted"] > 0


def _has_worked(stat: Path) -> bool:
    """Say whether a process has had three seconds of a processor: loading takes one."""
    return int(stat.read_text().rpartition(") ")[2].split()[11]) > 300


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--compare"], "nothing to compare with"),
        (["--add", "2xh100"], "write NODESxDEVICESxCHIP"),
        (["--drain", "n-9"], "there is no node 'n-9'"),
        (["--days", "0"], "more than 0"),
        (["--engine", "other"], "other"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(given: list[str], tmp_path: Path, options: list[str], said: str) -> None:
    result = run(given, *options, folder=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_with_a_mistake_is_refused_with_its_line(given: list[str], tmp_path: Path) -> None:
    Path(given[1]).write_text(WORKLOAD.replace("per_hour: 0.5,", "per_hour: -2,"))
    result = run(given, folder=tmp_path)
    assert result.returncode == 2
    assert f"{given[1]}:3: -2 is out of range" in result.stderr
