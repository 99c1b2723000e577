"""A real server of ours beside a real OIDC server: a browser, the command, and what happens when one is away."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx2
import pytest

from tests.builders.eventually import eventually
from tests.builders.server import ROOT, Api, ServerProcess
from tests.oidc.testbed.issuer import CLIENT_SECRET, Browser, Issuer, device_login


def problem(response: httpx2.Response) -> tuple[int, str, str]:
    answer = response.json()
    return response.status_code, answer["code"], answer["detail"]


def exchange(server: ServerProcess, id_token: str) -> Any:
    with Api(server.address, None) as anybody:
        return anybody.call("POST", "/v1/login/exchange", {"id_token": id_token})


def test_somebody_logs_in_with_a_browser_works_and_logs_out(server: ServerProcess) -> None:
    browser = Browser("ada")
    shown = browser.log_in(server.address)
    assert shown.status_code == 200, shown.text
    myself = shown.json()
    assert (myself["name"], myself["role"], myself["tenant"]) == ("ada", "submitter", "demo")

    def log_out(csrf_token: str) -> int:
        return browser.http.post(f"{server.address}/v1/logout", headers={"X-CSRF-Token": csrf_token}).status_code

    assert log_out("") == 403
    assert log_out("a guess") == 403
    assert browser.http.get(f"{server.address}/v1/jobs").status_code == 200
    session = browser.http.cookies.get("medley_session", domain="127.0.0.1")
    assert log_out(myself["csrf_token"]) == 204
    assert browser.http.get(f"{server.address}/v1/jobs").status_code == 401
    stolen = httpx2.get(f"{server.address}/v1/jobs", headers={"Cookie": f"medley_session={session}"}, trust_env=False)
    assert stolen.status_code == 401


def test_the_cookies_are_for_the_server_alone_and_for_no_script(server: ServerProcess) -> None:
    browser = Browser("ada")
    begun = browser.http.get(f"{server.address}/v1/login")
    kept = begun.headers["set-cookie"]
    assert "medley_login=" in kept
    assert all(word in kept for word in ("HttpOnly", "Max-Age=600", "Path=/", "SameSite=lax"))
    back = browser.back_from_issuer(server.address)
    cookies = browser.http.get(back).headers.get_list("set-cookie")
    assert any(one.startswith("medley_session=mdl_") and "HttpOnly" in one and "SameSite=lax" in one for one in cookies)
    assert any(one.startswith('medley_login=""') for one in cookies)
    assert "mdl_" not in back


def test_a_code_is_good_once_and_for_the_browser_that_asked(server: ServerProcess) -> None:
    browser = Browser("ada")
    back = browser.back_from_issuer(server.address)
    kept = browser.http.cookies.get("medley_login", domain="127.0.0.1")
    stranger = httpx2.get(back, trust_env=False)
    assert problem(stranger)[:2] == (403, "login-refused")
    assert "did not begin" in problem(stranger)[2]
    assert browser.http.get(back).status_code == 303
    replayed = httpx2.get(back, headers={"Cookie": f"medley_login={kept}"}, trust_env=False)
    assert problem(replayed)[:2] == (403, "login-refused")


def test_a_mistyped_or_foreign_state_logs_nobody_in(server: ServerProcess) -> None:
    browser = Browser("ada")
    back = browser.back_from_issuer(server.address)
    for state in ("x", "", "é", "%00", "a" * 501):
        changed = re.sub(r"state=[^&]*", f"state={state}", back)
        assert browser.http.get(changed).status_code in (403, 422), state
    other = re.sub(r"iss=[^&]*", "iss=https://elsewhere.test", back)
    assert "Another issuer" in problem(browser.http.get(other))[2]
    missing = browser.http.get(f"{server.address}/v1/login/callback?state=s")
    assert problem(missing)[:2] == (422, "invalid-request")
    denied = browser.http.get(f"{server.address}/v1/login/callback?error=access_denied")
    assert problem(denied)[:2] == (403, "login-refused")


@pytest.mark.parametrize("name", ["https://elsewhere.test/", "//elsewhere.test", "/\\elsewhere.test", "elsewhere", ""])
def test_a_login_leads_to_no_other_server(server: ServerProcess, name: str) -> None:
    answer = httpx2.get(f"{server.address}/v1/login", params={"return_to": name}, trust_env=False)
    assert answer.status_code == 422


def test_who_is_in_no_known_group_is_told_so_clearly(server: ServerProcess) -> None:
    status, code, detail = problem(Browser("eve").log_in(server.address))
    assert (status, code) == (403, "login-refused")
    assert "none of their groups" in detail
    assert "another-firm" in detail
    assert "no tenant no-such-tenant" in problem(Browser("ivy").log_in(server.address))[2]


def test_a_disabled_user_is_out_at_once_and_stays_out(server: ServerProcess) -> None:
    browser = Browser("bob")
    assert browser.log_in(server.address).json()["role"] == "operator"
    with server.operator() as operator:
        operator.want(200, "PATCH", "/v1/users/bob", {"is_disabled": True})
        assert browser.http.get(f"{server.address}/v1/whoami").status_code == 401
        assert "disabled" in problem(Browser("bob").log_in(server.address))[2]
        operator.want(200, "PATCH", "/v1/users/bob", {"is_disabled": False})
        assert browser.http.get(f"{server.address}/v1/whoami").status_code == 200
        logins = operator.want(200, "GET", "/v1/audit?actor=bob&operation=finish_login")["items"]
    assert {entry["object"]["kind"] for entry in logins} == {"user", "token"}


def test_without_the_issuer_sessions_go_on_and_with_new_keys_logins_do(issuer: Issuer, server: ServerProcess) -> None:
    browser = Browser("ada")
    assert browser.log_in(server.address).status_code == 200
    back = (late := Browser("ada")).back_from_issuer(server.address)
    issuer.stop()
    try:
        assert problem(late.http.get(back))[:2] == (503, "login-unavailable")
        assert browser.http.get(f"{server.address}/v1/whoami").status_code == 200
        assert httpx2.get(f"{server.address}/readyz", trust_env=False).status_code == 200
    finally:
        issuer.start()
    # Its keys are new now, and this server asks for them again, though at most twice a minute.
    eventually(lambda: Browser("ada").log_in(server.address).status_code == 200, within_s=60)


def test_an_id_token_of_the_command_is_good_once_and_here_alone(issuer: Issuer, server: ServerProcess) -> None:
    id_token = device_login(issuer, "ada")["id_token"]
    made = exchange(server, id_token)
    assert (made.status, made.body["name"], made.body["role"]) == (200, "ada", "submitter")
    with Api(server.address, made.body["secret"]) as command:
        assert command.call("GET", "/v1/jobs").status == 200
    again = exchange(server, id_token)
    assert (again.status, again.body["code"]) == (403, "login-refused")
    assert "used before" in again.body["detail"]


def test_an_id_token_made_for_the_page_is_none_for_the_command(issuer: Issuer, server: ServerProcess) -> None:
    of_the_page = page_token(issuer)
    answer = exchange(server, of_the_page)
    assert (answer.status, answer.body["code"]) == (403, "login-refused")
    assert "somebody else" in answer.body["detail"]


def page_token(issuer: Issuer) -> str:
    """Return an ID token of the page's client, had by somebody who knows its secret."""
    verifier = "v" * 43
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "client_id": "medley",
        "response_type": "code",
        "scope": "openid profile",
        "redirect_uri": f"{issuer.server_address}/v1/login/callback",
        "code_challenge": digest,
        "code_challenge_method": "S256",
    }
    address = f"{issuer.address}/auth?{urlencode(asked)}"
    back = Browser("ada").open(address, stop_at=issuer.server_address).headers["location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": asked["redirect_uri"],
        "code_verifier": verifier,
    }
    login = ("medley", quote(CLIENT_SECRET, safe=""))
    answer = httpx2.post(f"{issuer.address}/token", data=form, auth=login, trust_env=False)
    return str(answer.json()["id_token"])


