import io
from datetime import UTC, datetime

import pytest

from medley.answers import Json
from medley.screens.job_text import next_commands, program, situation, situation_in_short, wanted, wanted_places
from medley.screens.jobs import jobs_table, print_job, print_why
from medley.screens.placement import number_runs, placement_table, why_there, workers_table
from tests.builders.command import a_job, a_job_in_short, a_report, a_spec, a_worker, an_attempt

AT = datetime(2026, 1, 1, 0, 10, 0, tzinfo=UTC)
NEVER_RAN = an_attempt(started_at=None, stop_reason="start-refused", workers=[a_worker(phase="pending")])
REFUSED = {"reason": "start-refused", "text": "the cluster refused to start it", "detail": "no such image"}
WAITS = {"code": "too-few-free", "text": "needs 4 nodes with 8 free H100; 2 have them"}


@pytest.mark.parametrize(
    ("devices", "want"), [([0], "0"), ([3, 1, 2, 0], "0-3"), ([0, 2, 3, 7], "0, 2-3, 7"), ([], ""), ([4, 5], "4-5")]
)
def test_device_numbers_are_drawn_together(devices: list[int], want: str) -> None:
    assert number_runs(devices) == want


def test_the_placement_says_where_each_rank_is_and_why_there() -> None:
    want = [("0", "mixed/nvidia-1", "h100-sxm", "0"), ("1", "mixed/amd-1", "mi300x", "4")]
    assert placement_table(an_attempt()).rows == want
    assert why_there(an_attempt(), io.StringIO()).splitlines() == [
        "rank 0: mixed/nvidia-1, tightest fit in rack r1",
        "rank 1: mixed/amd-1, only node with a free mi300x",
    ]


def test_what_is_true_of_several_ranks_is_said_once() -> None:
    workers = [a_worker(rank=rank, devices=[rank], node=f"mixed/nvidia-{rank // 3}") for rank in range(5)]
    assert why_there(an_attempt(workers=workers), io.StringIO()).splitlines() == [
        "ranks 0-2: mixed/nvidia-0, tightest fit in rack r1",
        "ranks 3-4: mixed/nvidia-1, tightest fit in rack r1",
    ]


def test_what_the_cluster_said_of_a_worker_stands_beside_its_state() -> None:
    worker = a_worker(rank=0, phase="pending", end="unstartable", detail="ErrImagePull: no such image")
    rows = workers_table(an_attempt(workers=[worker])).rows
    assert rows[0][4] == "unstartable: ErrImagePull: no such image"


def test_a_large_gang_has_one_row_for_ranks_that_are_alike() -> None:
    workers = [a_worker(rank=rank, devices=[rank % 8], node=f"mixed/nvidia-{rank // 8}") for rank in range(24)]
    workers[9] |= {"phase": "exited", "exit_code": 1, "end": "exited"}
    want = [
        ("0-7", "mixed/nvidia-0", "0-7", "running"),
        ("8", "mixed/nvidia-1", "0", "running"),
        ("9", "mixed/nvidia-1", "1", "exit code 1"),
        ("10-15", "mixed/nvidia-1", "2-7", "running"),
        ("16-23", "mixed/nvidia-2", "0-7", "running"),
    ]
    rows = workers_table(an_attempt(workers=workers)).rows
    assert [(row[0], row[1], row[3], row[4]) for row in rows] == want
    assert len(workers_table(an_attempt(workers=workers[:16])).rows) == 16


@pytest.mark.parametrize(
    ("chips", "want"),
    [
        ("h100-sxm", "2 workers of 1 device each: h100-sxm"),
        (["h100-sxm", "mi300x"], "2 workers of 1 device each: h100-sxm, else mi300x"),
        ({"h100-sxm": 1, "mi300x": 1}, "2 workers of 1 device each: 1 h100-sxm + 1 mi300x"),
    ],
)
def test_what_a_job_asks_for_is_one_line(chips: object, want: str) -> None:
    assert list(wanted(a_spec(chips=chips))) == [want]


def test_of_one_worker_nothing_is_said_of_each() -> None:
    spec = a_spec(chips="h100-sxm", workers=1, devices_per_worker=8)
    assert list(wanted(spec)) == ["1 worker of 8 devices: h100-sxm"]


