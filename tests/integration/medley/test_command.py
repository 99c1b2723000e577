"""The whole command as a process, against a server that speaks the wire contract."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from medley.main import run
from tests.builders.command import (
    JOB_ID,
    TOKEN,
    Reply,
    ScriptedServer,
    a_job,
    a_problem,
    a_scripted_server,
    an_attempt,
    logged_in,
    run_medley,
)

WAITS = {"code": "too-few-free", "text": "needs 4 nodes with 8 free H100; 2 have them"}
WHY = {"job": JOB_ID, "state": "queued", "reasons": [WAITS], "position": 1, "ahead": 0, "text": "it waits",
       "next": None, "remedies": [], "change": 7, "age_s": 0.01}  # fmt: skip
WHO = {"name": "ada", "role": "submitter", "tenant": "demo", "token_id": "t1"}
POOL = {"name": "mixed/h100-sxm-81920-x8", "cluster": "mixed", "chip": "h100-sxm", "device_memory_mib": 81920,
        "devices_per_node": 8, "nodes": 4, "devices": 32, "devices_held": 8, "devices_free": 24,
        "devices_drained": 0}  # fmt: skip
NODE = {"cluster": "mixed", "name": "nvidia-1", "state": "ready", "note": "", "topology": {}, "devices": [],
        "cpu_milli": 1000, "cpu_milli_held": 0, "memory_mib": 1024, "memory_mib_held": 0, "holdings": []}  # fmt: skip
CHIP: dict[str, object] = {
    "name": "x1", "vendor": "Vendor", "model": "X1", "memory_mib": None, "planning_tflops": None, "link": None,
    "rate_is_estimate": True, "memory_bandwidth_gb_s": None, "torch_device": "cuda", "collective_library": "nccl",
    "estimated_fields": [],
}  # fmt: skip
TENANT = {"name": "demo", "created_at": "2026-01-01T00:00:00Z"}
USER = {"name": "ada", "tenant": "demo", "role": "submitter", "created_at": "2026-01-01T00:00:00Z"}
NEW_TOKEN = {"id": "t2", "name": "ci", "role": "submitter", "tenant": "demo", "user": None, "revoked_at": None,
             "created_at": "2026-01-01T00:00:00Z", "expires_at": None}  # fmt: skip
ENTRY = {
    "number": 7, "at": "2026-01-01T00:00:00Z", "actor": "ada", "token_id": "t2", "tenant": "demo",
    "operation": "set_quota", "object": {"kind": "quota", "name": "demo/h100-sxm"}, "before": {"devices": 2},
    "after": {"devices": 4}, "outcome": "done", "request_id": "r", "previous_sha256": "0", "sha256": "1",
}  # fmt: skip
CHECK = {"is_whole": True, "entries": 7, "first_broken": None, "last": 7, "last_sha256": "ab" * 32}
QUOTA = {"tenant": "demo", "chip": "h100-sxm", "devices": 4}
QUEUE = {"name": "night", "parent": "org", "tenant": "demo", "weight": 2, "most_waiting": 9, "most_running": None,
         "most_running_per_user": None, "highest_priority": None}  # fmt: skip
QUEUE_QUOTA = {"queue": "night", "resource": "h100-sxm", "guaranteed": 2, "limit": 8, "borrowing": None, "lending": 0}
GROUP = {"name": "fast", "chips": ["h100-sxm", "mi300x"]}
SHARE = {
    "queue": "night", "parent": "org", "tenant": "demo", "weight": 2, "due": 0.5, "held": 0.625, "compute_due": 8,
    "compute_held": 10, "running": 3, "waiting": 12, "chips": [{"chip": "h100-sxm", "devices": 5.0}],
    "quotas": [QUEUE_QUOTA | {"held": 5.0, "borrowed": 3.0}],
    "standing": {"chip": "h100-sxm", "held": 0.6, "recent": 0.9, "half_life_s": 604_800.0, "against_due": 1.74},
}  # fmt: skip
SUCCEEDED = a_job(state="succeeded", finished_at="2026-01-01T00:01:00Z", attempts=[an_attempt(state="succeeded")])

NO_TENANT = {"pointer": "/tenant", "detail": "there is no tenant nope"}
UNKNOWN_TENANT = Reply(422, a_problem(422, "unknown-reference", detail=NO_TENANT["detail"], errors=[NO_TENANT]))


def _items(*items: object) -> Reply:
    return Reply(body={"items": list(items), "next": None})


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server with one waiting job."""
    with a_scripted_server() as server:
        server.on("GET /v1/whoami", Reply(body=WHO))
        server.on("GET /v1/version", Reply(body={"version": "0.1.0", "api": "v1"}))
        server.on("GET /v1/jobs", _items(a_job()))
        server.on("GET /v1/jobs/rows", _items({"id": JOB_ID}))
        server.on(f"GET /v1/jobs/{JOB_ID}", Reply(body=a_job(reasons=[WAITS])))
        server.on(f"GET /v1/jobs/{JOB_ID}/why", Reply(body=WHY))
        server.on(f"POST /v1/jobs/{JOB_ID}/cancel", Reply(body=a_job(state="cancelled")))
        server.on("POST /v1/jobs", Reply(201, a_job(reasons=[WAITS])))
        server.on("GET /v1/nodes", _items(NODE))
        server.on("GET /v1/pools", _items(POOL))
        server.on("GET /v1/chips", _items(CHIP))
        server.on("PUT /v1/chips/x1", Reply(body=CHIP))
        use = [{"tenant": "demo", "chip": "h100-sxm", "devices_held": 8, "quota": None}]
        server.on("GET /v1/utilisation", Reply(body={"pools": [POOL], "tenants": use}))
        server.on("GET /v1/tenants", _items(TENANT))
        server.on("POST /v1/tenants", Reply(201, TENANT))
        server.on("GET /v1/users", _items(USER))
        server.on("POST /v1/users", Reply(201, USER))
        server.on("PATCH /v1/users/ada", Reply(body=USER))
        server.on("GET /v1/audit", _items(ENTRY))
        rotated = NEW_TOKEN | {"secret": TOKEN, "old_secret_until": "2026-01-01T00:00:00Z"}
        server.on("POST /v1/tokens/t2/rotate", Reply(body=rotated))
        server.on("GET /v1/audit/check", Reply(body=CHECK))
        server.on("GET /v1/tokens", _items(NEW_TOKEN))
        server.on("POST /v1/tokens", Reply(201, NEW_TOKEN | {"secret": TOKEN}))
        server.on("DELETE /v1/tokens/t2", Reply(body=NEW_TOKEN))
        server.on("GET /v1/tenants/demo/quotas", _items(QUOTA))
        server.on("PUT /v1/tenants/demo/quotas/h100-sxm", Reply(body=QUOTA))
        server.on("DELETE /v1/tenants/demo/quotas/h100-sxm", Reply(204))
        server.on("GET /v1/queues", _items(QUEUE, QUEUE | {"name": "org", "parent": None, "tenant": None}))
        server.on("PUT /v1/queues/night", Reply(body=QUEUE))
        server.on("DELETE /v1/queues/night", Reply(204))
        server.on("GET /v1/queues/night/quotas", _items(QUEUE_QUOTA))
        server.on("PUT /v1/queues/night/quotas/h100-sxm", Reply(body=QUEUE_QUOTA))
        server.on("DELETE /v1/queues/night/quotas/h100-sxm", Reply(204))
        server.on("GET /v1/chip-groups", _items(GROUP))
        server.on("PUT /v1/chip-groups/fast", Reply(body=GROUP))
        server.on("DELETE /v1/chip-groups/fast", Reply(204))
        server.on("GET /v1/shares", _items(SHARE))
        yield server