def run_medley(*words: str, config: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "MEDLEY_CONFIG": str(config), "NO_COLOR": "1"}
    environment.pop("MEDLEY_TOKEN", None)
    command = [sys.executable, "-m", "medley", *words]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_the_command_logs_in_and_is_renewed_silently(issuer: Issuer, server: ServerProcess, tmp_path: Path) -> None:
    config = tmp_path / "login.json"
    with run_medley("login", server.address, config=config) as login:
        assert login.stderr is not None
        address = ""
        for line in login.stderr:
            if found := re.search(r"Open (\S+) in a browser", line):
                address = found[1]
                break
        assert Browser("ada").open(address).status_code == 200
        said, _ = login.communicate(timeout=60)
    assert "Logged in" in said
    assert "ada (submitter of tenant demo)" in said
    stored = json.loads(config.read_text())
    assert config.stat().st_mode & 0o077 == 0

    second = int(time.time())
    eventually(lambda: int(time.time()) > second, within_s=2)  # an issuer's proofs of one second are the same
    stored["renewal"]["expires_at"] = "2026-01-01T00:00:00Z"
    config.write_text(json.dumps(stored))
    several = [run_medley("whoami", config=config) for _ in range(3)]
    for whoami in several:  # at once, as scripts do: one renews for all
        said, complaints = whoami.communicate(timeout=60)
        assert "ada" in said, complaints
    renewed = json.loads(config.read_text())
    assert renewed["token"] != stored["token"]

    with run_medley("logout", config=config) as logout:
        logout.communicate(timeout=60)
    with Api(server.address, renewed["token"]) as ended:
        assert ended.call("GET", "/v1/whoami").status == 401