SHARE = {"milli": 125, "memory_mib": 40_960}


def test_every_size_and_role_that_a_job_asks_for_has_a_line() -> None:
    size = {"devices_per_worker": 8, "share": None}
    spec = a_spec(
        chips="h100-sxm",
        devices_per_worker=0,
        share=SHARE,
        alternatives=[{"workers": 4, "chips": ["mi300x", "a800"], **size}],
        roles=[
            {"name": "launcher", "workers": 1, "chips": None, "devices_per_worker": 0, "share": None},
            {"name": "reader", "workers": 2, "chips": "t4", "devices_per_worker": 0, "share": SHARE},
        ],
    )
    assert list(wanted(spec)) == [
        "2 workers of a device's 12.5 % (40 GiB) each: h100-sxm",
        "or 4 workers of 8 devices each: mi300x, else a800",
        "and as launcher: 1 worker without devices",
        "and as reader: 2 workers of a device's 12.5 % (40 GiB) each: t4",
    ]
    row = jobs_table([a_job(spec=spec)], AT).rows[0]
    assert row[3:5] == ("5", "h100-sxm, else mi300x, else a800")


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        ({}, ""),
        ({"topology": {"require": None, "prefer": None}, "exclusive": False, "node_labels": {}}, ""),
        ({"topology": {"require": "rack", "prefer": None}}, "all of it in one rack"),
        ({"topology": {"require": None, "prefer": ["node", "rack"]}}, "if possible on one node, else in one rack"),
        ({"topology": {"require": None, "prefer": []}}, "as near or far as there is room"),
        ({"spread": {"level": "node", "most": 1}}, "at most 1 worker on one node"),
        (
            {"apart": {"level": "rack", "labels": {"a": "1", "b": "2"}}},
            "never in one rack with a job of yours that has a=1, b=2",
        ),
        ({"exclusive": True, "node_labels": {"zone": "z1"}}, "nodes to itself; nodes with zone=z1"),
    ],
)
def test_what_a_job_asks_of_places_is_one_line(changes: Json, want: str) -> None:
    assert wanted_places(a_spec(**changes)) == want


def test_wishes_are_shown_with_the_job(capsys: pytest.CaptureFixture[str]) -> None:
    print_job(a_job(spec=a_spec(exclusive=True)), AT)
    assert "  where      nodes to itself\n" in capsys.readouterr().out


def test_roles_have_a_column_where_there_are_several() -> None:
    launcher = a_worker(rank=1, chip=None, devices=[], role="launcher", share=None)
    table = placement_table(an_attempt(workers=[a_worker(role="worker"), launcher]))
    assert table.columns == ("RANK", "ROLE", "NODE", "CHIP", "DEVICES")
    assert table.rows == [
        ("0", "worker", "mixed/nvidia-1", "h100-sxm", "0"),
        ("1", "launcher", "mixed/nvidia-1", "", ""),
    ]
    assert workers_table(an_attempt()).columns == ("RANK", "NODE", "CHIP", "DEVICES", "WORKER")


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        ({"devices": [0, 1], "devices_counted": 0, "share": None}, "0-1"),
        ({"devices": [], "devices_counted": 8, "share": None}, "any 8"),
        ({"devices": [3], "devices_counted": 0, "share": SHARE}, "3, 12.5 % (40 GiB)"),
    ],
)
def test_devices_are_numbers_or_counted_or_a_share(changes: Json, want: str) -> None:
    assert placement_table(an_attempt(workers=[a_worker(**changes)])).rows[0][3] == want


