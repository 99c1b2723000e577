"""The benchmark beside Slurm: what it hands in, and what it reads. Slurm itself is not run here."""

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest

from bench.__main__ import WITH_OPTIONS
from bench.ledger.population import make_nodes
from bench.queueing import backfill, slurm, slurm_controller
from bench.queueing.crowd import crowd
from bench.queueing.slurm import SCHEDULER, Size, asking, beside, holding, node_lines
from bench.queueing.slurm_controller import (
    Backfilling,
    Cycle,
    SlurmFailed,
    SlurmMissing,
    configuration,
    read_backfilling,
    require_slurm,
    thread_processor_us,
)
from bench.report import Measurement

SDIAG = """\
Jobs submitted: 1098
Jobs started:   185
Jobs completed: 0

Main schedule statistics (microseconds):
\tLast cycle:   40
\tTotal cycles: 1
\tLast queue length: 0

Backfilling stats
\tTotal backfilled jobs (since last slurm start): 173
\tTotal backfilled jobs (since last stats cycle start): 173
\tTotal backfilled heterogeneous job components: 0
\tTotal cycles: 3
\tLast cycle when: Sun Nov 22 19:59:15 2026 (1795377555)
\tLast cycle: 106322769
\tMax cycle:  106322769
\tMean cycle: 35440923
\tLast depth cycle: 1000
\tLast depth cycle (try sched): 1000
\tLast queue length: 1000

Latency for 1000 calls to gettimeofday(): 30 microseconds
"""
GOING_ON = "Backfilling stats (WARNING: data obtained in the middle of backfilling execution.)"
OURS = Measurement({"job_us_1000": 500.0, "job_us_10000": 100.0}, {"unit_ns": 50.0})


def test_the_cycles_of_backfill_are_read_and_not_those_of_the_main_scheduler() -> None:
    assert read_backfilling(SDIAG) == Backfilling(cycle_us=106_322_769, depth=1_000, started=185, is_going_on=False)


def test_a_cycle_that_goes_on_is_known_as_such() -> None:
    assert read_backfilling(SDIAG.replace("Backfilling stats", GOING_ON)).is_going_on


def test_before_the_first_cycle_nothing_took_any_time() -> None:
    fresh = SDIAG.replace("\tLast cycle: 106322769\n", "").replace("Last depth cycle: 1000", "Last depth cycle: 0")
    assert read_backfilling(fresh) == Backfilling(cycle_us=0, depth=0, started=185, is_going_on=False)


@pytest.mark.parametrize("said", ["", "slurm_load_stats: Unable to contact slurm controller", "Backfilling stats\n"])
def test_what_says_nothing_of_backfill_is_no_answer(said: str) -> None:
    with pytest.raises(SlurmFailed, match="sdiag says nothing of backfill"):
        read_backfilling(said)


def test_where_slurm_is_not_installed_its_packages_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(slurm_controller, "SEARCHED", str(tmp_path))
    with pytest.raises(SlurmMissing, match=r"apt-get install --no-install-recommends slurm-client slurmctld"):
        require_slurm()
    (tmp_path / "slurmctld").write_text("#!/bin/sh\n")
    (tmp_path / "slurmctld").chmod(0o755)
    with pytest.raises(SlurmMissing, match=r"^sbatch, scontrol, sdiag not found: .*-recommends slurm-client`"):
        require_slurm()


def test_nothing_is_measured_where_slurm_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(slurm_controller, "SEARCHED", str(tmp_path))
    monkeypatch.setattr(backfill, "measure", lambda: pytest.fail("it was measured"))
    declare, measure = WITH_OPTIONS["backfill"]
    parser = ArgumentParser()
    declare(parser)
    with pytest.raises(SystemExit, match="backfill --slurm: slurmctld"):
        measure(parser.parse_args(["--slurm"]))


def test_without_the_option_it_is_our_own_pass_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "measure", lambda: OURS)
    assert slurm.measure(Namespace(slurm=False)) is OURS


def test_it_listens_on_loopback_and_keeps_its_files_in_its_folder(tmp_path: Path) -> None:
    lines = configuration(tmp_path, 4_711, ["NodeName=n1 CPUs=8"], SCHEDULER).splitlines()
    assert {"SlurmctldPort=4711", "CommunicationParameters=NoCtldInAddrAny", "NodeName=n1 CPUs=8"} <= set(lines)
    assert any(line.startswith("SlurmctldHost=") and line.endswith("(127.0.0.1)") for line in lines)
    assert {f"StateSaveLocation={tmp_path}/state", f"SlurmctldPidFile={tmp_path}/pid"} <= set(lines)
    (parameters,) = (line for line in lines if line.startswith("SchedulerParameters="))
    assert parameters.startswith("SchedulerParameters=bf_continue,bf_interval=3,")


def test_slurm_gets_the_nodes_the_holders_and_the_jobs_of_our_own_pass() -> None:
    nodes, state = list(make_nodes(250)), crowd(250, 3, idle=0.1).state
    lines = list(node_lines(nodes))
    assert sum(line.count("n000") for line in lines) == 250
    assert lines[0].endswith(" CPUs=8 State=CLOUD Features=chip-00")
    holders = list(holding(nodes, state))
    names = [name for holder in holders for name in holder[2].removeprefix("--nodelist=").split(",")]
    assert len(names) == len(set(names)) == len(state.live)
    assert [holder[1] for holder in holders[:-1]] == ["--nodes=100"] * (len(holders) - 1)
    assert [holder[3] for holder in holders] == ["--time=1380", "--time=1400", "--time=1420"]
    spec = state.jobs[state.groups[min(state.waiting)].job_id].spec
    asked = asking(spec)
    assert asked[:2] == (f"--ntasks={spec.workers}", f"--cpus-per-task={spec.shape.devices}")
    assert asked[2].startswith("--constraint=chip-")
    assert (len(asked) == 4) is (spec.time_limit_s is not None)


def test_a_job_costs_what_the_thread_had_of_a_processor_or_less() -> None:
    assert Cycle(jobs=1_000, us=106_000_000, processor_us=83_000_000.0, started=75).job_us == 83_000.0
    assert Cycle(jobs=1_000, us=80_000_000, processor_us=83_000_000.0, started=75).job_us == 80_000.0


def test_jobs_are_compared_one_by_one_with_as_many_waiting_and_with_the_pass_of_the_goal() -> None:
    theirs, few = Cycle(1_000, 100_000_000, 200_000_000.0, 75), Cycle(1_000, 6_000_000, 5_000_000.0, 0)
    measured = beside(OURS, Size(), theirs, few)
    assert measured.figures["slurm_ratio_per_job"] == 1_000
    assert measured.figures["slurm_ratio_alike"] == 200
    assert measured.figures["slurm_few_ratio_per_job"] == 50
    assert measured.figures["slurm_few_ratio_alike"] == 10
    assert measured.figures["slurm_job_us"] == 100_000
    assert measured.figures["slurm_started"] == 75
    assert measured.goals[-1].figure == "slurm_ratio_per_job"


def test_the_processor_time_of_a_thread_is_read_by_its_name() -> None:
    own = Path("/proc/self/comm").read_text("utf-8").strip()
    assert sum(thread_processor_us(os.getpid(), own)) > 0
    assert thread_processor_us(os.getpid(), "nobody") == []
