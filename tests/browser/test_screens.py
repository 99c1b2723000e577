"""What people do on the screens, on a server with work on it."""

import re
from datetime import UTC, datetime, timedelta

import yaml
from playwright.sync_api import Route

from scheduler.services.access.grant_access import MOST_DAYS, USUAL_DAYS
from tests.browser.scene import Scene
from tests.browser.visit import LAPTOP, PHONE, OpenPage, Visit
from tests.builders.eventually import eventually
from tests.builders.server import Api


def table(visit: Visit, name: str) -> list[list[str]]:
    """Return the texts of a table's rows, by the table's name."""
    rows = visit.page.get_by_role("region", name=name, exact=True).locator("tbody tr:not([aria-hidden])")
    rows.first.wait_for()
    return [row.locator("td").all_inner_texts() for row in rows.all()]


def by_name(visit: Visit, name: str) -> dict[str, list[str]]:
    """Return the texts of a table's rows by their first cell."""
    return {row[0]: row for row in table(visit, name)}


def measured(visit: Visit) -> dict[str, list[str]] | None:
    """Return the table of chip types once it says how many devices were busy."""
    chips = by_name(visit, "Chip types")
    return chips if chips["h100-sxm"][6].isdigit() else None


def test_the_overview_says_what_there_is_and_who_waits(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["operator"])
    pools = by_name(visit, "Pools")
    assert pools["mixed/h100-sxm-81920-x8"][1:7] == ["80 GiB", "4", "32", "16", "16", "0"]
    chips = eventually(lambda: measured(visit), within_s=60, what="somebody measured what works")
    assert chips["h100-sxm"][1:5] == ["32", "16", "16", "1"]
    states = {row[0]: row[1] for row in table(visit, "Jobs by state")}
    assert states["queued"] == "2"
    assert int(states["failed"]) >= 1
    visit.see("on 40 nodes")
    visit.see("this process leads, epoch ")
    assert all(row[0].endswith("ago") and row[3] for row in table(visit, "What happened last"))


def test_utilisation_over_time_is_drawn_from_what_the_server_kept(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["operator"])
    chart = visit.page.get_by_role("img", name="Devices held of all over time")
    for span, of in (("1 hour", "60"), ("1 day", "3600"), ("30 days", "86400")):
        visit.page.get_by_label("range").select_option(label=span)
        visit.page.get_by_label("step").select_option(value=of)
        chart.wait_for()
    visit.see("idle but held")
    visit.see("Held last: ")
    visit.page.get_by_label("by", exact=True).select_option("tenant")
    visit.page.get_by_label("tenant", exact=True).select_option("vision")
    visit.page.get_by_role("img", name="Devices held of vision over time").wait_for()
    visit.page.get_by_label("by", exact=True).select_option("chip")
    visit.page.get_by_label("chip", exact=True).select_option("mi300x")
    visit.page.get_by_role("img", name="Devices held of mi300x over time").wait_for()
    assert visit.page.get_by_role("alert").count() == 0


def test_the_chart_of_a_young_server_begins_with_an_hour_and_says_so(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["operator"], screen="admin")
    now = datetime.now(UTC)
    times = [(now - timedelta(minutes=minutes)).isoformat() for minutes in range(90, 0, -5)]
    young = [None if place < 14 else 4.0 for place in range(len(times))]
    line = {"name": "mixed/h100-sxm", "capacity": young, "allocated": young}
    asked = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(json={"times": times, "series": [line]})

    visit.page.route("**/v1/utilisation/series*by=pool*", answer)
    visit.go("overview")
    visit.see("This server has measured for 20 min: the range shown is 1 hour, not a day.")
    assert visit.page.get_by_label("range").input_value() == "3600"
    assert ["step=300" in url for url in asked[:2]] == [True, False], "a day, then the hour of it"
    visit.page.get_by_label("range").select_option("86400")
    visit.until("!document.body.innerText.includes('This server has measured')")


def test_where_nothing_was_measured_a_chart_says_so_instead_of_being_empty(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["operator"])
    nothing = {"times": ["2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"], "series": []}
    visit.page.route("**/v1/utilisation/series*", lambda route: route.fulfill(json=nothing))
    visit.page.reload()
    visit.see("Nothing was measured in this time.")
    assert visit.page.get_by_role("img", name="over time").count() == 0


