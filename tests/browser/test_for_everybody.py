"""Everybody can use it: with a keyboard, on a telephone, with a screen reader, in the dark."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.scene import Scene
from tests.browser.visit import DESKTOP, LAPTOP, PHONE, OpenPage, Visit

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
GRAVE = ("serious", "critical")
SCREENS = (
    "overview",
    "nodes",
    "queues",
    "jobs",
    "job",
    "job?tab=logs",
    "job?tab=curve",
    "admin",
    "admin?part=tokens",
    "node",
)
"""Of one job and of one node, too."""


def screen_of(scene: Scene, screen: str) -> str:
    """Return the address of a screen."""
    job = scene.jobs["training"]
    return (
        screen.replace("job?", f"jobs/{job}?")
        if screen.startswith("job?")
        else {"job": f"jobs/{scene.jobs['detector']}", "node": "nodes/mixed/nvidia-1"}.get(screen, screen)
    )


def settle(visit: Visit) -> None:
    """Wait until a screen is filled."""
    visit.page.get_by_role("heading", level=1).wait_for()
    visit.until("!document.body.innerText.includes('loading …')")


@pytest.fixture(scope="module", params=["light", "dark"])
def themed(request: pytest.FixtureRequest, chromium: Browser, scene: Scene) -> Iterator[Visit]:
    """A page that an operator looks at."""
    visit = Visit(chromium, scene.address, scene.tokens["operator"], theme=request.param, size=LAPTOP)
    visit.page.evaluate(AXE)
    yield visit
    assert not visit.errors
    visit.close()


@pytest.mark.parametrize("screen", SCREENS)
def test_a_checker_of_accessibility_finds_nothing_grave(themed: Visit, scene: Scene, screen: str) -> None:
    themed.page.evaluate(f"location.hash = '#/{screen_of(scene, screen)}'")
    settle(themed)
    assert violations(themed) == []


def test_the_login_is_accessible_too(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, theme="dark")
    visit.page.evaluate(AXE)
    assert violations(visit) == []


def test_the_checker_finds_what_is_wrong(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address)
    visit.page.evaluate(AXE)
    visit.page.evaluate("document.querySelector('label').remove()")
    assert "label" in [rule for rule, *_ in violations(visit)]


def violations(visit: Visit) -> list[Any]:
    """Return what axe finds: rule, how grave, and where."""
    script = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    found = visit.page.evaluate(f"{script}.then((all) => all.violations)")
    return [
        (one["id"], one["impact"], [node["html"][:200] for node in one["nodes"][:3]])
        for one in found
        if one["impact"] in GRAVE
    ]


@pytest.mark.parametrize("size", [PHONE, LAPTOP, DESKTOP], ids=["390", "1024", "1440"])
def test_no_screen_is_wider_than_its_window(scene: Scene, open_page: OpenPage, size: tuple[int, int]) -> None:
    visit = open_page(scene.address, scene.tokens["operator"], size=size)
    for screen in SCREENS:
        visit.page.evaluate(f"location.hash = '#/{screen_of(scene, screen)}'")
        settle(visit)
        assert visit.overflow_px() <= 0, screen


def test_a_telephone_shows_a_job_its_state_and_its_age(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["vision"], size=PHONE, screen="jobs")
    row = visit.page.get_by_role("row", name="detector-large")
    row.wait_for()
    for text in ("detector-large", "queued", "ago"):
        box = row.get_by_text(text).first.bounding_box()
        assert box is not None, text
        assert box["x"] + box["width"] <= PHONE[0], text


def focus(visit: Visit) -> str:
    """Return what has the focus, in words."""
    return str(
        visit.page.evaluate(
            "document.activeElement.innerText || document.activeElement.ariaLabel || document.activeElement.id"
        )
    )


def test_the_first_stop_of_the_tab_key_skips_to_the_content(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["vision"])
    settle(visit)
    visit.page.keyboard.press("Tab")
    assert focus(visit) == "Skip to the content"
    visit.page.keyboard.press("Enter")
    assert visit.page.evaluate("document.activeElement.id") == "main"
    assert visit.page.get_by_role("heading", name="Overview").count() == 1


def test_the_tab_key_passes_everything_and_is_caught_nowhere(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["operator"], screen="jobs")
    visit.see("detector-large")
    stops = []
    for _ in range(40):
        visit.page.keyboard.press("Tab")
        stops.append(focus(visit))
        if visit.page.evaluate("document.activeElement === document.body"):
            break
        ring = visit.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert ring != "none", f"{stops[-1]} has the focus and does not show it"
    else:
        pytest.fail(f"the Tab key did not come to the end: {stops}")
    assert stops.index("Overview") < stops.index("Jobs") < stops.index("Log out")
    assert len(set(stops)) > 15


def test_arrow_keys_lead_through_the_table_and_enter_opens(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["operator"], screen="jobs?sort=name")
    visit.see("detector-large")
    visit.page.get_by_role("link", name="crashing").focus()
    visit.page.keyboard.press("ArrowDown")
    assert focus(visit) == "detector"
    visit.page.keyboard.press("Space")
    assert visit.page.get_by_label("choose detector", exact=True).is_checked()
    visit.page.keyboard.press("End")
    visit.until("document.activeElement.innerText === 'training'")
    visit.page.keyboard.press("Enter")
    visit.page.get_by_role("heading", name="training").wait_for()


def test_arrow_keys_lead_from_node_to_node_and_say_what_is_there(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["operator"], screen="nodes")
    link = visit.page.get_by_role("link", name="mixed/nvidia-1, ready")
    link.focus()
    visit.page.keyboard.press("ArrowDown")
    assert visit.page.evaluate("document.activeElement.dataset.node") == "mixed/nvidia-2"
    visit.see("held by detector of vision")
    visit.page.keyboard.press("Escape")
    visit.page.locator(".tip").wait_for(state="detached")
    assert visit.page.locator("a.node[tabindex='0']").count() == 1, "one stop of the Tab key for all nodes"
    visit.page.keyboard.press("Enter")
    visit.page.get_by_role("heading", name="nvidia-2").wait_for()


def test_a_dialog_takes_the_focus_and_gives_it_back(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["vision"], screen=f"jobs/{scene.jobs['detector-large']}")
    button = visit.page.get_by_role("button", name="Cancel …")
    button.focus()
    visit.page.keyboard.press("Enter")
    visit.page.get_by_role("dialog", name="Cancel 1 job?").wait_for()
    for _ in range(4):
        visit.page.keyboard.press("Tab")
        assert visit.page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    visit.page.keyboard.press("Escape")
    visit.page.get_by_role("dialog").wait_for(state="detached")
    assert focus(visit) == "Cancel …"
    assert scene.state("detector-large") == "queued"


def test_the_switch_wins_over_the_system_and_is_remembered(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["vision"], theme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    switch = visit.page.get_by_role("button", name="colours")
    switch.wait_for()
    dark = visit.page.evaluate(ground)
    switch.click()
    visit.until(f"{ground} === 'rgb(255, 255, 255)'")
    visit.page.reload()
    switch.wait_for()
    visit.until(f"{ground} === 'rgb(255, 255, 255)'")
    switch.click()
    visit.until(f"{ground} === '{dark}'")
