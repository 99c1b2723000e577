import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.adapters.kubernetes.configuration.images import BadImage, ImageRule, Reference

DIGEST = f"sha256:{'0a' * 32}"


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("ubuntu", "docker.io", "library/ubuntu", None, None),
        ("docker.io/ubuntu", "docker.io", "library/ubuntu", None, None),
        ("team/training:2.1", "docker.io", "team/training", "2.1", None),
        ("localhost/training", "localhost", "training", None, None),
        ("registry.example:5000/a/b/c:x", "registry.example:5000", "a/b/c", "x", None),
        (f"registry.example/a@{DIGEST}", "registry.example", "a", None, DIGEST),
        (f"registry.example/a:1@{DIGEST}", "registry.example", "a", "1", DIGEST),
    ],
)
def test_a_reference_is_read_as_container_runtimes_read_it(
    text: str, registry: str, repository: str, tag: str | None, digest: str | None
) -> None:
    assert Reference.parse(text) == Reference(text, registry, repository, tag, digest)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "a b", "a\n", "a:", "a:b:c", "/a", "a/", "a//b", "../a", "a/../b", "A/b", "a/B", "-a", "a-", "a:-x"),
        *("a@", "a@sha256:00", "a@md5:00", f"a@{DIGEST}@{DIGEST}", f"a@{DIGEST.upper()}", "http://a/b", "a/b?c"),
        *(
            "registry.example:port/a",
            "registry..example/a",
            "Registry.example/a",
            "a\0",
            "\u0430",
            "a" * 600,
            "x/" * 200 + "x",
        ),
        *("registry.example:/a", "a:b/c@", "a:" + "t" * 129),
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(BadImage):
        Reference.parse(text)


@pytest.mark.parametrize(
    ("rule", "allowed", "refused"),
    [
        (
            "registry.example/team/",
            ["registry.example/team/a", "registry.example/team/a/b:1", f"registry.example/team/a@{DIGEST}"],
            ["registry.example/team", "registry.example/team-evil/a", "team/a", "registry.example.evil/team/a"],
        ),
        ("registry.example/", ["registry.example/a"], ["registry.example:5000/a", "a"]),
        ("team/", ["team/a", "docker.io/team/a"], ["teams/a", "a/team/b", "registry.example/team/a"]),
        ("docker.io/", ["ubuntu", "team/a"], ["registry.example/a"]),
        ("registry.example/a", ["registry.example/a", "registry.example/a:1"], ["registry.example/a/b"]),
        (
            "registry.example/a:1",
            ["registry.example/a:1"],
            ["registry.example/a", "registry.example/a:2", f"registry.example/a:1@{DIGEST}"],
        ),
        (
            f"registry.example/a@{DIGEST}",
            [f"registry.example/a@{DIGEST}"],
            ["registry.example/a", f"registry.example/a@sha256:{'0b' * 32}"],
        ),
    ],
)
def test_a_rule_allows_what_it_says_and_nothing_beside(rule: str, allowed: list[str], refused: list[str]) -> None:
    parsed = ImageRule.parse(rule)

    assert [text for text in allowed if not parsed.allows(Reference.parse(text))] == []
    assert [text for text in refused if parsed.allows(Reference.parse(text))] == []


@pytest.mark.parametrize("rule", ["", "/", "//", "a//", "*", "registry.example/*", "A/", "../", "registry.example//"])
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(BadImage):
        ImageRule.parse(rule)


@given(st.text(alphabet="abAB01._-/:@ \n\0$({", max_size=40))
def test_whatever_is_taken_for_an_image_holds_nothing_that_means_something_elsewhere(text: str) -> None:
    try:
        parsed = Reference.parse(text)
    except BadImage:
        return
    assert not set(text) & set(" \n\0$({")
    assert ".." not in parsed.repository.split("/")
