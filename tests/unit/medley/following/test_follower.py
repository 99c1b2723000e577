import io

from medley.client import Client
from medley.following.follower import Follower
from medley.screens.following import FollowScreen
from tests.builders.command import (
    JOB_ID,
    TOKEN,
    Reply,
    ScriptedServer,
    a_job,
    a_report,
    a_scripted_server,
    a_worker,
    an_attempt,
    an_event,
)

JOB = f"/v1/jobs/{JOB_ID}"
WAITS = {"code": "too-few-free", "text": "needs 2 free mi300x; 1 is free"}
END = {"finished_at": "2026-01-01T00:01:05Z", "stop": None}


def _log(text: str, *, is_complete: bool = False) -> Reply:
    entries = [{"attempt": 1, "rank": 0, "text": text, "skipped_bytes": 0}] if text else []
    return Reply(body={"entries": entries, "next": "c", "is_complete": is_complete})


def _follow(server: ScriptedServer, screen: FollowScreen) -> dict[str, object]:
    # Three events in a row and the end of the stream: the follower looks at once, then by itself.
    server.on(f"GET {JOB}/events", Reply(stream=[an_event(number, "group-moved") for number in range(1, 4)]))
    with Client(server.address, TOKEN) as client:
        return Follower(client, screen, JOB_ID).follow()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _script_a_training(server: ScriptedServer) -> None:
    attempt, reports = [an_attempt()], [a_report(1, 5.5), a_report(30, 3.25), a_report(60, 2.3)]
    server.on(
        f"GET {JOB}",
        Reply(body=a_job(reasons=[WAITS])),
        Reply(body=a_job(state="placed", attempts=attempt)),
        Reply(body=a_job(state="running", attempts=attempt, progress=reports[1])),
        Reply(body=a_job(state="succeeded", attempts=attempt, progress=reports[2], **END)),
    )
    server.on(f"GET {JOB}/logs", _log(""), _log("hello\nwor"), _log("ld", is_complete=True))
    server.on(f"GET {JOB}/progress", Reply(body={"items": reports[:2]}), Reply(body={"items": reports}))


def test_a_job_is_followed_from_waiting_to_its_result() -> None:
    shown = io.StringIO()
    with a_scripted_server() as server:
        _script_a_training(server)
        assert _follow(server, FollowScreen(shown))["state"] == "succeeded"
    assert [line for line in shown.getvalue().splitlines() if line] == [
        "waits: needs 2 free mi300x; 1 is free",
        "Attempt 1 is placed:",
        "RANK  NODE            CHIP      DEVICES",
        "   0  mixed/nvidia-1  h100-sxm  0",
        "   1  mixed/amd-1     mi300x    4",
        "rank 0: mixed/nvidia-1, tightest fit in rack r1",
        "rank 1: mixed/amd-1, only node with a free mi300x",
        "running ...",
        "rank 0 | hello",
        "step    1/60   loss 5.5000   51,234 tokens/s",
        "step   30/60   loss 3.2500   51,234 tokens/s",
        "step   60/60   loss 2.3000   51,234 tokens/s",
        "rank 0 | world",
        "first succeeded after 1 min 5 s",
        "loss fell from 5.5000 to 2.3000 in steps 1 to 60 of 60",
        "     █▃▁",
        "Where its workers ran, and why there:",
        "RANK  NODE            CHIP      DEVICES  WORKER",
        "   0  mixed/nvidia-1  h100-sxm  0        running",
        "   1  mixed/amd-1     mi300x    4        running",
        "rank 0: mixed/nvidia-1, tightest fit in rack r1",
        "rank 1: mixed/amd-1, only node with a free mi300x",
    ]


def test_steps_that_the_reference_training_prints_itself_are_not_told_twice() -> None:
    shown = io.StringIO()
    with a_scripted_server() as server:
        _script_a_training(server)
        screen = FollowScreen(shown)
        screen.submitted(a_job())
        _follow(server, screen)
    assert "tokens/s" not in shown.getvalue()
    assert "loss fell from 5.5000 to 2.3000" in shown.getvalue()


def test_on_a_terminal_the_progress_is_one_line_that_moves() -> None:
    shown = _Terminal()
    with a_scripted_server() as server:
        _script_a_training(server)
        _follow(server, FollowScreen(shown))
    text = shown.getvalue()
    assert "\r\x1b[2Kstep   30/60" in text
    assert text.index("\r\x1b[2Kstep   60/60") < text.index("loss fell from 5.5000 to 2.3000")