def test_a_rotated_token_keeps_its_key_and_says_until_when_the_old_secret_opens(
    server: ScriptedServer, tmp_path: Path
) -> None:
    line = "tokens rotate t2 --overlap 12h --expires 4w --key once"
    made = run_medley(*line.split(), environment=logged_in(server, tmp_path))
    assert made.stdout == f"{TOKEN}\n"
    assert "the old secret opens until 2026-01-01" in made.stderr
    (asked,) = server.asked("POST /v1/tokens/t2/rotate")
    assert asked.body == {"overlap_s": 43_200, "expires_in_days": 28}
    assert asked.headers["Idempotency-Key"] == "once"


@pytest.mark.parametrize("line", ["tokens rotate t2 --overlap soon", "tokens create ci --role viewer --expires 25h"])
def test_a_length_of_time_that_is_none_is_refused(server: ScriptedServer, tmp_path: Path, line: str) -> None:
    made = run_medley(*line.split(), environment=logged_in(server, tmp_path))
    assert made.returncode == 2
    assert "next: write it as" in made.stderr


def test_a_narrowed_token_names_its_scopes(server: ScriptedServer, tmp_path: Path) -> None:
    line = "tokens create ci --role submitter --tenant demo --scope jobs:read --scope jobs:write --expires 30d"
    assert run_medley(*line.split(), environment=logged_in(server, tmp_path)).returncode == 0
    asked = server.asked("POST /v1/tokens")[0].body
    assert (asked["scope"], asked["expires_in_days"]) == (["jobs:read", "jobs:write"], 30)


