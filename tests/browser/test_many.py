"""1,024 nodes and 20,000 jobs: what is seen is quick, and the page draws no more than is in sight.

The bounds leave room, and grow on a machine that does other things as well; figures are in docs/dashboard.md.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from scheduler.core.model.tenant import Role
from tests.browser.many import ARRAY, JOBS, MEMBERS, NODES, job_id, open_many
from tests.browser.visit import OpenPage, Visit
from tests.builders.api import ApiWorld, serve
from tests.builders.pace import slowness

FIRST_PAINT_S = 4.0
FIRST_ROWS_S = 12.0
ALL_ROWS_S = 45.0
UPDATE_S = 10.0
DRAW_S = 8.0
MOST_DRAWN = 120


class Place:
    """Where the many are served."""

    def __init__(self, world: ApiWorld, address: str) -> None:
        self.world = world
        self.address = address
        self.token = world.token(Role.OPERATOR)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with open_many(tmp_path_factory.mktemp("many")) as world, serve(world.app) as address:
        yield Place(world, address)
        world.context.ending.set()


def within(visit: Visit, seconds: float, condition: str, act: Callable[[], object] | None = None) -> float:
    """Do something, then wait for a condition of the page; return how long both took, at most `seconds` (quiet)."""
    pace = slowness()
    began = time.monotonic()
    if act is not None:
        act()
    visit.until(condition, seconds * pace)
    return round(time.monotonic() - began, 2)


def first_paint_s(visit: Visit) -> float:
    """Return when the page first showed something, from its beginning, which must not be too late."""
    script = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 1e9"
    seconds = round(visit.page.evaluate(script) / 1000, 2)
    assert seconds < FIRST_PAINT_S * slowness()
    return float(seconds)


def drawn(visit: Visit) -> int:
    """Return how many rows there really are."""
    return visit.page.locator(".long-table tbody tr[data-index]").count()


def test_a_table_of_20_000_jobs(place: Place, open_page: OpenPage) -> None:
    visit = open_page(place.address, place.token, screen="jobs?sort=age&arrays=each")
    page, find = visit.page, visit.page.get_by_label("find")
    head, first = (
        "document.querySelector('.table-head').innerText",
        "document.querySelector('tr[data-index=\"0\"]')?.innerText",
    )
    figures = {"first rows": within(visit, FIRST_ROWS_S, "document.querySelectorAll('tr[data-index]').length > 10")}
    figures["all rows"] = within(visit, ALL_ROWS_S, f"{head}.includes('20,000 jobs') && !{head}.includes('loading')")
    figures["first paint"] = first_paint_s(visit)
    assert drawn(visit) < MOST_DRAWN
    assert page.locator("table").get_attribute("aria-rowcount") == str(JOBS + 1)

    figures["filter"] = within(visit, DRAW_S, f"{head}.startsWith('11 of 20,000')", lambda: find.fill("job-1999"))
    find.fill("")
    group = page.get_by_label("group by")
    by_state = f"{first}.includes('queued 4,000 jobs, 32,000 devices')"
    figures["group"] = within(visit, DRAW_S, by_state, lambda: group.select_option("state"))
    assert page.locator("table").get_attribute("aria-rowcount") == str(JOBS + 1 + 5)
    assert drawn(visit) < MOST_DRAWN
    group.select_option("")
    by_name = page.get_by_role("button", name="name", exact=True)
    figures["sort"] = within(visit, DRAW_S, f"{first}.includes('job-0')", by_name.click)
    page.get_by_role("link", name="job-0", exact=True).focus()
    is_there = "document.activeElement.innerText === 'sweep-9999'"
    figures["end"] = within(visit, DRAW_S, is_there, lambda: page.keyboard.press("End"))
    assert drawn(visit) < MOST_DRAWN

    find.fill("job-19999")
    visit.see("1 of 20,000")
    operator = place.world.client(Role.OPERATOR)
    cancel = partial(operator.post, f"/v1/jobs/{job_id(JOBS - 1)}/cancel")
    figures["update"] = within(visit, UPDATE_S, f"{first}.includes('cancelled')", cancel)
    say("20,000 jobs", figures)


def test_an_array_of_10_000_jobs_is_one_line_that_opens(place: Place, open_page: OpenPage) -> None:
    visit = open_page(place.address, place.token, screen="jobs?sort=-name")
    page, find = visit.page, visit.page.get_by_label("find")
    head, first = (
        "(document.querySelector('.table-head')?.innerText ?? '')",
        "(document.querySelector('tr[data-index=\"0\"]')?.innerText ?? '')",
    )
    visit.until(f"{head}.includes('20,000 jobs in 10,001 lines') && !{head}.includes('loading')", ALL_ROWS_S)
    visit.until(f"{first}.includes('sweep[0-9999]')")
    visit.see("10,000 jobs: 3,000 queued, 1,000 running, 2,000 succeeded, 2,000 failed, 2,000 cancelled")
    assert page.locator("table").get_attribute("aria-rowcount") == str(JOBS - len(MEMBERS) + 2)

    group = page.get_by_label("group by")
    is_grouped = f"{first}.includes('beta 5,000 jobs, 40,000 devices')"
    figures = {"group": within(visit, DRAW_S, is_grouped, lambda: group.select_option("tenant"))}
    group.select_option("")
    visit.until(f"{first}.includes('sweep[0-9999]')")
    opened = f"{head}.startsWith('10,000 of 20,000 jobs') && {first}.includes('sweep-9999')"
    figures["open"] = within(visit, DRAW_S, opened, page.get_by_role("link", name="sweep[0-9999]").click)
    assert drawn(visit) < MOST_DRAWN
    assert page.url.endswith(f"#/jobs?sort=-name&array={ARRAY}")
    visit.see("(3,000 queued, 1,000 running, 2,000 succeeded, 2,000 failed, 2,000 cancelled), all jobs")
    page.get_by_role("link", name="all jobs").click()
    visit.until(f"{head}.includes('10,001 lines')")

    find.fill("sweep-9998")
    visit.see("10,000 jobs (1 listed): ")
    page.get_by_label("choose sweep[9998]").check()
    page.get_by_role("button", name="Cancel 1").click()
    page.get_by_role("button", name="Cancel the job").click()
    page.get_by_role("button", name="Close").click()
    changed = f"{first}.includes('2,999 queued') && {first}.includes('2,001 cancelled')"
    figures["update"] = within(visit, UPDATE_S, changed)
    page.get_by_label("arrays").select_option("each")
    visit.until(f"{first}.includes('sweep-9998')")
    say("an array of 10,000", figures)


def test_a_grid_of_1024_nodes_with_8192_devices(place: Place, open_page: OpenPage) -> None:
    visit = open_page(place.address, place.token, screen="nodes")
    figures = {"all nodes": within(visit, ALL_ROWS_S, f"document.querySelectorAll('a.node').length === {NODES}")}
    figures["first paint"] = first_paint_s(visit)
    assert visit.page.locator("i.device").count() < NODES * 8, "devices out of sight are not drawn"
    visit.page.locator("a.node[tabindex='0']").focus()
    last = "document.activeElement.dataset.node === 'mixed/n1023'"
    figures["end"] = within(visit, DRAW_S, last, lambda: visit.page.keyboard.press("End"))
    visit.page.locator("a.node[data-node='mixed/n1023'] i.device").first.wait_for()
    colour = visit.page.get_by_label("colour", exact=True)
    is_coloured = "document.querySelectorAll('.device-tenant-0').length > 8"
    figures["colour"] = within(visit, DRAW_S, is_coloured, lambda: colour.select_option("tenant"))
    say("1,024 nodes", figures)


def say(what: str, figures: dict[str, float]) -> None:
    """Print figures for whoever runs it with -s; docs/dashboard.md has those of a quiet machine."""
    print(f"\n{what}, in seconds: {figures}")  # noqa: T201
