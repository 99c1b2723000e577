"""Every process of several tells of itself at a port of its own."""

import re

from scheduler.adapters.telemetry.gauges import OF_THE_LEADER
from tests.builders.server import Api, ServerProcess
from tests.builders.telemetry import samples, scrape, value
from tests.integration.processes.conftest import Trio

DEVICES = {"cluster": "one", "chip": "t4", "condition": "usable"}
LOOPS = {"api": "following", "scheduler": "deciding"}


def page_of(process: ServerProcess) -> str:
    found = re.findall(r"the metrics are at http://127\.0\.0\.1:(\d+)/metrics", process.log.read_text())
    status, page = scrape(int(found[-1]))
    assert status == 200
    return page


def test_each_role_tells_what_it_does_and_only_the_scheduler_leads(trio: Trio) -> None:
    with Api(trio.second.address, trio.token()) as api:
        api.want(200, "GET", "/v1/usage")
        api.want(200, "GET", "/v1/utilisation/series")
    api_page, scheduler_page = page_of(trio.second), page_of(trio.scheduler)
    for page, role in ((api_page, "api"), (scheduler_page, "scheduler")):
        assert value(page, "medley_loop_failures", {"loop": LOOPS[role]}) == 0
        assert (value(page, "medley_follower_change") or 0) >= 1
    assert value(scheduler_page, "medley_devices", DEVICES) == 4
    assert not {name for name, _ in samples(api_page)} & set(OF_THE_LEADER)
    assert (value(scheduler_page, "medley_leader_epoch") or 0) >= 1
    asked = {"operation": "show_usage", "status": "200"}
    assert (value(api_page, "medley_http_requests_total", asked) or 0) >= 1
    assert value(scheduler_page, "medley_http_requests_total", asked) is None
    assert value(api_page, "medley_watch_lag_seconds", {"cluster": "one"}) is None
    assert value(scheduler_page, "medley_watch_lag_seconds", {"cluster": "one"}) == 0
