from pathlib import Path

import pytest

from scheduler.adapters.files.catalogue_file import shipped_catalogue
from scheduler.adapters.files.inventory_file import read_inventory
from scheduler.adapters.files.marked_yaml import FileError
from scheduler.core.model.tenant import Quota
from scheduler.simulator.workloads.outages import Breaking, Drain
from scheduler.simulator.workloads.spans import Fixed, LogNormal, Uniform
from scheduler.simulator.workloads.templates import Limit, Size
from scheduler.simulator.workloads.workload_file import WorkloadFile, read_workload
from tests.builders.simulating import CHIPS, make_nodes

ROOT = Path(__file__).parents[4]
JOBS = """
jobs:
  one:
    tenant: alpha
    per_hour: 2
    chips: fast
    run: 45min
"""


def read(folder: Path, text: str) -> WorkloadFile:
    path = folder / "workload.yaml"
    path.write_text(text)
    return read_workload(path, chips=CHIPS, nodes=make_nodes())


def with_field(line: str) -> str:
    return f"{JOBS}    {line}\n"


def test_the_example_is_read() -> None:
    catalogue = shipped_catalogue()
    nodes = read_inventory(ROOT / "examples/clusters/mixed.yaml", catalogue).nodes
    chips = {group.chip for node in nodes for group in node.devices}
    found = read_workload(ROOT / "examples/simulation/workload.yaml", chips=chips, nodes=nodes)
    assert found.workload.tenants == ("speech", "vision")
    assert found.weights == {"vision": 2.0, "speech": 1.0}


def test_what_is_not_said_is_as_in_a_job_file(tmp_path: Path) -> None:
    (template,) = read(tmp_path, JOBS).workload.templates
    assert (template.user, template.cpu_milli, template.memory_mib) == ("one", 1_000, 4_096)
    assert template.sizes.things == (Size(1, 1),)
    assert template.run == Fixed(2_700)
    assert (template.limit, template.retries, template.priority) == (Limit(), 0, 0)


def test_every_field_is_taken_over(tmp_path: Path) -> None:
    text = """
tenants:
  alpha: {weight: 3, quota: {fast: 4}}
jobs:
  one:
    tenant: {alpha: 1, beta: 2}
    user: ada
    per_hour: 0.5
    burst: 10
    day: [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    sizes:
      - {workers: 4, devices_per_worker: 8, weight: 1}
      - {weight: 2}
    chips: [slow, fast]
    run: {median: 1h, p90: 5h, longest: 1d}
    time_limit: {times: 3}
    start_up: 90s
    failure_chance: 0.25
    saved_every: 10min
    speeds: {slow: 0.5}
    cpu_milli: 4000
    memory_mib: 8192
    retries: 2
    priority: -5
  two: {tenant: beta, per_hour: 1, chips: fast, run: {from: 1min, to: 2min}, time_limit: 1h, workers: 2}
nodes:
  break_every: 30d
  away: 2h
  drains: [{at: 1d, for: 4h, nodes: [n01, n03]}]
"""
    found = read(tmp_path, text)
    one, two = found.workload.templates
    assert found.weights == {"alpha": 3.0}
    assert found.quotas == (Quota("alpha", "fast", 4),)
    assert one.tenants.things == ("alpha", "beta")
    assert one.rate.day == (0.0,) * 9 + (3.0,) * 8 + (0.0,) * 7
    assert one.rate.burst == 10
    assert one.sizes.things == (Size(4, 8), Size(1, 1))
    assert one.run == LogNormal(3_600, 18_000, 86_400)
    assert one.limit == Limit(times=3)
    assert (one.life.start_up_s, one.life.failure_chance, one.life.saved_every_s) == (90, 0.25, 600)
    assert one.life.speeds == (("slow", 0.5),)
    assert (one.user, one.cpu_milli, one.memory_mib, one.retries, one.priority) == ("ada", 4_000, 8_192, 2, -5)
    assert two.run == Uniform(60, 120)
    assert (two.limit, two.sizes.things) == (Limit(seconds=3_600), (Size(2, 1),))
    assert found.breaking == Breaking(30 * 86_400, Fixed(7_200))
    nodes = make_nodes()
    assert found.drains == (Drain(86_400, 4 * 3_600, (nodes[1], nodes[3])),)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("jobs: {}", 1, "0 sorts of jobs"),
        ("job: {}", 1, "did you mean 'jobs'"),
        (JOBS.replace("45min", "45 minutes"), 7, "write it as 90s, 10min, 2h or 7d"),
        (JOBS.replace("45min", "0s"), 7, "out of range"),
        (JOBS.replace("45min", "{median: 2h, p90: 1h}"), 7, "less than the median"),
        (JOBS.replace("45min", "{from: 2h, to: 1h}"), 7, "less than 'from'"),
        (JOBS.replace("chips: fast", "chips: fsat"), 6, "did you mean 'fast'"),
        (JOBS.replace("chips: fast", "chips: []"), 6, "no chip type"),
        (JOBS.replace("per_hour: 2", "per_hour: 0"), 5, "above 0"),
        (JOBS.replace("per_hour: 2", "per_hours: 2"), 5, "did you mean 'per_hour'"),
        (JOBS.replace("tenant: alpha", "tenant: A B"), 4, "cannot be a name"),
        (JOBS.replace("tenant: alpha", "tenant: {}"), 4, "0 tenants"),
        (with_field("day: [1, 2]"), 8, "write 24 numbers"),
        (with_field(f"day: [{', '.join(['0'] * 24)}]"), 8, "a day without jobs"),
        (with_field("failure_chance: 2"), 8, "from 0 to 1"),
        (with_field("workers: 5000"), 8, "from 1 to 1,024"),
        (with_field("sizes: []"), 8, "0 sizes"),
        (with_field("workers: 2\n    sizes: [{weight: 1}]"), 8, "beside 'sizes'"),
        (with_field("time_limit: {twice: 2}"), 8, "unknown key 'twice'"),
        (with_field("speeds: {turbo: 2}"), 8, "no chip type 'turbo'"),
        (JOBS + "tenants: {gamma: {}}", 8, "no job is of tenant 'gamma'"),
        (JOBS + "tenants: {alpha: {quota: {turbo: 2}}}", 8, "no chip type 'turbo'"),
        (JOBS + "nodes: {break_every: 3d}", 8, "belong together"),
        (JOBS + "nodes: {drains: [{at: 1h, for: 1h, nodes: [n99]}]}", 8, "no node 'n99'"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(FileError) as refused:
        read(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path / 'workload.yaml'}:{line}: ")
    assert said in str(refused.value)