def test_without_series_of_the_server_a_chart_shows_what_the_page_itself_saw(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["operator"])
    seen = [{"at": at, "use": {"pools": [{"name": "a", "devices": 8, "devices_held": at}]}} for at in (1, 2)]
    series = visit.module("data/series.js", "module.fromSamples(argument, 'pool')", seen)
    assert (series["origin"], series["lines"][0]["allocated"], series["lines"][0]["capacity"]) == (
        "page",
        [1, 2],
        [8, 8],
    )
    assert series["lines"][0]["busy"] == [None, None], "what nobody measured is not drawn"


def test_jobs_can_be_narrowed_sorted_and_found_again_by_the_address(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["operator"], screen="jobs")
    visit.page.get_by_label("state").select_option("queued")
    assert {row[1] for row in table(visit, "Jobs")} == {"detector-large", "sweep"}
    visit.page.get_by_role("button", name="priority", exact=True).click()
    visit.page.get_by_role("button", name="priority", exact=True).click()
    assert [row[1] for row in table(visit, "Jobs")] == ["sweep", "detector-large"]
    assert visit.page.url.endswith("#/jobs?state=queued&sort=-priority")
    visit.page.reload()
    assert [row[1] for row in table(visit, "Jobs")] == ["sweep", "detector-large"]
    visit.page.get_by_label("find").fill("swe")
    visit.see("1 of ")
    visit.page.get_by_label("find").fill("nothing like it")
    visit.see("No job meets these filters.")


def test_jobs_stand_in_groups_whose_heads_count_choose_and_narrow(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["operator"], screen="jobs?sort=-priority&state=queued")
    visit.page.get_by_label("group by").select_option("tenant")
    heads = visit.page.locator("tr.group-head")
    visit.until("document.querySelectorAll('tr.group-head').length > 0")
    told = heads.locator("td.group-text").all_inner_texts()
    assert told == sorted(told)
    assert any(text.startswith("vision 1 job, 32 devices: 1 queued") for text in told)
    visit.page.get_by_label("choose all of vision").check()
    assert visit.page.get_by_label("choose detector-large").is_checked()
    visit.page.get_by_role("button", name="Cancel 1 …").wait_for()
    heads.get_by_role("link", name="vision").focus()
    visit.page.keyboard.press("ArrowDown")
    visit.until("document.activeElement.innerText === 'detector-large'")
    visit.page.keyboard.press("ArrowUp")
    visit.page.keyboard.press("Enter")
    visit.until("location.hash === '#/jobs?sort=-priority&state=queued&tenant=vision'")
    assert [row[1] for row in table(visit, "Jobs")] == ["detector-large"]


def test_the_columns_of_jobs_are_the_readers_choice_and_stay_in_the_address(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["vision"], screen="jobs", size=LAPTOP)
    titles = visit.page.locator(".long-table thead th:visible")
    menu = visit.page.locator("summary", has_text="columns")
    visit.see("detector-large")
    assert "priority" not in titles.all_inner_texts(), "a narrow window does without it"
    menu.focus()
    visit.page.keyboard.press("Enter")
    for column in ("chips", "workers", "devices", "submitted by", "id"):
        visit.page.get_by_role("group", name="Columns to show").get_by_label(column, exact=True).click()
    visit.page.keyboard.press("Escape")
    visit.page.get_by_role("group", name="Columns to show").wait_for(state="detached")
    assert visit.page.evaluate("document.activeElement.innerText") == "columns"
    wanted = ["name", "id", "tenant", "state", "priority", "submitted ▲", "how it fares"]
    visit.page.reload()
    visit.see(scene.jobs["detector-large"])
    shown = [text.strip() for text in titles.all_inner_texts() if text.strip()]
    assert [text for text in shown if text != "tenant"] == [text for text in wanted if text != "tenant"]
    visit.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    name = visit.page.get_by_role("link", name="detector-large").bounding_box()
    assert name is not None
    assert name["width"] > 80, "there is room for names, the others are reached by scrolling"
    menu.click()
    visit.page.get_by_role("button", name="the usual ones").click()
    visit.until("location.hash === '#/jobs'")


def test_a_job_that_waits_says_why_with_numbers(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["vision"], screen="jobs")
    visit.page.get_by_role("link", name="detector-large").click()
    visit.see("16 are held")
    visit.see("What helps:")
    visit.see("No attempt yet")
    assert "a retry would" not in visit.page.inner_text("main"), "nothing of it ran that could be tried again"


