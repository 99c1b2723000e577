"""Logging in and out, and where the token goes."""

from tests.browser.scene import Scene
from tests.browser.visit import OpenPage


def test_a_wrong_token_is_told_so_and_a_right_one_opens_the_overview(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address)
    visit.page.get_by_label("Your token").fill("mdl_wrongwrongwrongwrongwrongwrongwrong1")
    visit.page.keyboard.press("Enter")
    visit.page.get_by_role("alert").wait_for()
    assert "What to do" in visit.page.get_by_role("alert").inner_text()
    assert [error for error in visit.errors if "401" in error]
    visit.errors.clear()

    visit.page.get_by_label("Your token").fill(scene.tokens["vision"])
    visit.page.get_by_role("button", name="Log in").click()
    visit.page.get_by_role("heading", name="Overview").wait_for()
    visit.see("vision")


def test_the_token_leaves_the_page_as_a_header_only(scene: Scene, open_page: OpenPage) -> None:
    token = scene.tokens["operator"]
    visit = open_page(scene.address, token, screen=f"jobs/{scene.jobs['detector']}?tab=logs")
    visit.see("live")
    visit.until("document.querySelector('.stream-live') !== null")
    asked = [request.url for request in visit.requests]
    assert any("/v1/events" in url for url in asked)
    assert not any(token in url for url in asked)
    assert all(url.startswith(scene.address) for url in asked), "nobody else is asked for anything"
    assert token not in visit.page.content()


def test_logging_out_forgets_the_token_and_ends_the_stream(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address)
    visit.page.get_by_label("Your token").fill(scene.tokens["language"])
    visit.page.keyboard.press("Enter")
    visit.page.get_by_role("button", name="Log out").click()
    visit.page.get_by_label("Your token").wait_for()
    assert visit.page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})") == "{}"
    visit.page.reload()
    visit.page.get_by_label("Your token").wait_for()


def test_a_token_that_is_revoked_meanwhile_logs_out_and_says_why(scene: Scene, open_page: OpenPage) -> None:
    with scene.server.operator() as operator:
        asked = {"name": "for-a-moment", "role": "viewer", "tenant": "search"}
        made = operator.want(201, "POST", "/v1/tokens", asked)
        visit = open_page(scene.address, made["secret"], screen="jobs")
        visit.see("half-a-device")
        operator.want(200, "DELETE", f"/v1/tokens/{made['id']}")
    visit.page.evaluate("location.hash = '#/overview'")
    visit.see("You were logged out")
    visit.page.get_by_label("Your token").wait_for()
    assert all("401" in error for error in visit.errors)
    visit.errors.clear()


def test_what_is_no_token_is_not_sent(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address)
    visit.page.get_by_label("Your token").fill("two words")
    visit.page.keyboard.press("Enter")
    visit.see("That is no token")
    assert not any("/v1/" in request.url for request in visit.requests)
