"""What happens is seen without asking again; what may be old says so."""

import time
from pathlib import Path

import pytest

from tests.browser.scene import WAIT, Scene
from tests.browser.visit import OpenPage
from tests.builders.eventually import eventually
from tests.builders.server import Api, ServerProcess

SEEN_WITHIN_S = 5.0
"""Of an event, on a machine that does other things as well; 2 s is what people are promised."""


def row_text(name: str) -> str:
    return f"[...document.querySelectorAll('tr')].find((row) => row.innerText.includes('{name}'))?.innerText ?? ''"


def test_a_job_that_somebody_else_submits_appears_and_moves_by_itself(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["operator"], screen="jobs")
    visit.see("detector-large")
    visit.page.locator(".stream-live").wait_for()
    began = time.monotonic()
    scene.submit("language", {"name": "newcomer", "chips": "mlu590", "workers": 1})
    visit.until(f"{row_text('newcomer')}.includes('running')")
    assert time.monotonic() - began < SEEN_WITHIN_S
    with Api(scene.address, scene.tokens["language"]) as api:
        api.want(200, "POST", f"/v1/jobs/{scene.jobs['newcomer']}/cancel")
    visit.until(f"{row_text('newcomer')}.includes('cancelled')")


def test_chosen_jobs_are_cancelled_together_after_a_question(scene: Scene, open_page: OpenPage) -> None:
    for number in range(3):
        scene.submit("vision", {"name": f"bulk-{number}", "chips": "h100-sxm", "workers": 1, "devices_per_worker": 8})
    visit = open_page(scene.address, scene.tokens["vision"], screen="jobs?q=bulk-")
    visit.see("3 of")
    visit.page.get_by_label("choose all that are listed").check()
    visit.page.get_by_role("button", name="Cancel 3").click()
    dialog = visit.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Keep them").click()
    assert scene.state("bulk-1") == "queued"
    visit.page.get_by_label("choose all that are listed").check()
    visit.page.get_by_role("button", name="Cancel 3").click()
    dialog.get_by_role("button", name="Cancel them").click()
    dialog.get_by_text("3 of 3 asked to stop").wait_for()
    dialog.get_by_role("button", name="Close").click()
    eventually(lambda: scene.state("bulk-2") == "cancelled", within_s=60)
    visit.until(f"{row_text('bulk-0')}.includes('cancelled')")


def test_chosen_jobs_get_another_priority_and_who_looks_on_sees_it(scene: Scene, open_page: OpenPage) -> None:
    for number in range(2):
        scene.submit("vision", {"name": f"later-{number}", "chips": "h100-sxm", "workers": 2, "devices_per_worker": 8})
    others = open_page(scene.address, scene.tokens["operator"], screen="jobs?q=later-")
    visit = open_page(scene.address, scene.tokens["vision"], screen="jobs?q=later-")
    visit.see("2 of")
    visit.page.get_by_label("choose all that are listed").check()
    visit.page.get_by_role("button", name="Priority …").click()
    dialog = visit.page.get_by_role("dialog")
    dialog.get_by_label("priority").fill("-7")
    dialog.get_by_label("priority").press("Enter")
    dialog.get_by_text("2 of 2 done").wait_for()
    dialog.get_by_role("button", name="Close").click()
    for name in ("later-0", "later-1"):
        others.until(f"{row_text(name)}.includes('-7')")
    one = open_page(scene.address, scene.tokens["vision"], screen=f"jobs/{scene.jobs['later-0']}")
    one.page.get_by_role("button", name="Priority …").click()
    assert one.page.get_by_role("dialog").get_by_label("priority").input_value() == "-7"
    one.page.get_by_role("dialog").get_by_label("priority").fill("-8")
    one.page.get_by_role("dialog").get_by_role("button", name="Change it").click()
    one.page.get_by_role("dialog").get_by_role("button", name="Close").click()
    one.until("document.querySelector('.figures').innerText.includes('-8')")
    with Api(scene.address, scene.tokens["vision"]) as api:
        api.want(200, "POST", "/v1/jobs/cancel", {"jobs": [scene.jobs["later-0"], scene.jobs["later-1"]]})


def test_what_cannot_be_cancelled_is_named_and_keeps_nobody_else(scene: Scene, open_page: OpenPage) -> None:
    job = scene.submit("vision", {"name": "doomed", "chips": "h100-sxm", "workers": 2, "devices_per_worker": 8})
    visit = open_page(scene.address, scene.tokens["vision"])
    script = "module.cancelJobs(argument, () => {}).then((failed) => failed.map(({id, error}) => [id, error.message]))"
    missing = ["0" * 16, "There is no such job any more."]
    assert visit.module("data/jobs.js", script, ["0" * 16, job]) == [missing]
    assert scene.state("doomed") == "cancelled"
    visit.errors.clear()


