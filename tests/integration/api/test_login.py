"""Logging in over an issuer that believes the tests; tests/oidc does the same on a real one."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from scheduler.core.model.tenant import Role
from tests.builders.api import ApiWorld
from tests.builders.issuer import a_configuration


def begin(browser: TestClient, return_to: str = "/") -> str:
    """Begin a login and return its state."""
    answer = browser.get("/v1/login", params={"return_to": return_to}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)["state"][0]


def finish(browser: TestClient, state: str, code: str) -> tuple[int, str]:
    answer = browser.get("/v1/login/callback", params={"state": state, "code": code}, follow_redirects=False)
    return answer.status_code, answer.headers["location"] if answer.status_code == 303 else answer.json()["code"]


@pytest.mark.parametrize(
    ("groups", "role", "tenant"),
    [("operators", "operator", None), ("x_demo", "submitter", "demo"), ("demo_demo-leads", "tenant-admin", "demo")],
)
def test_the_first_rule_that_fits_says_who_somebody_is(
    world: ApiWorld, groups: str, role: str, tenant: str | None
) -> None:
    browser = world.bearer(None)
    assert finish(browser, begin(browser, "/jobs?state=running"), f"ada.{groups}") == (303, "/jobs?state=running")
    myself = browser.get("/v1/whoami").json()
    assert (myself["name"], myself["role"], myself["tenant"]) == ("ada", role, tenant)
    listed = {user["name"]: user for user in world.client(Role.OPERATOR).get("/v1/users").json()["items"]}
    assert (listed["ada"]["has_login"], listed["ada"]["role"]) == (True, role)


def test_who_is_in_no_group_or_in_a_lost_one_or_has_anothers_name_is_refused(world: ApiWorld) -> None:
    world.client(Role.OPERATOR).post("/v1/users", json={"name": "taken", "tenant": "demo"})
    before = world.rows()
    for code in ("ada.nobody", "ada.lost", "taken.demo", "nonsense"):
        browser = world.bearer(None)
        assert finish(browser, begin(browser), code) == (403, "login-refused")
        assert browser.get("/v1/whoami").status_code == 401
    assert world.rows() == before


def test_a_login_is_good_once_even_with_its_cookie_kept(world: ApiWorld) -> None:
    browser = world.bearer(None)
    state = begin(browser)
    kept = browser.cookies.get("medley_login")
    assert finish(browser, state, "ada.demo")[0] == 303
    assert finish(browser, state, "ada.demo") == (403, "login-refused")
    thief = world.bearer(None)
    thief.cookies.set("medley_login", str(kept))
    assert finish(thief, state, "ada.demo") == (403, "login-refused")


@pytest.mark.parametrize("forge", ["", "nonsense", "e30.xxx", "é"])
def test_a_forged_cookie_begins_nothing(world: ApiWorld, forge: str) -> None:
    browser = world.bearer(None)
    state = begin(browser)
    answer = world.bearer(None).get(
        f"/v1/login/callback?state={state}&code=ada.demo", headers={b"Cookie": f"medley_login={forge}".encode()}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "login-refused")


def test_two_logins_of_one_browser_do_not_mix(world: ApiWorld) -> None:
    browser = world.bearer(None)
    first = begin(browser, "/first")
    second = begin(browser, "/second")
    assert finish(browser, first, "ada.demo") == (403, "login-refused")
    assert finish(browser, second, "ada.demo") == (303, "/second")


def test_over_https_cookies_are_for_https_and_this_host(world: ApiWorld) -> None:
    login = world.context.login
    assert login is not None
    secure = replace(login, configuration=a_configuration(server_url="https://medley.test"))
    browser = TestClient(create_app(replace(world.context, login=secure)), base_url="https://medley.test")
    begun = browser.get("/v1/login", follow_redirects=False).headers["set-cookie"]
    assert begun.startswith("__Host-medley_login=")
    assert "Secure" in begun
    state = begin(browser)
    done = browser.get(f"/v1/login/callback?state={state}&code=ada.demo", follow_redirects=False)
    session = next(one for one in done.headers.get_list("set-cookie") if one.startswith("__Host-medley_session=mdl_"))
    assert all(word in session for word in ("Secure", "HttpOnly", "SameSite=lax", "Path=/", "Max-Age=28800"))
    assert "Domain" not in session
    assert browser.get("/v1/whoami").json()["name"] == "ada"


def test_an_issuer_that_is_away_keeps_nobody_out_who_is_in(world: ApiWorld) -> None:
    browser = world.bearer(None)
    finish(browser, begin(browser), "ada.demo")
    world.issuer.is_away = True
    away = browser.get("/v1/login", follow_redirects=False)
    assert (away.status_code, away.json()["code"]) == (503, "login-unavailable")
    assert "Retry-After" in away.headers
    assert browser.get("/v1/whoami").status_code == 200
    assert browser.get("/readyz").status_code == 200
    assert browser.post("/v1/login/exchange", json={"id_token": "ada.demo"}).status_code == 503


def test_a_server_without_a_login_says_so(world: ApiWorld) -> None:
    plain = TestClient(create_app(replace(world.context, login=None)))
    assert plain.get("/v1/login/terms").json() == {"oidc": None}
    for answer in (plain.get("/v1/login"), plain.post("/v1/login/exchange", json={"id_token": "a.b"})):
        assert (answer.status_code, answer.json()["code"]) == (404, "login-not-offered")


def test_a_header_wins_over_a_session(world: ApiWorld) -> None:
    browser = world.session(Role.OPERATOR)
    bearer = {"Authorization": f"Bearer {world.token(Role.VIEWER)}"}
    assert browser.get("/v1/whoami", headers=bearer).json()["role"] == "viewer"
    assert browser.get("/v1/whoami", headers={"Authorization": "Bearer nonsense"}).status_code == 401
    assert browser.post("/v1/tenants", json={"name": "gamma"}, headers=bearer).status_code == 403


def test_a_session_follows_events_and_ends_with_its_login(world: ApiWorld) -> None:
    browser = world.session(Role.SUBMITTER)
    job = world.submit()
    assert browser.get(f"/v1/jobs/{job}/events").status_code == 200
    assert browser.post("/v1/logout").status_code == 204
    assert browser.get("/v1/jobs").status_code == 401


def test_logging_out_ends_a_login_and_no_token(world: ApiWorld) -> None:
    made = world.client(Role.VIEWER)
    assert made.post("/v1/logout").status_code == 204
    assert made.get("/v1/whoami").status_code == 200
    secret = world.bearer(None).post("/v1/login/exchange", json={"id_token": "ada.demo"}).json()["secret"]
    login = world.bearer(secret)
    assert login.post("/v1/logout").status_code == 204
    assert login.get("/v1/whoami").status_code == 401