@pytest.mark.parametrize(
    ("broken", "status", "says"), [(None, 0, "all as they were written"), (5, 1, "entry 5 was changed")]
)
def test_the_audit_trail_is_checked(
    server: ScriptedServer, tmp_path: Path, broken: int | None, status: int, says: str
) -> None:
    server.on("GET /v1/audit/check", Reply(body=CHECK | {"is_whole": broken is None, "first_broken": broken}))
    checked = run_medley("audit", "check", environment=logged_in(server, tmp_path))
    assert checked.returncode == status
    assert says in checked.stdout


def test_a_login_that_is_over_and_cannot_be_renewed_says_what_to_do(server: ScriptedServer, tmp_path: Path) -> None:
    environment = {"MEDLEY_CONFIG": str(tmp_path / "login.json"), "HOME": str(tmp_path)}
    renewal = {"issuer": "http://127.0.0.1:1", "client_id": "medley", "expires_at": "2026-01-01T00:00:00Z"}
    stored = {"address": server.address, "token": TOKEN, "renewal": renewal}
    for refresh_token, status, says in ((None, 4, "your login is over"), ("r", 6, "does not answer")):
        (tmp_path / "login.json").write_text(
            json.dumps(stored | {"renewal": renewal | {"refresh_token": refresh_token}})
        )
        (tmp_path / "login.json").chmod(0o600)
        refused = run_medley("whoami", environment=environment)
        assert refused.returncode == status
        assert says in refused.stderr
        assert "medley login" in refused.stderr