def test_a_server_is_as_one_of_its_replicas_runs_and_shows_all_of_them(scene: Scene, open_page: OpenPage) -> None:
    body = {"name": "chat", "kind": "inference", "replicas": 2, "chips": "mlu590", "workers": 1, "memory_mib": 256}
    job = scene.submit("language", body)
    listed = open_page(scene.address, scene.tokens["language"], screen="jobs?q=chat")
    listed.until(f"{row_text('chat')}.includes('2 of 2 replicas ready')")
    shown = open_page(scene.address, scene.tokens["language"], screen=f"jobs/{job}")
    shown.see("2 of 2 replicas ready")
    shown.see("127.0.0.1:")
    with Api(scene.address, scene.tokens["language"]) as api:
        api.want(200, "PATCH", f"/v1/jobs/{job}/replicas", {"replicas": 1})
        listed.until(f"{row_text('chat')}.includes('1 of 1 replica ready')")
        assert "running" in str(listed.page.evaluate(row_text("chat")))
        shown.see("1 of 1 replica ready")
        api.want(200, "POST", f"/v1/jobs/{job}/cancel")
    listed.until(f"{row_text('chat')}.includes('cancelled')")


@pytest.fixture
def own_server(tmp_path: Path, scene: Scene) -> ServerProcess:
    """A server that a test may stop, with one job that waits."""
    server = ServerProcess(tmp_path / "data", scene.server.inventory)
    server.start()
    with Api(server.address, server.tenant("demo")) as api:
        body = {"name": "patient", "chips": "h100-sxm", "workers": 1024, "command": WAIT}
        assert api.call("POST", "/v1/jobs", body).status == 201
    return server


def test_a_lost_server_is_told_and_found_again(own_server: ServerProcess, open_page: OpenPage) -> None:
    server = own_server
    try:
        visit = open_page(server.address, server.operator_token, screen="jobs")
        visit.see("patient")
        visit.page.locator(".stream-live").wait_for()
        server.kill()
        banner = visit.page.locator(".banner")
        banner.wait_for()
        assert "Not live" in banner.inner_text()
        visit.page.locator(".stale").wait_for()
        visit.see("patient")
        server.start()
        with server.operator() as operator, Api(server.address, server.tenant("demo")) as api:
            job = operator.want(200, "GET", "/v1/jobs/rows")["items"][0]["id"]
            api.want(200, "POST", f"/v1/jobs/{job}/cancel")
        visit.page.locator(".stream-live").wait_for(timeout=40_000)
        banner.wait_for(state="detached")
        visit.until(f"{row_text('patient')}.match('cancelled|failed')")
        resumed = [one for one in visit.requests if "/v1/events" in one.url][-1]
        assert int(resumed.headers["last-event-id"]) > 0, "it goes on after the last event it had"
        assert all("ERR_" in error or "503" in error for error in visit.errors), visit.errors
        visit.errors.clear()
    finally:
        server.stop()


def test_output_and_events_of_a_job_go_on_after_the_server_was_away(
    own_server: ServerProcess, open_page: OpenPage, tmp_path: Path
) -> None:
    server = own_server
    flag = tmp_path / "go"
    try:
        with Api(server.address, server.tenant("demo")) as api:
            words = ["sh", "-c", "echo before; while ! [ -e $0 ]; do sleep 0.2; done; echo after", str(flag)]
            body = {"name": "printer", "chips": "mlu590", "workers": 1, "command": words}
            job = api.want(201, "POST", "/v1/jobs", body)["id"]
        logs = open_page(server.address, server.operator_token, screen=f"jobs/{job}?tab=logs")
        events = open_page(server.address, server.operator_token, screen=f"jobs/{job}?tab=events")
        logs.see("before")
        events.see("all its workers run")
        server.kill()
        logs.page.get_by_role("alert").first.wait_for()
        server.start()
        flag.touch()
        logs.see("after")
        logs.see("all there is")
        events.see("it succeeded")
        for visit in (logs, events):
            assert all("ERR_" in error or "503" in error for error in visit.errors), visit.errors
            visit.errors.clear()
    finally:
        server.stop()


def test_an_operator_drains_a_node_and_takes_it_into_use_again(scene: Scene, open_page: OpenPage) -> None:
    others = open_page(scene.address, scene.tokens["search"], screen="nodes/mixed/cambricon-1")
    visit = open_page(scene.address, scene.tokens["operator"], screen="nodes/mixed/cambricon-1")
    visit.page.get_by_label("why").fill("a fan is to be <b>replaced</b>")
    visit.page.get_by_role("button", name="Drain").click()
    visit.see("Drained by token:operator")
    others.see(": a fan is to be <b>replaced</b>. What runs here goes on; nothing new is placed.")
    assert others.page.get_by_role("button", name="Take it into use again").count() == 0
    visit.page.get_by_role("button", name="Take it into use again").click()
    visit.page.get_by_role("button", name="Drain").wait_for()
    others.until("!document.body.innerText.includes('Drained by')")