def test_alike_workers_of_a_large_gang_share_a_row_with_all_they_hold() -> None:
    shared = [a_worker(rank=rank, devices=[rank // 8], share=SHARE) for rank in range(24)]
    assert workers_table(an_attempt(workers=shared)).rows[0][3] == "0-2, 12.5 % (40 GiB) each"
    counted = [a_worker(rank=rank, devices=[], devices_counted=2) for rank in range(24)]
    assert workers_table(an_attempt(workers=counted)).rows[0][3] == "any 48"


def test_a_program_is_its_command_or_the_reference_training() -> None:
    assert program(a_spec(command=["python", "train.py"], training=None)) == "python train.py"
    spec = a_spec(command=["sh", "-c", "echo \u202e1\n\x1b[2J"], training=None)
    assert program(spec) == r"sh -c 'echo �1\n�[2J'"
    assert program(a_spec()) == "the reference training, steps 60, seed 1"


@pytest.mark.parametrize(
    ("job", "want"),
    [
        (a_job(reasons=[WAITS]), WAITS["text"]),
        (a_job(state="running", progress=a_report(10, 2.3111)), "step 10/60, loss 2.311"),
        (
            a_job(state="failed", stop={"reason": "worker-failed", "text": "rank 1 failed", "detail": None}),
            "rank 1 failed",
        ),
        (a_job(state="running"), ""),
    ],
)
def test_a_list_says_how_each_job_fares(job: dict[str, object], want: str) -> None:
    assert situation(job) == want


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        ({"state": "queued"}, ""),
        ({"state": "running", "progress": a_report(10, 2.3111)}, "step 10/60, loss 2.311"),
        ({"state": "failed", "stop_reason": "out-of-memory"}, "out of memory"),
        ({"state": "failed"}, ""),
        ({"state": "running", "replicas": {"wanted": 3, "ready": 1}}, "1 of 3 replicas ready"),
        ({"state": "cancelled", "stop_reason": "cancelled", "replicas": {"wanted": 3, "ready": 0}}, "cancelled"),
    ],
)
def test_a_long_list_says_how_jobs_in_short_fare(changes: Json, want: str) -> None:
    assert situation_in_short(a_job_in_short(**changes)) == want


def test_a_job_in_short_has_the_row_of_the_whole_job() -> None:
    whole = a_job(spec=a_spec(chips={"h100-sxm": 2, "mi300x": 2}, workers=4, priority=3))
    short = a_job_in_short(mix={"h100-sxm": 2, "mi300x": 2}, chips=["h100-sxm", "mi300x"], workers=4, priority=3)
    assert jobs_table([short], AT).rows == jobs_table([whole], AT).rows
    servers = a_job_in_short(workers=6, replicas={"wanted": 3, "ready": 3}, chips=["h100-sxm", "mi300x"])
    assert jobs_table([servers], AT).rows[0][3:5] == ("2", "h100-sxm, else mi300x")


def test_the_tenant_is_listed_only_where_there_are_several() -> None:
    one, other = a_job(), a_job(tenant="beta")
    assert "TENANT" not in jobs_table([one, one], AT).columns
    table = jobs_table([one, other], AT)
    assert [row[2] for row in table.rows] == ["demo", "beta"]
    assert all(len(row) == len(table.columns) for row in table.rows)


@pytest.mark.parametrize(
    ("job", "want"),
    [
        (a_job(), "medley why first, medley follow first, medley cancel first"),
        (a_job(state="running"), "medley follow first, medley cancel first"),
        (a_job(state="succeeded", attempts=[an_attempt()]), "medley logs first"),
        (a_job(state="failed"), "medley why first"),
        (a_job(state="failed", attempts=[NEVER_RAN]), "medley why first"),
    ],
)
def test_each_job_comes_with_the_next_command(job: dict[str, object], want: str) -> None:
    assert next_commands(job) == want


def test_a_job_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    stop = {"reason": "worker-failed", "text": "rank 1 ended with exit code 3", "detail": "no\x1b[2Kmemory"}
    attempts = [an_attempt(number=2, state="failed", stop_reason="worker-failed"), an_attempt()]
    print_job(
        a_job(
            state="failed", finished_at="2026-01-01T00:05:00Z", stop=stop, attempts=attempts, retries_used=1,
            progress=a_report(20, 3.5), reasons=[WAITS],
        ),
        AT,
    )  # fmt: skip
    shown = capsys.readouterr()
    for want in (
        "first   failed   id 01jd3v9k2m0a7b4c",
        "submitted  10 min ago (2026-01-01T00:00:00Z) by ada for demo",
        "refused    needs 4 nodes",
        "stopped    rank 1 ended with exit code 3: no�[2Kmemory",
        "Attempt 2: failed, a worker failed, placed 9 min 59 s ago (2026-01-01T00:00:01Z), 1 retry used",
        "   1  mixed/amd-1     mi300x    4",
        "step   20/60   loss 3.5000   51,234 tokens/s",
    ):
        assert want in shown.out
    assert shown.err == "\nnext: medley logs first\n"


def test_why_lists_every_reason_and_what_would_help(capsys: pytest.CaptureFixture[str]) -> None:
    why = {
        "job": "x", "state": "queued", "reasons": [{"text": "too few free"}, WAITS], "position": 3, "ahead": 2,
        "text": "It waits: too few free.", "next": "ask for fewer", "change": 123, "age_s": 0.012,
        "remedies": [{"text": "with 2 workers, it would start now", "field": "workers", "value": 2}],
        "moves": [{"text": "job j moved from n1 to n2, which costs about 3 chip-minutes"}],
    }  # fmt: skip
    job = a_job(attempts=[an_attempt()])
    command = f"medley clone {job['id']} --set workers=2 && medley cancel {job['id']}"
    print_why(why, job)
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        "first   queued",
        "It waits: too few free.",
        "  - needs 4 nodes with 8 free H100; 2 have them",
        "  position 3 in the queue, 2 jobs ahead of it",
        "What would help, each by itself:",
        f"  - with 2 workers, it would start now: `{command}`",
        "It would start now if",
        "  - job j moved from n1 to n2, which costs about 3 chip-minutes",
    ]
    assert shown.err == "next: ask for fewer\n(as of change 123, 0.01 s ago)\n"