def test_a_second_attempt_is_shown_as_the_first_was_and_its_loss_counts_alone() -> None:
    first, second = an_attempt(state="stopping"), an_attempt(number=2)
    shown = io.StringIO()
    stop = {"reason": "worker-failed", "text": "rank 1 ended with exit code 3", "detail": None}
    with a_scripted_server() as server:
        server.on(
            f"GET {JOB}",
            Reply(body=a_job(state="stopping", attempts=[first], progress=a_report(9, 3.0))),
            Reply(body=a_job(state="running", attempts=[first, second], progress=a_report(2, 5.0))),
            Reply(
                body=a_job(state="failed", attempts=[first, second], progress=a_report(4, 4.0), **END | {"stop": stop})
            ),
        )
        server.on(f"GET {JOB}/logs", _log("", is_complete=True))
        reports = [[a_report(9, 3.0)], [a_report(9, 3.0)], [a_report(2, 5.0)], [a_report(2, 5.0), a_report(4, 4.0)]]
        server.on(f"GET {JOB}/progress", *(Reply(body={"items": listed}) for listed in reports))
        assert _follow(server, FollowScreen(shown))["state"] == "failed"
        asked = [request.query["attempt"] for request in server.asked(f"GET {JOB}/progress")]
    assert asked == [["1"], ["1"], ["2"], ["2"], ["2"]]
    lines = shown.getvalue().splitlines()
    assert [line for line in lines if line.endswith("is placed:")] == ["Attempt 1 is placed:", "Attempt 2 is placed:"]
    at = lines.index("first failed after 1 min 5 s: rank 1 ended with exit code 3")
    assert lines[at : at + 2] == [
        "first failed after 1 min 5 s: rank 1 ended with exit code 3",
        "loss fell from 5.0000 to 4.0000 in steps 2 to 4 of 60",
    ]


def test_a_quick_failure_is_told_in_the_order_in_which_it_happened() -> None:
    failed = [a_worker(phase="exited", exit_code=7, end="exited")]
    attempt = an_attempt(state="failed", stop_reason="worker-failed", workers=failed)
    backing_off = {"code": "backing-off", "text": "1 attempt failed"}
    shown = io.StringIO()
    with a_scripted_server() as server:
        server.on(
            f"GET {JOB}",
            Reply(body=a_job(attempts=[attempt], reasons=[backing_off])),
            Reply(body=a_job(attempts=[attempt], reasons=[backing_off])),
            Reply(body=a_job(state="succeeded", attempts=[attempt, an_attempt(number=2)], **END)),
        )
        server.on(f"GET {JOB}/logs", _log("oh no\n", is_complete=True), _log("", is_complete=True))
        server.on(f"GET {JOB}/progress", Reply(body={"items": []}))
        _follow(server, FollowScreen(shown))
    lines = shown.getvalue().splitlines()
    told = ("is placed:", "oh no", "is over", "waits:", "first succeeded")
    assert [line for line in lines if any(words in line for words in told)] == [
        "Attempt 1 is placed:",
        "rank 0 | oh no",
        "attempt 1 is over: rank 0 ended with exit code 7",
        "waits: 1 attempt failed",
        "Attempt 2 is placed:",
        "first succeeded after 1 min 5 s",
    ]


def test_on_a_terminal_a_worker_cannot_move_the_cursor() -> None:
    shown = _Terminal()
    with a_scripted_server() as server:
        _script_a_training(server)
        server.on(f"GET {JOB}/logs", _log("\x1b[2Jgone\n", is_complete=True))
        _follow(server, FollowScreen(shown))
    assert "\x1b[2J" not in shown.getvalue()
    assert "rank 0 | ␛[2Jgone" in shown.getvalue()


def test_what_the_cluster_says_of_the_workers_is_shown_while_the_attempt_is_followed() -> None:
    shown = io.StringIO()
    attempt = an_attempt()
    told = [
        an_event(1, "workers-noted", text="worker 0: was bound to n1", data={"attempt": "another"}),
        an_event(2, "workers-noted", text="worker 1: Back-off pulling image", data={"attempt": attempt["id"]}),
    ]
    with a_scripted_server() as server:
        server.on(
            f"GET {JOB}",
            *[Reply(body=a_job(state="placed", attempts=[attempt]))] * 3,
            Reply(body=a_job(state="succeeded", attempts=[attempt], **END)),
        )
        server.on(f"GET {JOB}/logs", _log("", is_complete=True))
        server.on(f"GET {JOB}/progress", Reply(body={"items": []}))
        server.on(f"GET {JOB}/events", Reply(stream=told))
        with Client(server.address, TOKEN) as client:
            Follower(client, FollowScreen(shown), JOB_ID).follow()
    assert "worker 1: Back-off pulling image" in shown.getvalue().splitlines()
    assert "was bound to n1" not in shown.getvalue()