def test_a_job_that_runs_says_where_each_rank_is(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["vision"], screen=f"jobs/{scene.jobs['detector']}")
    ranks = table(visit, "Ranks")
    assert [row[0] for row in ranks] == ["0", "1"]
    assert all(row[3:5] == ["h100-sxm", "0-7"] for row in ranks)
    assert "tightest fit" in ranks[0][6]
    visit.page.get_by_role("region", name="Ranks", exact=True).get_by_role("link", name=ranks[0][2]).first.click()
    visit.page.get_by_role("heading", name=ranks[0][2].partition("/")[2], exact=True).wait_for()
    visit.page.get_by_role("region", name="Devices").get_by_role("link", name="detector").first.wait_for()
    assert [row[3] for row in table(visit, "Devices")] == ["detector"] * 8


def test_a_training_shows_its_curve_and_its_output(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["search"], screen=f"jobs/{scene.jobs['training']}?tab=curve")
    said = re.search(r"in steps (\d+) to 300 of 300", visit.see("to 300 of 300").inner_text())
    assert said is not None
    first = int(said[1])  # progress comes with heartbeats: how early the first depends on how fast it trains
    assert first < 300
    chart = visit.page.get_by_role("img", name="loss by step")
    chart.focus()
    visit.page.keyboard.press("Home")
    visit.see(f"step {first}")
    assert len(chart.locator("path.line").get_attribute("d") or "") > 20
    visit.page.get_by_role("tab", name="Logs").click()
    visit.see("step 300/300")
    visit.see("all there is")
    visit.page.get_by_label("rank").select_option("1")
    shown = "(document.querySelector('.logs')?.innerText ?? '')"
    visit.until(f"{shown}.includes('rank 1 of 2') && !{shown}.includes('rank 0 of 2')")
    visit.page.get_by_role("tab", name="Events").click()
    visit.see("it succeeded")
    visit.page.get_by_role("tab", name="Specification").click()
    spec = visit.page.locator("pre.spec").inner_text()
    with Api(scene.address, scene.tokens["search"]) as api:
        api.want(200, "POST", "/v1/jobs/dry-run", yaml.safe_load(spec))
    assert yaml.safe_load(spec)["chips"] == {"metax-c500": 1, "ascend-910b2": 1}
    assert "null" not in spec
    visit.page.get_by_role("button", name="copy the specification").wait_for()


def test_nodes_show_every_device_and_who_holds_it(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["operator"], screen="nodes")
    link = visit.page.get_by_role("link", name="mixed/nvidia-1, ready: 8 h100-sxm, 8 held, 0 free")
    link.wait_for()
    link.locator(".device").nth(3).hover()
    visit.see("device 3, h100-sxm: held by detector of vision")
    shared = visit.page.get_by_role("link", name="1 shared").locator(".device").first
    shared.hover()
    visit.see("50 % by half-a-device of search")
    visit.page.get_by_label("find").fill("tokeniser")
    visit.until("document.querySelectorAll('a.node').length === 1")
    visit.page.get_by_label("find").fill("")
    visit.page.get_by_label("by", exact=True).select_option("rack")
    visit.page.get_by_role("heading", name="mixed / amd-r1").wait_for()
    visit.page.get_by_label("colour", exact=True).select_option("tenant")
    visit.page.get_by_role("list", name="what the colours mean").get_by_text("language").wait_for()
    visit.page.get_by_label("colour", exact=True).select_option("work")
    visit.page.get_by_role("list", name="what the colours mean").get_by_text("held, reports nothing").wait_for()
    sleepers = visit.page.locator("a.node[data-node='mixed/nvidia-1'] .device-work-unreported")
    sleepers.nth(7).wait_for()


def test_another_tenants_jobs_stay_hidden_on_nodes(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["search"], screen="nodes")
    visit.page.get_by_role("link", name="mixed/nvidia-1, ready").locator(".device").first.hover()
    visit.see("held by a job of vision")
    assert scene.jobs["detector"] not in visit.page.content()


def test_shares_show_quota_use_and_who_waits(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["operator"], screen="queues")
    visit.see("The queue")
    visit.until("document.body.innerText.includes('2 waiting')")
    shares = {(row[0], row[1]): row for row in table(visit, "Tenants' shares")}
    assert shares["vision", "h100-sxm"][2:4] == ["16", "16"]
    assert shares["vision", "h100-sxm"][5:7] == ["1", "32"]
    assert shares["search", "a800-sxm-80"][3] == "no limit"
    queue = table(visit, "The queue")
    assert [row[1] for row in queue] == ["sweep", "detector-large"]
    assert all(row[5].split()[1] in ("s", "min") and "ago" not in row[5] for row in queue), (
        "it waits, it did not happen"
    )


