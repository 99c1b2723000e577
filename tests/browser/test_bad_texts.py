"""Texts that people and programs choose are shown, and never obeyed."""

from tests.browser.scene import LONG_LINE, MARKUP, Scene
from tests.browser.visit import OpenPage


def test_no_markup_of_anybody_is_run_on_any_screen(scene: Scene, open_page: OpenPage) -> None:
    job = scene.jobs["crashing"]
    visit = open_page(scene.address, scene.tokens["operator"], screen="admin?part=tokens")
    visit.see(MARKUP)
    for screen in (
        f"jobs/{job}",
        f"jobs/{job}?tab=logs",
        f"jobs/{job}?tab=spec",
        "nodes/mixed/amd-8",
        "jobs",
        "overview",
    ):
        visit.go(screen)
        visit.page.get_by_role("heading", level=1).wait_for()
        if screen in (f"jobs/{job}?tab=logs", "nodes/mixed/amd-8"):
            visit.see(MARKUP)
    assert visit.page.title().endswith("Medley")
    assert not visit.page.locator("img[src=x]").count()


def test_a_line_of_a_million_characters_is_cut_and_the_page_stays_quick(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address, scene.tokens["search"], screen=f"jobs/{scene.jobs['crashing']}?tab=logs")
    visit.see("all there is")
    said = visit.page.get_by_text("more characters").first.inner_text()
    assert f"{LONG_LINE - 2000:,}" in said
    frame, note = (visit.page.locator(where).bounding_box() for where in (".logs", ".log-line em >> nth=0"))
    assert frame is not None
    assert note is not None
    assert frame["x"] <= note["x"], "one sees it without scrolling"
    assert note["x"] + note["width"] <= frame["x"] + frame["width"]
    assert len(visit.page.content()) < 200_000
    shown = visit.page.locator(".logs").inner_text()
    assert "red ␇ done" in shown, "colours are left out, other control characters shown"