@pytest.fixture
def job_file(tmp_path: Path) -> str:
    path = tmp_path / "job.yaml"
    path.write_text("name: first\nchips:\n  h100-sxm: 1\n  mi300x: 1\nworkers: 3\n")
    return str(path)


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("whoami", (WHO, "ada (submitter of tenant demo) at http://", "ada")),
        ("ls", ({"items": [a_job()], "next": None}, "first  01jd3v9k2m0a7b4c  queued", JOB_ID)),
        ("show first", (a_job(reasons=[WAITS]), "waits for  needs 4 nodes", JOB_ID)),
        (f"why {JOB_ID}", (WHY, "first   queued\nit waits", JOB_ID)),
        ("cancel first", (a_job(state="cancelled"), "first (01jd3v9k2m0a7b4c) is cancelled", JOB_ID)),
        ("nodes", ({"items": [NODE], "next": None}, "mixed/nvidia-1  ready", "mixed/nvidia-1")),
        ("pools", ({"items": [POOL], "next": None}, "mixed/h100-sxm-81920-x8", POOL["name"])),
        ("chips", ({"items": [CHIP], "next": None}, "x1    Vendor", "x1")),
        ("tenants", ({"items": [TENANT], "next": None}, "demo", "demo")),
        ("tenants create demo", (TENANT, "Created tenant demo", "demo")),
        ("users list", ({"items": [USER], "next": None}, "ada   demo", "ada")),
        ("users set ada --role submitter", (USER, "ada is submitter of tenant demo", "ada")),
        ("users disable ada", (USER, "Disabled user ada", "ada")),
        ("users enable ada", (USER, "Enabled user ada", "ada")),
        ("audit --object quota", ({"items": [ENTRY], "next": None}, "set_quota  quota/demo/h100-sxm  done", "7")),
        ("audit list", ({"items": [ENTRY], "next": None}, "devices: 2 -> 4", "7")),
        ("users create ada --tenant demo", (USER, "Created user ada", "ada")),
        ("tokens", ({"items": [NEW_TOKEN], "next": None}, "t2  ci    submitter  demo", "t2")),
        ("tokens revoke t2", (NEW_TOKEN, "Revoked token t2 (ci)", "t2")),
        ("quota", ({"items": [QUOTA], "next": None}, "h100-sxm                4", "h100-sxm")),
        ("queue set night --weight 2", (QUEUE, "queue night in org has weight 2", "night")),
        (
            "queue quota night",
            ({"items": [QUEUE_QUOTA], "next": None}, "h100-sxm  2           8      any      0", "h100-sxm"),
        ),
        (
            "queue quota night h100-sxm --lending 0",
            (QUEUE_QUOTA, "h100-sxm  2           8      any      0", "h100-sxm"),
        ),
        ("queue group", ({"items": [GROUP], "next": None}, "fast   h100-sxm mi300x", "fast")),
        ("queue group fast h100-sxm mi300x", (GROUP, "h100-sxm, mi300x count together as fast", "fast")),
        ("share", ({"items": [SHARE], "next": None}, "90.0 %  █████│████░ 1.74 x", "night")),
        ("quota set demo h100-sxm 4", (QUOTA, "demo may hold 4 devices of h100-sxm at most", "h100-sxm")),
    ],
)
def test_each_command_answers_in_each_format(
    server: ScriptedServer, tmp_path: Path, line: str, want: tuple[object, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    want_json, want_table, want_name = want
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in logged_in(server, tmp_path).items():
            patch.setenv(name, value)
        for form in ("json", "yaml", "wide", "table", "name"):
            assert run([*line.split(), "-o", form]) == 0
            found[form] = capsys.readouterr()
    assert json.loads(found["json"].out) == yaml.safe_load(found["yaml"].out) == want_json
    assert want_table.strip()[:9] in found["wide"].out
    assert want_table in found["table"].out
    assert found["name"].out == f"{want_name}\n"
    assert TOKEN not in "".join(shown.out + shown.err for shown in found.values())


def test_queues_are_shown_beneath_those_that_they_are_in(server: ScriptedServer, tmp_path: Path) -> None:
    shown = run_medley("queue", "ls", environment=logged_in(server, tmp_path)).stdout.splitlines()
    assert [line.split("  ")[0] for line in shown] == ["QUEUE", "org", "- night"]
    assert shown[2].endswith("2       9 waiting")


def test_what_is_left_out_of_a_queue_or_its_quota_stays_as_it_is(server: ScriptedServer, tmp_path: Path) -> None:
    environment = logged_in(server, tmp_path)
    for line in (
        "set night --most-waiting none",
        "quota night h100-sxm --limit none",
        "rm night",
        "group fast --remove",
    ):
        done = run_medley("queue", *line.split(), environment=environment)
        assert done.returncode == 0, done.stderr
    kept = {key: value for key, value in QUEUE.items() if key != "name"}
    assert server.asked("PUT /v1/queues/night")[0].body == kept | {"most_waiting": None}
    figures = {"guaranteed": 2, "limit": None, "borrowing": None, "lending": 0}
    assert server.asked("PUT /v1/queues/night/quotas/h100-sxm")[0].body == figures
    assert len(server.asked("DELETE /v1/queues/night")) == len(server.asked("DELETE /v1/chip-groups/fast")) == 1
    assert run_medley("queue", "quota", "night", "h100-sxm", "--lift", environment=environment).returncode == 0
    wrong = run_medley("queue", "quota", "night", "--limit", "3", environment=environment)
    assert "say of which resource" in wrong.stderr


def test_utilisation_shows_pools_and_tenants(server: ScriptedServer, tmp_path: Path) -> None:
    shown = run_medley("utilisation", environment=logged_in(server, tmp_path)).stdout
    assert "32 devices on 4 nodes, 8 held" in shown
    assert "demo    h100-sxm     8  no limit" in shown


def test_wide_tables_have_what_others_leave_out(server: ScriptedServer, tmp_path: Path) -> None:
    server.on("GET /v1/jobs", _items(a_job(state="running", attempts=[an_attempt()])))
    environment = logged_in(server, tmp_path)
    wide, usual = (run_medley("ls", "-o", form, environment=environment).stdout for form in ("wide", "table"))
    assert re.search(r"HOW IT FARES +PRIORITY  BY   NODES +LABELS", wide)
    assert re.search(r" 0  ada  mixed/nvidia-1, mixed/amd-1  -$", wide.splitlines()[1])
    assert "mixed/nvidia-1" not in usual


def test_filters_reach_the_server(server: ScriptedServer, tmp_path: Path) -> None:
    line = "ls --state running --state queued --name first --chip mi300x --by ada --label team:vision"
    assert (
        run_medley(
            *line.split(), "--tenant", "demo", "--limit", "7", environment=logged_in(server, tmp_path)
        ).returncode
        == 0
    )
    assert server.asked("GET /v1/jobs")[0].query == {
        "state": ["running", "queued"], "name": ["first"], "chip": ["mi300x"], "submitted_by": ["ada"],
        "label": ["team:vision"], "tenant": ["demo"], "limit": ["8"],
    }  # fmt: skip


def test_a_new_token_is_the_only_thing_on_stdout(server: ScriptedServer, tmp_path: Path) -> None:
    line = "tokens create ci --role submitter --tenant demo --expires-in-days 30"
    made = run_medley(*line.split(), environment=logged_in(server, tmp_path))
    assert made.stdout == f"{TOKEN}\n"
    assert TOKEN not in made.stderr
    want = {"name": "ci", "role": "submitter", "tenant": "demo", "user": None, "expires_in_days": 30}
    assert server.asked("POST /v1/tokens")[0].body == want


def test_a_login_is_asked_for_verified_and_kept(server: ScriptedServer, tmp_path: Path) -> None:
    environment = {"MEDLEY_CONFIG": str(tmp_path / "login.json"), "HOME": str(tmp_path)}
    made = run_medley("login", server.address, "--token", "-", environment=environment, stdin=f"{TOKEN}\n")
    assert (made.returncode, made.stderr.splitlines()[-1]) == (0, "next: medley submit FILE, or medley ls")
    assert run_medley("whoami", environment=environment).returncode == 0
    assert server.requests[-1].headers["Authorization"] == f"Bearer {TOKEN}"
    assert run_medley("logout", environment=environment).returncode == 0
    assert run_medley("whoami", environment=environment).returncode == 4


def test_a_token_that_opens_nothing_is_not_kept(server: ScriptedServer, tmp_path: Path) -> None:
    environment = {"MEDLEY_CONFIG": str(tmp_path / "login.json"), "HOME": str(tmp_path)}
    server.on("GET /v1/whoami", Reply(401, a_problem(401, "not-authenticated")))
    made = run_medley("login", server.address, "--token", "-", environment=environment, stdin=f"{TOKEN}\n")
    assert made.returncode == 4
    assert TOKEN not in made.stdout + made.stderr
    assert not (tmp_path / "login.json").exists()


def test_a_submission_says_how_it_stands_and_what_is_next(
    server: ScriptedServer, tmp_path: Path, job_file: str
) -> None:
    made = run_medley("submit", job_file, "--name", "other", environment=logged_in(server, tmp_path))
    assert made.returncode == 0
    assert made.stdout == f"Submitted first ({JOB_ID}): queued; {WAITS['text']}\n"
    assert made.stderr == "next: medley why first, medley follow first, medley cancel first\n"
    request = server.asked("POST /v1/jobs")[0]
    assert request.body == {"name": "other", "chips": {"h100-sxm": 1, "mi300x": 1}, "workers": 3}
    assert request.query["wait"] == ["placed"]


def test_a_refused_job_points_to_the_lines_of_its_file(server: ScriptedServer, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("name: first\nchips: h100-sxm\nworkres: 4\nworkers: 0\n")
    errors = [
        {"pointer": "/workres", "detail": "unknown field"},
        {"pointer": "/workers", "detail": "must be at least 1"},
    ]
    server.on("POST /v1/jobs", Reply(422, a_problem(422, "invalid-request", errors=errors, next="did you mean?")))
    made = run_medley("submit", str(path), environment=logged_in(server, tmp_path))
    assert made.returncode == 2
    assert made.stderr.count("did you mean") == 1
    assert made.stderr.splitlines()[1:3] == [
        f"{path}:3: workres: unknown field - did you mean `workers`?",
        f"{path}:4: workers: must be at least 1",
    ]


def test_a_start_that_is_refused_says_what_the_cluster_said(
    server: ScriptedServer, tmp_path: Path, job_file: str
) -> None:
    stop = {"reason": "start-refused", "text": "the cluster refused to start it", "detail": "no room for its files"}
    server.on("POST /v1/jobs", Reply(201, a_job(state="stopping", stop=stop, attempts=[an_attempt()])))
    made = run_medley("submit", job_file, environment=logged_in(server, tmp_path))
    want = f"Submitted first ({JOB_ID}): stopping; the cluster refused to start it: no room for its files\n"
    assert (made.returncode, made.stdout) == (0, want)


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("ls --chip xx1", "no job is found by --chip xx1; there is no chip type `xx1`: did you mean `x1`?\n"),
        ("ls --chip x1 --state failed", "no job is found by --state failed --chip x1\n"),
        ("ls", "no jobs here; `medley submit FILE` makes one\n"),
        (
            "nodes --chip nope",
            "no node is found by --chip nope; there is no chip type `nope`: `medley chips` lists all\n",
        ),
        (
            "nodes --cluster mixd",
            "no node is found by --cluster mixd; there is no cluster `mixd`: did you mean `mixed`?\n",
        ),
    ],
)
def test_filters_that_find_nothing_are_named(server: ScriptedServer, tmp_path: Path, line: str, want: str) -> None:
    server.on("GET /v1/jobs", _items())
    server.on("GET /v1/nodes", _items())
    server.on("GET /v1/clusters", _items({"name": "mixed", "kind": "local"}))
    ended = run_medley(*line.split(), environment=logged_in(server, tmp_path))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", want)


def test_a_job_that_can_never_run_is_told_at_once(server: ScriptedServer, tmp_path: Path, job_file: str) -> None:
    server.on(
        "POST /v1/jobs", Reply(201, a_job(state="failed", reasons=[{"code": "never-fits", "text": "at most 32 fit"}]))
    )
    made = run_medley("submit", job_file, environment=logged_in(server, tmp_path))
    assert (made.returncode, made.stdout) == (1, f"Submitted first ({JOB_ID}): failed; at most 32 fit\n")
    assert made.stderr == "next: medley why first\n"


def test_a_chip_type_is_defined_from_a_file_and_errors_point_into_it(server: ScriptedServer, tmp_path: Path) -> None:
    path = tmp_path / "chip.yaml"
    path.write_text("vendor: Vendor\nmodel: 7\n")
    assert run_medley("chips", "define", "x1", str(path), environment=logged_in(server, tmp_path)).returncode == 0
    assert server.asked("PUT /v1/chips/x1")[0].body == {"vendor": "Vendor", "model": 7}
    errors = [{"pointer": "/model", "detail": "must be text"}]
    server.on("PUT /v1/chips/x1", Reply(422, a_problem(422, "invalid-request", errors=errors)))
    refused = run_medley("chips", "define", "x1", str(path), environment=logged_in(server, tmp_path))
    assert (refused.returncode, refused.stderr.splitlines()[1]) == (2, f"{path}:2: model: must be text")


def test_a_job_from_stdin_is_named_so_in_errors(server: ScriptedServer, tmp_path: Path) -> None:
    made = run_medley("submit", "-", environment=logged_in(server, tmp_path), stdin="name: a\nname: b\n")
    assert made.returncode == 2
    assert made.stderr.startswith("medley: standard input:2: `name` is given twice\n")


def test_a_submission_nobody_answered_gives_the_key_to_repeat_it_with(
    server: ScriptedServer, tmp_path: Path, job_file: str
) -> None:
    server.on("POST /v1/jobs", Reply(is_dropped=True))
    made = run_medley("submit", job_file, "--key", "my-key", environment=logged_in(server, tmp_path))
    assert made.returncode == 6
    assert "submit it again with --key my-key" in made.stderr
    assert {request.headers["Idempotency-Key"] for request in server.asked("POST /v1/jobs")} == {"my-key"}


def test_a_submission_that_is_interrupted_gives_the_key_as_well(
    server: ScriptedServer,
    tmp_path: Path,
    job_file: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in logged_in(server, tmp_path).items():
        monkeypatch.setenv(name, value)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("medley.client.Client.submit", interrupted)
    assert run(["submit", job_file, "--key", "my-key"]) == 130
    assert "submit it again with --key my-key" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "reply", "want"),
    [
        ("sbmit x", None, (2, 'Unknown command "sbmit". Did you mean "submit"?')),
        (
            "sbmit x",
            None,
            (2, '"submit"? Available commands: init, submit, follow, ls, show, why, estimate, logs, ...\n'),
        ),
        ("ls --stat queued", None, (2, "Did you mean --state?")),
        ("ls --state done", None, (2, 'Choose from: "queued"')),
        ("tokens creat x", None, (2, "Did you mean `medley tokens create`?")),
        ("wait", None, (2, "requires an argument")),
        ("submit none.yaml", None, (2, "none.yaml cannot be read")),
        ("submit examples/jobs/first-training.yaml --key=", None, (2, "--key takes 1 to 200")),
        ("ls --limit 0", None, (2, "--limit takes 1 or more")),
        ("events --after -1", None, (2, "--after takes the number of an event, 0 or more")),
        ("chips define Foo_2 f", None, (2, "cannot be the name of a chip type")),
        ("chips define foo none.yaml", None, (2, "the fields of a chip type")),
        ("tokens create x --role viewer --tenant nope", UNKNOWN_TENANT, (3, "there is no tenant nope")),
        ("show fisrt", None, (3, "there is no job `fisrt`; did you mean `first`?")),
        ("show zzzzzzzzzzzzzzzz", None, (3, "there is no job `zzzzzzzzzzzzzzzz`")),
        ("cancel first", Reply(403, a_problem(403, "forbidden", next="ask an admin")), (4, "next: ask an admin")),
        ("cancel first", Reply(409, a_problem(409, "attempt-closed")), (5, "request: req-1")),
        ("cancel first", Reply(500, a_problem(500, "internal-error")), (6, "the detail of internal-error")),
        ("cancel first", Reply(is_dropped=True), (6, "does not answer")),
    ],
)
def test_errors_have_their_exit_code_and_say_what_to_do(
    server: ScriptedServer, tmp_path: Path, line: str, reply: Reply | None, want: tuple[int, str]
) -> None:
    if "isrt" in line or "zzz" in line:
        server.on("GET /v1/jobs", _items(), _items(a_job()))
    if reply:
        server.on(f"POST /v1/jobs/{JOB_ID}/cancel", reply)
        server.on("POST /v1/tokens", reply)
    ended = run_medley(*line.split(), environment=logged_in(server, tmp_path))
    assert (ended.returncode, ended.stdout) == (want[0], "")
    assert want[1] in ended.stderr
    assert "Traceback" not in ended.stderr