def test_why_says_what_the_cluster_said_and_sends_nobody_to_logs_that_are_not_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    why: dict[str, object] = {
        "job": "x", "state": "queued", "reasons": [], "position": None, "ahead": None, "text": "It waits.",
        "next": "read its output with `medley logs`", "change": 1, "age_s": 0.0, "remedies": [],
    }  # fmt: skip
    print_why(why, a_job(attempts=[NEVER_RAN], stop=REFUSED))
    shown = capsys.readouterr()
    assert "the cluster refused to start it: no such image" in shown.out
    assert "medley logs" not in shown.err


def test_why_names_the_worker_that_failed_once(capsys: pytest.CaptureFixture[str]) -> None:
    text = "a worker ended with an exit code other than 0"
    why: dict[str, object] = {
        "job": "x", "state": "failed", "reasons": [], "position": None, "ahead": None, "text": f"It failed: {text}.",
        "next": None, "change": 1, "age_s": 0.0, "remedies": [],
    }  # fmt: skip
    failed = an_attempt(workers=[a_worker(rank=2, phase="exited", exit_code=7, end="exited")])
    job = a_job(state="failed", attempts=[failed], stop={"reason": "worker-failed", "text": text, "detail": None})
    print_why(why, job)
    print_why(why | {"text": "It failed: rank 2 ended with exit code 7."}, job)
    assert capsys.readouterr().out.splitlines() == [
        "first   failed", f"It failed: {text}.", "  - rank 2 ended with exit code 7",
        "first   failed", "It failed: rank 2 ended with exit code 7.",
    ]  # fmt: skip


def test_a_job_says_where_a_retry_goes_on_and_what_was_heard_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    heartbeat = {"at": "2026-01-01T00:00:02Z", "memory_mib": 5120, "device_memory_mib": None}
    attempt = {**an_attempt(), "heartbeat": heartbeat}
    resume = {"is_possible": True, "step": 8, "text": "a retry goes on from step 8, which attempt 1 saved"}
    progress = {"step": 12, "steps": 0, "loss": None, "tokens_per_s": 5.0, "at": "2026-01-01T00:00:02Z"}
    print_job(a_job(attempts=[attempt], resume=resume, progress=progress), AT)

    shown = capsys.readouterr().out
    assert "a retry goes on from step 8, which attempt 1 saved" in shown
    assert "step 12   no finite loss   5 tokens/s" in shown
    assert "5,120 MiB of memory" in shown
