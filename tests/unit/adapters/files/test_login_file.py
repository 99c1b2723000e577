"""The file of the organisation's login."""

from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.adapters.files.login_file import read_login
from scheduler.adapters.files.marked_yaml import FileError
from scheduler.core.model.tenant import Role
from scheduler.ports.identity import GroupRule

EXAMPLE = Path(__file__).parents[4] / "examples" / "login.yaml"
GOOD = """
issuer: https://sso.test
server_url: https://medley.test/
client_id: medley
groups:
  - {group: ops, role: operator}
  - {group: "*", tenant: guests}
"""


def read(tmp_path: Path, text: str) -> object:
    path = tmp_path / "login.yaml"
    path.write_text(text)
    return read_login(path)


def test_the_example_is_good() -> None:
    found = read_login(EXAMPLE)
    assert found.redirect_url == "https://medley.example.com/v1/login/callback"
    assert found.command_client_id == "medley-command"
    assert GroupRule("vision", Role.SUBMITTER, "vision") in found.rules


def test_what_is_left_out_is_as_usual_and_nobody_is_more_than_a_viewer(tmp_path: Path) -> None:
    path = tmp_path / "login.yaml"
    path.write_text(GOOD)
    found = read_login(path)
    assert (found.server_url, found.client_secret, found.command_client_id) == ("https://medley.test", None, "medley")
    assert (found.scopes, found.session) == (("openid", "profile", "email"), timedelta(hours=8))
    assert (found.name_claim, found.groups_claim) == ("preferred_username", "groups")
    assert found.rules[1] == GroupRule("*", Role.VIEWER, "guests")


def test_a_secret_is_read_from_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(" shh \n")
    path = tmp_path / "login.yaml"
    path.write_text(GOOD + "client_secret_file: s\n")
    assert read_login(path).client_secret == "shh"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("https://sso.test", "http://sso.test", ":2: .*no address to trust"),
        ("https://sso.test", "https://me:pw@sso.test", ":2: .*no address to trust"),
        ("https://sso.test", "https://sso.test/?a=b", ":2: .*no address to trust"),
        ("https://sso.test", "file:///etc/passwd", ":2: .*no address to trust"),
        ("https://sso.test", "https://sso.test:0", ":2: .*no address to trust"),
        ("https://medley.test/", "https://medley.test/app", ":3: .*has a path"),
        ("client_id: medley", "client: medley", "unknown key 'client'"),
        ("role: operator", "role: admin", ":6: unknown role 'admin'"),
        ("role: operator", "role: submitter", ":6: the role submitter needs a tenant"),
        ("role: operator", "role: operator, tenant: t", ":6: the role operator belongs to no tenant"),
        ("tenant: guests", "tenant: guests, role: submitter", ":7: everybody would be submitter"),
        ("tenant: guests", "tenant: No Name", "no tenant's name"),
        ("client_id: medley", "client_id: medley\nscopes: [profile]", "openid is missing"),
        ("client_id: medley", "client_id: medley\nsession_hours: 25", "out of range"),
        ("client_id: medley", "client_id: medley\nclient_secret_file: nowhere", "cannot be read"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(FileError, match=says):
        read(tmp_path, GOOD.replace(old, new))


def test_somebody_must_be_able_to_log_in(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nobody could log in"):
        read(tmp_path, GOOD[: GOOD.index("groups")] + "groups: []\n")
