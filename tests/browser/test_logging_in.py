"""Logging in and out, and where the token goes."""

from playwright.sync_api import Route

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
    assert not any("authorization" in request.headers for request in visit.requests)


def test_a_session_that_the_server_keeps_needs_no_token_in_the_page(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address)
    visit.page.get_by_label("Your token").wait_for()
    operator = f"Bearer {scene.tokens['operator']}"

    def with_cookie(route: Route) -> None:
        """Stand in for a server that knows the browser by its cookie."""
        assert "authorization" not in route.request.headers
        answer = route.fetch(headers={**route.request.headers, "authorization": operator})
        me = {**answer.json(), "csrf_token": "w0rd"} if route.request.url.endswith("whoami") else answer.json()
        route.fulfill(response=answer, json=me)

    visit.page.route("**/v1/whoami", with_cookie)
    visit.page.route("**/v1/tenants*", with_cookie)
    visit.page.route("**/v1/events", lambda route: route.abort())
    visit.page.goto(f"{scene.address}/?session#/admin")
    visit.page.get_by_role("form", name="A new tenant").get_by_label("name").fill("by-cookie")
    visit.page.keyboard.press("Enter")
    visit.page.get_by_role("link", name="quotas of by-cookie").wait_for()
    changes = [request for request in visit.requests if request.method == "POST"]
    assert [request.headers["x-csrf-token"] for request in changes] == ["w0rd"]
    assert visit.page.url.endswith("/#/admin"), "what the login came back with is not kept in the address"
    visit.errors.clear()


def test_an_issuer_is_offered_where_the_server_has_one(scene: Scene, open_page: OpenPage) -> None:
    visit = open_page(scene.address)
    terms = {"oidc": {"issuer": "https://login.example.org/realm", "client_id": "medley", "scopes": ["openid"]}}
    visit.page.route("**/v1/login/terms", lambda route: route.fulfill(json=terms))
    page = visit.page.content().replace('data-public="', 'data-public="show_login_terms ')
    visit.page.route(f"{scene.address}/", lambda route: route.fulfill(body=page, content_type="text/html"))
    visit.page.reload()
    link = visit.page.get_by_role("link", name="Log in with login.example.org")
    link.wait_for()
    assert (link.get_attribute("href") or "").endswith("/v1/login?return_to=%2F%3Fsession")
