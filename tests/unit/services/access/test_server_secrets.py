"""What is derived from the server's secret."""

from scheduler.services.access.authenticate import is_well_formed
from scheduler.services.access.server_secrets import ServerSecrets

SECRETS = ServerSecrets(b"secret")


def test_a_rotated_secret_is_a_token_and_the_same_for_the_same_question() -> None:
    first = SECRETS.rotated("t1", 1, "key")
    assert is_well_formed(first)
    assert first == ServerSecrets(b"secret").rotated("t1", 1, "key")


def test_every_other_question_and_server_has_another_secret() -> None:
    found = {
        SECRETS.rotated("t1", 1, "key"),
        SECRETS.rotated("t2", 1, "key"),
        SECRETS.rotated("t1", 2, "key"),
        SECRETS.rotated("t1", 1, "other"),
        ServerSecrets(b"another").rotated("t1", 1, "key"),
    }
    assert len(found) == 5


def test_a_sealed_text_opens_for_its_purpose_alone() -> None:
    sealed = SECRETS.seal("login", "text.with.dots")
    assert SECRETS.unseal("login", sealed) == "text.with.dots"
    assert SECRETS.unseal("csrf", sealed) is None
    assert ServerSecrets(b"another").unseal("login", sealed) is None
    for forged in ("", ".", sealed[:-1], f"x{sealed}", sealed.replace("text", "Text"), "é.é"):
        assert SECRETS.unseal("login", forged) is None
