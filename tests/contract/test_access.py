"""Tokens with two secrets, users with a role, logins that are good once."""

from dataclasses import replace

import pytest

from scheduler.core.model.tenant import Role, Token, User
from scheduler.ports.directory import AlreadyExists, DoesNotExist, IsDisabled, IsOver, Rotation
from tests.builders.database import NOON, World, after_noon
from tests.builders.eventually import eventually
from tests.contract.test_directory import make_token

EVE = User("eve", "alpha", NOON, Role.VIEWER, None, "https://issuer eve")


def rotation(key: str) -> Rotation:
    return Rotation(key, lambda number: f"{number}{key}".rjust(64, "0"), after_noon(30), None)


def test_a_new_secret_opens_and_so_does_the_old_one_for_a_while(world: World) -> None:
    directory = world.storage.directory
    directory.create_token(make_token())
    token = directory.rotate_token("t1", rotation("k1"), after_noon(1))
    assert (token.rotations, token.secret_sha256) == (1, "1k1".rjust(64, "0"))
    old, new = directory.holder_of(make_token().secret_sha256), directory.holder_of(token.secret_sha256)
    assert old is not None
    assert new is not None
    assert [old.may_enter(after_noon(at)) for at in (29, 30)] == [True, False]
    assert [new.may_enter(after_noon(at)) for at in (29, 30, 60)] == [True, True, False]


def test_the_same_key_names_the_same_secret_and_another_one_ends_the_first(world: World) -> None:
    directory = world.storage.directory
    directory.create_token(make_token())
    token = directory.rotate_token("t1", rotation("k1"), after_noon(1))
    assert directory.rotate_token("t1", rotation("k1"), after_noon(2)) == token
    later = directory.rotate_token("t1", rotation("k2"), after_noon(3))
    assert (later.rotations, later.old_secret_sha256) == (2, token.secret_sha256)
    assert directory.holder_of(make_token().secret_sha256) is None


def test_what_is_over_gets_no_new_secret(world: World) -> None:
    directory = world.storage.directory
    directory.create_token(make_token(1))
    directory.create_token(make_token(2))
    directory.revoke_token("t2", None, NOON)
    for token, at in (("t1", after_noon(60)), ("t2", NOON)):
        with pytest.raises(IsOver):
            directory.rotate_token(token, rotation("k"), at)
    with pytest.raises(DoesNotExist):
        directory.rotate_token("t9", rotation("k"), NOON)


def test_a_use_is_kept_once_in_five_minutes(world: World) -> None:
    directory = world.storage.directory
    directory.create_token(make_token())

    def used() -> object:
        token = directory.token("t1", None)
        assert token is not None
        return token.last_used_at

    for at, kept in ((0, 0), (299, 0), (300, 300)):
        directory.note_use("t1", after_noon(at))
        world.storage.directory.create_tenant(f"after-{at}", NOON)  # written behind it
        eventually(lambda kept=kept: used() == after_noon(kept), within_s=60)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("user", "opens"),
    [
        (User("ann", "alpha", NOON), True),
        (User("ann", None, NOON), True),
        (User("ann", "beta", NOON), False),
        (User("ann", "alpha", NOON, Role.SUBMITTER), True),
        (User("ann", "alpha", NOON, Role.TENANT_ADMIN), True),
        (User("ann", "alpha", NOON, Role.VIEWER), False),
        (User("ann", None, NOON, Role.OPERATOR), True),
        (User("ann", None, NOON, Role.AUDITOR), False),
        (User("ann", "alpha", NOON, disabled_at=NOON), False),
    ],
)
def test_a_token_opens_no_more_than_its_user_may(world: World, user: User, *, opens: bool) -> None:
    directory = world.storage.directory
    directory.create_user(User("ann", "alpha", NOON))
    directory.create_token(make_token(user="ann"))
    assert directory.change_user("ann", lambda _: user, after_noon(1)) == user
    holder = directory.holder_of(make_token().secret_sha256)
    assert holder is not None
    assert holder.may_enter(after_noon(2)) == opens
    assert directory.user("ann") == user


def test_who_is_not_there_is_not_changed(world: World) -> None:
    with pytest.raises(DoesNotExist, match="ann"):
        world.storage.directory.change_user("ann", lambda ann: ann, NOON)
    world.storage.directory.create_user(User("ann", "alpha", NOON))
    with pytest.raises(DoesNotExist, match="gamma"):
        world.storage.directory.change_user("ann", lambda ann: replace(ann, tenant="gamma"), NOON)


def test_a_change_is_made_of_what_a_user_is_when_it_is_written(world: World) -> None:
    directory = world.storage.directory
    directory.create_user(User("ann", "alpha", NOON))
    directory.change_user("ann", lambda ann: replace(ann, role=Role.VIEWER), NOON)
    changed = directory.change_user("ann", lambda ann: replace(ann, disabled_at=NOON, name="eve"), NOON)
    assert changed == directory.user("ann") == User("ann", "alpha", NOON, Role.VIEWER, NOON)


def login_token(number: int) -> Token:
    return make_token(number, role=Role.VIEWER, is_login=True)


def test_a_login_makes_its_user_and_changes_them_the_next_time(world: World) -> None:
    directory = world.storage.directory
    assert directory.record_login(EVE, login_token(1), "proof 1") == replace(login_token(1), user="eve")
    promoted = replace(EVE, name="eve.new", role=Role.SUBMITTER, created_at=after_noon(5))
    assert directory.record_login(promoted, login_token(2), "proof 2").user == "eve"
    assert directory.user("eve") == replace(EVE, role=Role.SUBMITTER)
    assert directory.user("eve.new") is None


def test_a_proof_is_good_once_and_leaves_nothing_the_second_time(world: World) -> None:
    directory = world.storage.directory
    directory.record_login(EVE, login_token(1), "proof")
    with pytest.raises(AlreadyExists, match="proof"):
        directory.record_login(EVE, login_token(2), "proof")
    assert directory.token("t2", None) is None


def test_a_login_takes_no_name_that_is_somebody_elses(world: World) -> None:
    directory = world.storage.directory
    directory.create_user(User("eve", "beta", NOON))
    with pytest.raises(AlreadyExists, match="eve"):
        directory.record_login(EVE, login_token(1), "proof")
    with pytest.raises(DoesNotExist, match="gamma"):
        directory.record_login(replace(EVE, name="ivy", tenant="gamma"), login_token(1), "proof")


def test_who_is_disabled_does_not_log_in(world: World) -> None:
    directory = world.storage.directory
    directory.record_login(EVE, login_token(1), "proof 1")
    directory.change_user("eve", lambda eve: replace(eve, disabled_at=NOON), NOON)
    with pytest.raises(IsDisabled):
        directory.record_login(EVE, login_token(2), "proof 2")


def test_logins_that_are_long_over_are_forgotten_and_made_tokens_are_not(world: World) -> None:
    directory = world.storage.directory
    directory.record_login(EVE, login_token(1), "proof 1")
    directory.create_token(make_token(2))
    for number, days in ((3, 7), (4, 8)):
        later = after_noon(days * 86_400)
        token = replace(login_token(number), created_at=later, expires_at=later)
        directory.record_login(replace(EVE, created_at=later), token, f"proof {number}")
        known = [token.id for token in directory.tokens(tenant=None, after=None, limit=9)]
        assert ("t1" in known) == (days == 7)
    assert "t2" in known