def test_queues_show_what_they_are_due_held_lately_and_where_that_puts_them(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["operator"], screen="queues")
    rows = by_name(visit, "What queues are due and have")
    assert {"vision", "language", "search"} <= set(rows)
    name, due, _, recent, chip, by_due, *_ = rows["search"]
    assert (name, chip) == ("search", "a800-sxm-80")
    assert due == f"{100 / len(rows):.0f} %", "all weigh the same, those too that another test made"
    assert int(recent.split()[0]) > 33, "it held much of these lately, and half of one now"
    assert float(by_due.split()[0]) > 1
    assert all(0 < float(rows[tenant][5].split()[0]) < 1 for tenant in ("vision", "language"))
    bars = visit.page.get_by_role("region", name="What queues are due and have").get_by_role("img")
    said = [str(bar.get_attribute("aria-label")) for bar in bars.all()]
    (of_search,) = (text for text in said if "a800-sxm-80" in text)
    assert of_search.startswith(f"{by_due.strip()} what it is due, over it; of a800-sxm-80: recent {recent}")
    assert sum("under it" in text for text in said if "mi300x" in text or "h100-sxm" in text) == 2
    widths = {bar.get_attribute("title"): bar.locator(".use-over").bounding_box() for bar in bars.all()}
    over = [text for text, box in widths.items() if box is not None and box["width"] > 1]
    assert over == [of_search], "beyond the line is only who has more than it is due"
    visit.see("counts half after 7 d")


def test_shares_over_time_are_stacked_and_against_a_quota(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["operator"], screen="queues")
    visit.page.get_by_role("img", name="Devices held by each tenant over time").wait_for()
    assert visit.page.locator("[class^='look-tenant-'] path.area").count() >= 3
    visit.page.get_by_label("tenant", exact=True).select_option("vision")
    visit.page.get_by_label("chip", exact=True).select_option("h100-sxm")
    chart = visit.page.get_by_role("img", name="Devices held of vision, h100-sxm over time")
    chart.wait_for()
    legend = chart.locator("xpath=..").locator(".legend li", has_text="quota now")
    assert legend.inner_text().split() == ["quota", "now", "16"]
    visit.page.get_by_label("range").select_option(label="1 hour")
    visit.see("Device-hours, last 1 hour")
    visit.until("!document.body.innerText.includes('loading …')")
    hours = {row[0]: float(row[1]) for row in table(visit, "Device-hours")}
    assert 0 < hours["vision"] <= 16
    visit.page.get_by_label("by", exact=True).select_option("chip")
    visit.until("document.querySelector('[aria-label=Device-hours] thead')?.innerText.includes('chip')")
    assert ["vision", "h100-sxm"] in [row[:2] for row in table(visit, "Device-hours")]


def test_a_tenant_sees_its_own_share_over_time_and_nobody_elses(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["search"], screen="queues")
    visit.page.get_by_role("img", name="Devices held of search over time").wait_for()
    assert visit.page.get_by_label("tenant", exact=True).count() == 0
    assert {row[0] for row in table(visit, "Device-hours")} == {"search"}
    visit.see("device-hours in all of your tenant")


