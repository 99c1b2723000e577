from pathlib import Path

import pytest

from scheduler.adapters.files.marked_yaml import LARGEST_FILE_BYTES, FileError, Marked, read_marked


def read(tmp_path: Path, content: str | bytes) -> Marked:
    path = tmp_path / "file.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_marked(path)


def test_values_know_their_lines(tmp_path: Path) -> None:
    root = read(tmp_path, "a: 1\nb:\n  - x\n  - c: true\n")

    second = root.entries()["b"].items()[1]

    assert root.entries()["a"].line == 1
    assert root.entries()["b"].items()[0].line == 3
    assert (second.entries()["c"].value, second.entries()["c"].line) == (True, 4)


@pytest.mark.parametrize(
    ("content", "want"),
    [
        ("", ":1: the file is empty; see examples/ for what belongs here"),
        ("a: 1\nb: 2\na: 3\n", ":3: 'a' stands here twice, first in line 1; keep one"),
        ("a: &x 1\nb: *x\n", ":2: the alias *x is not read; write the value out"),
        ("a: 1\nb: [1\nc: 2\n", ":3: "),
        ("a: 1\n1: 2\n", ":2: a name has to be text; put it in quotes"),
        ("a: !!python/object:os.system x\n", ":1: 'python/object:os.system' is not read here"),
        ("a:\n  b: 2026-01-01\n", ":2: 'timestamp' is not read here; write plain text in quotes"),
        ("a: 1\n<<: {b: 1}\n", ":2: 'merge' is not read here"),
        ("a: " + "[" * 100_000, ":1: nested more than 20 deep; flatten it"),
        ("a: 1\nb: \x00\n", ":2: "),
        (b"a: 1\nb: \xff\n", ":2: this is not UTF-8; save the file as UTF-8"),
        ("a: 1\n---\nb: 2\n", ":2: "),
        ("#" * (LARGEST_FILE_BYTES + 1), ":1: the file is larger than 1,048,576 bytes; split it"),
        ("a: 0b" + "9" * 5, None),
        ("a: !!int nonsense", ":1: 'nonsense' is not a value; write it in quotes"),
        ("? [a]\n: 1\n", ":1: a name has to be text"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_line(
    tmp_path: Path, content: str | bytes, want: str | None
) -> None:
    if want is None:
        assert read(tmp_path, content).entries()["a"].value == "0b99999"
        return
    with pytest.raises(FileError) as error:
        read(tmp_path, content)
    assert str(error.value).startswith(f"{tmp_path / 'file.yaml'}{want}")
    assert "; " in str(error.value)


def test_a_bomb_of_aliases_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    with pytest.raises(FileError, match=r":2: the alias \*a0 is not read"):
        read(tmp_path, "\n".join(lines))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"absent.yaml:1: cannot be read: No such file or directory; check the path"):
        read_marked(tmp_path / "absent.yaml")


def test_fields_are_checked(tmp_path: Path) -> None:
    root = read(tmp_path, "colour: red\nsise: 3\n")

    with pytest.raises(FileError, match=r":2: unknown key 'sise'; did you mean 'size'\?"):
        root.fields(required=("colour",), optional=("size",))
    with pytest.raises(FileError, match=r":1: 'weight' is missing; add it"):
        root.fields(required=("weight",), optional=("colour", "sise"))


@pytest.mark.parametrize("value", ["text", "true", "null", "1.5", "[1]", "{a: 1}", "0", "101", "1" + "0" * 4000])
def test_a_whole_number_is_one_within_its_bounds(tmp_path: Path, value: str) -> None:
    entry = read(tmp_path, f"a: {value}\n").entries()["a"]

    with pytest.raises(FileError, match=r":1: .*; write a (whole )?number from 1 to 100"):
        entry.whole_number(least=1, most=100)


@pytest.mark.parametrize("value", ["text", "false", "0", "-1", ".inf", ".nan", "[1]", "101"])
def test_a_number_is_above_zero_and_bounded(tmp_path: Path, value: str) -> None:
    entry = read(tmp_path, f"a: {value}\n").entries()["a"]

    with pytest.raises(FileError, match=":1: "):
        entry.number(most=100)


@pytest.mark.parametrize("value", ["1", "no", "''", "'  '", "[a]", '"a\\0"', "~"])
def test_text_is_text(tmp_path: Path, value: str) -> None:
    entry = read(tmp_path, f"a: {value}\n").entries()["a"]

    with pytest.raises(FileError, match=":1: "):
        entry.text()
