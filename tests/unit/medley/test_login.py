import json
import stat
from pathlib import Path

import pytest

from medley.errors import BadUsage, NotLoggedIn
from medley.login import (
    MOST_CONTEXTS,
    Login,
    Logins,
    clean_address,
    clean_token,
    find_login,
    load,
    load_all,
    login_path,
    save,
    save_all,
)


def _environment(folder: Path, **more: str) -> dict[str, str]:
    return {"MEDLEY_CONFIG": str(folder / "kept" / "login.json"), **more}


def test_what_was_saved_is_found_again(tmp_path: Path) -> None:
    want = Login("http://127.0.0.1:8080", "mdl_secret")
    save(tmp_path / "kept" / "login.json", want)
    assert find_login(_environment(tmp_path)) == want


def test_the_file_is_readable_by_its_owner_only_and_no_draft_is_left(tmp_path: Path) -> None:
    path = tmp_path / "login.json"
    save(path, Login("http://127.0.0.1:8080", "mdl_secret"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["login.json"]


def test_a_file_that_others_can_read_is_refused_with_the_command_that_mends_it(tmp_path: Path) -> None:
    path = tmp_path / "login.json"
    save(path, Login("http://127.0.0.1:8080", "mdl_secret"))
    path.chmod(0o644)
    with pytest.raises(BadUsage) as refused:
        load(path)
    assert refused.value.next_step == f"chmod 600 {path}"


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"address": 1, "token": "x"}', '{"address": "http://a", "token": 3}']
)
def test_a_broken_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "login.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(BadUsage, match="holds no login"):
        load(path)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    environment = _environment(tmp_path, MEDLEY_ADDRESS="https://there", MEDLEY_TOKEN="mdl_other")
    save(login_path(environment), Login("http://127.0.0.1:8080", "mdl_secret"))
    assert find_login(environment) == Login("https://there", "mdl_other")


def test_a_stored_token_is_not_sent_to_another_address(tmp_path: Path) -> None:
    environment = _environment(tmp_path, MEDLEY_ADDRESS="https://elsewhere")
    save(login_path(environment), Login("http://127.0.0.1:8080", "mdl_secret"))
    with pytest.raises(NotLoggedIn, match=r"stored token is for http://127\.0\.0\.1:8080, not for https://elsewhere"):
        find_login(environment)


def test_a_token_of_the_environment_goes_to_the_stored_address(tmp_path: Path) -> None:
    environment = _environment(tmp_path, MEDLEY_TOKEN="mdl_other")
    save(login_path(environment), Login("http://127.0.0.1:8080", "mdl_secret"))
    assert find_login(environment) == Login("http://127.0.0.1:8080", "mdl_other")


def test_who_is_not_logged_in_is_told_how_to(tmp_path: Path) -> None:
    with pytest.raises(NotLoggedIn) as refused:
        find_login(_environment(tmp_path))
    assert "medley login" in str(refused.value.next_step)


def test_the_login_is_kept_in_the_users_folder_of_configuration() -> None:
    assert login_path({"HOME": "/home/ada"}) == Path("/home/ada/.config/medley/login.json")
    assert login_path({"HOME": "/home/ada", "XDG_CONFIG_HOME": "/conf"}) == Path("/conf/medley/login.json")


@pytest.mark.parametrize(
    ("given", "want"),
    [
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("localhost:8080", "http://localhost:8080"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("medley.example", "https://medley.example"),
        (" https://medley.example ", "https://medley.example"),
    ],
)
def test_an_address_is_brought_into_one_form(given: str, want: str) -> None:
    assert clean_address(given) == want


@pytest.mark.parametrize(
    "given",
    ["", "ftp://a", "http://", "http://ada:pw@a", "http://a/path", "http://a?x", "http://a:99999", "http://a b"],
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(BadUsage, match="is no server's address"):
        clean_address(given)


@pytest.mark.parametrize("given", ["", "two words", "line\nbreak", "umläut", "x" * 513])
def test_what_is_no_token_is_refused_without_showing_it(given: str) -> None:
    with pytest.raises(BadUsage) as refused:
        clean_token(given)
    assert not given or given not in str(refused.value)


def test_a_login_never_shows_its_token(tmp_path: Path) -> None:
    assert "mdl_secret" not in repr(Login("http://127.0.0.1:8080", "mdl_secret"))
    save(tmp_path / "login.json", Login("http://127.0.0.1:8080", "mdl_secret"))
    assert json.loads((tmp_path / "login.json").read_text())["token"] == "mdl_secret"


def test_a_file_that_knows_no_contexts_is_one(tmp_path: Path) -> None:
    path = tmp_path / "login.json"
    path.write_text('{"address": "http://127.0.0.1:8080", "token": "mdl_secret"}')
    path.chmod(0o600)
    assert load_all(path) == Logins({"default": Login("http://127.0.0.1:8080", "mdl_secret")})
    save(path, Login("http://127.0.0.1:9090", "mdl_other", context="second"))
    assert json.loads(path.read_text())["token"] == "mdl_secret"  # what knows no contexts finds the one in use
    assert load(path) == Login("http://127.0.0.1:8080", "mdl_secret")
    assert load(path, "second") == Login("http://127.0.0.1:9090", "mdl_other")


@pytest.mark.parametrize("current", ["default", "one", "gone"])
def test_logins_are_found_again_whichever_is_in_use(tmp_path: Path, current: str) -> None:
    logins = Logins({"one": Login("http://a", "mdl_a"), "default": Login("http://b", "mdl_b")}, current)
    save_all(tmp_path / "login.json", logins)
    found = load_all(tmp_path / "login.json")
    assert found == logins
    assert [login.context for login in found.by_context.values()] == list(found.by_context)


def test_a_login_without_a_context_takes_the_place_of_the_one_in_use(tmp_path: Path) -> None:
    path = tmp_path / "login.json"
    save_all(path, Logins({"one": Login("http://a", "mdl_a"), "two": Login("http://b", "mdl_b")}, "two"))
    save(path, Login("http://c", "mdl_c"))
    assert load_all(path) == Logins({"one": Login("http://a", "mdl_a"), "two": Login("http://c", "mdl_c")}, "two")


def test_only_so_many_logins_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "login.json"
    save_all(path, Logins({f"c{number}": Login("http://a", "mdl_a") for number in range(MOST_CONTEXTS)}))
    with pytest.raises(BadUsage, match="no more are kept"):
        save(path, Login("http://a", "mdl_a", context="one-more"))
    save(path, Login("http://a", "mdl_new", context="c0"))
    assert len(load_all(path).by_context) == MOST_CONTEXTS