def test_an_operator_makes_a_tenant_a_quota_and_a_token_and_revokes_it(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["operator"], screen="admin")
    form = visit.page.get_by_role("form", name="A new tenant")
    form.get_by_label("name").fill("Not A Name")
    form.get_by_role("button", name="Create").click()
    visit.see("must have lower-case letters")
    assert all("422" in error for error in visit.errors)
    visit.errors.clear()
    form.get_by_label("name").fill("robotics")
    form.get_by_role("button", name="Create").click()
    visit.page.get_by_role("link", name="quotas of robotics").click()
    quota = visit.page.get_by_role("form", name="Limit a chip type")
    visit.see("robotics may use all there is")
    quota.get_by_label("chip").select_option("mi300x")
    quota.get_by_label("devices").fill("12")
    quota.get_by_role("button", name="Set").click()
    visit.page.get_by_role("button", name="lift the limit on mi300x").wait_for()
    assert table(visit, "Quotas")[0][:3] == ["mi300x", "0", "12"]

    visit.page.get_by_role("link", name="Tokens").click()
    token = visit.page.get_by_role("form", name="A new token")
    token.get_by_label("name").fill("arm-7")
    token.get_by_label("tenant").fill("robotics")
    days = token.get_by_label("days")
    assert (days.get_attribute("max"), days.get_attribute("placeholder")) == (str(MOST_DAYS), str(USUAL_DAYS))
    token.get_by_role("button", name="Create").click()
    visit.see("shown this once")
    assert visit.page.locator(".note code").inner_text().startswith("mdl_")
    first = visit.page.locator(".note code").inner_text()
    visit.page.get_by_role("button", name="new secret for arm-7").click()
    visit.see("the old one opens for an hour more")
    second = visit.page.locator(".note code").inner_text()
    for secret in (first, second):
        with Api(scene.address, secret) as api:
            assert api.want(200, "GET", "/v1/whoami")["name"] == "token:arm-7"
    visit.page.get_by_role("button", name="revoke arm-7").click()
    visit.page.get_by_role("dialog").get_by_role("button", name="Revoke it").click()
    visit.until("!document.body.innerText.includes('arm-7')")

    visit.page.get_by_role("link", name="Audit").click()
    trail = visit.page.get_by_role("form", name="Find entries")
    trail.get_by_label("what").fill("set_quota")
    trail.get_by_label("of", exact=True).fill("quota/robotics/mi300x")
    trail.get_by_role("button", name="Find").click()
    visit.until("document.querySelectorAll('[aria-label=Audit] tbody tr').length === 1")
    assert table(visit, "Audit")[0][1:5] == ["token:operator", "set_quota", "quota robotics/mi300x", "done"]
    trail.get_by_label("what").fill("no_such_thing")
    trail.get_by_role("button", name="Find").click()
    visit.see("No entry meets these filters.")


def test_an_operator_makes_a_user_narrows_their_role_and_shuts_them_out(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["operator"], screen="admin?part=users")
    form = visit.page.get_by_role("form", name="A new user")
    form.get_by_label("name").fill("grace")
    form.get_by_label("tenant").fill("vision")
    form.get_by_label("role").select_option("submitter")
    form.get_by_role("button", name="Create").click()
    role = visit.page.get_by_label("role of grace")
    assert role.input_value() == "submitter"
    with scene.server.operator() as operator:
        asked = {"name": "graces", "role": "submitter", "tenant": "vision", "user": "grace"}
        secret = operator.want(201, "POST", "/v1/tokens", asked)["secret"]
    with Api(scene.address, secret) as hers:
        hers.want(200, "GET", "/v1/whoami")
        visit.page.get_by_role("button", name="disable grace").click()
        visit.page.get_by_role("button", name="enable grace").wait_for()
        assert [row[4][:8] for row in table(visit, "Users") if row[0] == "grace"] == ["disabled"]
        hers.want(401, "GET", "/v1/whoami")
        visit.page.get_by_role("button", name="enable grace").click()
        visit.page.get_by_role("button", name="disable grace").wait_for()
        role.select_option("viewer")
        visit.until("document.querySelector('[aria-label=\"role of grace\"]').value === 'viewer'")
        eventually(lambda: hers.call("GET", "/v1/whoami").status == 401, within_s=60, what="it is more than she may be")


def test_a_viewer_is_offered_only_what_it_may_do(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.server.tenant("vision", "viewer"))
    for screen in ("admin", "jobs", "nodes", "queues"):
        visit.page.get_by_role("navigation", name="Screens").locator(f"a[href='#/{screen}']").click()
        visit.page.locator(f"a[href='#/{screen}'][aria-current=page]").wait_for()
        for word in ("Cancel", "Create", "Revoke", "Set"):
            assert not visit.page.get_by_role("button", name=word).count()


def test_an_unknown_job_and_an_unknown_screen_say_where_to_go(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["vision"], screen="jobs/0000000000000000")
    visit.page.get_by_role("alert").first.wait_for()
    assert all("404" in error for error in visit.errors)
    visit.errors.clear()
    visit.page.evaluate("location.hash = '#/elsewhere'")
    visit.see("There is no such screen")


def test_a_screen_that_cannot_be_drawn_says_so_and_leaves_the_others(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["vision"])
    visit.page.route("**/v1/jobs/0000000000000000", lambda route: route.fulfill(json={"name": "half"}))
    visit.page.evaluate("location.hash = '#/jobs/0000000000000000'")
    visit.see("This screen could not be drawn")
    visit.page.get_by_role("link", name="Jobs").click()
    visit.see("detector-large")