def test_who_is_not_logged_in_is_told_the_next_command(tmp_path: Path) -> None:
    ended = run_medley("ls", environment={"HOME": str(tmp_path)})
    assert ended.returncode == 4
    assert ended.stderr.splitlines()[1].strip().startswith("next: medley login ADDRESS")


@pytest.mark.parametrize(
    ("end", "want"),
    [
        (SUCCEEDED, 0),
        (SUCCEEDED | {"state": "failed", "stop": {"reason": "lost", "text": "lost", "detail": None}}, 1),
        (SUCCEEDED | {"state": "cancelled"}, 1),
    ],
)
def test_waiting_ends_with_the_job_and_its_exit_code(
    server: ScriptedServer, tmp_path: Path, end: dict[str, object], want: int
) -> None:
    running = Reply(body=a_job(state="running"))
    server.on(f"GET /v1/jobs/{JOB_ID}", running, running, Reply(body=end))
    ended = run_medley("wait", "first", "-o", "json", environment=logged_in(server, tmp_path))
    assert (ended.returncode, json.loads(ended.stdout)) == (want, end)


def test_waiting_gives_up_in_time(server: ScriptedServer, tmp_path: Path) -> None:
    ended = run_medley("wait", "first", "--timeout", "0.2", environment=logged_in(server, tmp_path))
    assert ended.returncode == 124
    assert "first is still queued after 0.2 s" in ended.stderr
