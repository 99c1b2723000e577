from pathlib import Path

import pytest

from medley.errors import BadUsage, FieldError
from medley.file_kinds import CHIP_FILE, JOB_FIELDS, JOB_FILE, TRAINING_FIELDS
from medley.yaml_file import LARGEST_FILE_BYTES, YamlFile, parse_yaml, read_yaml_file

GOOD = b"""\
# a comment
name: first
chips:
  h100-sxm: 2
  mi300x: 2
command: [python, train.py]
training:
  learning_rate: 1e-3
  steps: 60
"""


def test_a_job_file_is_read_with_the_line_of_each_field() -> None:
    found = parse_yaml("job.yaml", JOB_FILE, GOOD)
    assert found.fields == {
        "name": "first",
        "chips": {"h100-sxm": 2, "mi300x": 2},
        "command": ["python", "train.py"],
        "training": {"learning_rate": 0.001, "steps": 60},
    }
    want_lines = {"/name": 2, "/chips": 3, "/chips/mi300x": 5, "/command/1": 6, "/training/steps": 9}
    assert {pointer: found.lines[pointer] for pointer in want_lines} == want_lines


@pytest.mark.parametrize(
    ("scalar", "want"),
    [
        *((word, word) for word in ("no", "12:30", "2026-01-01", "0o17", "1_000")),
        *((word, None) for word in ("null", "~", "")),
        ('"3"', "3"),
        ("true", True),
        ("-7", -7),
        ("010", 10),
        ("1.5", 1.5),
        ("3e-3", 0.003),
    ],
)
def test_plain_words_are_read_as_in_yaml_1_2(scalar: str, want: object) -> None:
    assert parse_yaml("job.yaml", JOB_FILE, f"value: {scalar}\n".encode()).fields["value"] == want


@pytest.mark.parametrize(
    ("content", "want"),
    [
        (b"name: a\nname: b\n", r"job.yaml:2: `name` is given twice"),
        (b"name: a\n  chips: b\n", r"job.yaml:2: mapping values are not allowed"),
        (b"- a\n", r"job.yaml:1: a job is a list of `field: value`"),
        (b"", r"job.yaml:1: a job is a list"),
        (b"name: a\n---\nname: b\n", r"job.yaml:2: but found another document"),
        (b"name: a\n? [x]\n: b\n", r"job.yaml:2: a field's name must be plain text"),
        (b"name: a\nx: !!python/object:os.system ls\n", r"job.yaml:2: .*is no kind of value"),
        (b"base: &a {x: 1}\n<<: *a\n", r"job.yaml:2: a field's name must be plain text"),
        (b"name: a\nworkers: " + b"9" * 41, r"job.yaml:2: this number has more than 40 digits"),
        (b"name: a\ncommand: [\xe9t\xe9]\n", r"job.yaml:2: the file is not UTF-8"),
        (b"name: a\nchips:\n\th100-sxm: 2\n", r"job.yaml:3: a tab is not allowed here: indent with spaces"),
        (b"name:\n  x: 1\n\ty: 2\n", r"job.yaml:3: a tab is not allowed here"),
        (b"\tname: a\n", r"job.yaml:1: a tab is not allowed here"),
        (b"name:\t@a\n", r"job.yaml:1: found character that cannot start any token"),
        (b"name: a\x00\n", r"job.yaml:1: this is no YAML text"),
    ],
)
def test_what_is_no_job_is_refused_with_its_line(content: bytes, want: str) -> None:
    with pytest.raises(BadUsage, match=want):
        parse_yaml("job.yaml", JOB_FILE, content)


def test_a_large_file_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(BadUsage, match="larger than 1 MiB"):
        parse_yaml("job.yaml", JOB_FILE, b"x" * (LARGEST_FILE_BYTES + 1))


def _laughs() -> bytes:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 11)]
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("content", "want"),
    [
        (b"x: " + b"[" * 5000, "a job file has at most"),
        (b"x: &a [" + b"*a, " * 30 + b"]", "a job file has at most"),
        (b"x: [" + b"y, " * 30_000 + b"]", "a job file has at most"),
        (b"x: &x {y: *x}", "aliases make this file far larger"),
        (_laughs(), "aliases make this file far larger"),
    ],
    ids=["deep", "many aliases", "many parts", "its own part", "laughs"],
)
def test_a_file_that_swells_is_refused(content: bytes, want: str) -> None:
    with pytest.raises(BadUsage, match=rf"^job.yaml:\d+: {want}"):
        parse_yaml("job.yaml", JOB_FILE, content)


@pytest.mark.parametrize(
    ("error", "want"),
    [
        (FieldError("/chips/mi300x", "must be positive"), "job.yaml:5: chips.mi300x: must be positive"),
        (FieldError("/workers", "must be 4"), "job.yaml:1: workers: must be 4"),
        (FieldError("/training/steps/0", "odd"), "job.yaml:9: training.steps.0: odd"),
        (FieldError("", "is odd"), "job.yaml:1: is odd"),
    ],
)
def test_an_error_points_to_its_line_or_to_what_holds_it(error: FieldError, want: str) -> None:
    assert parse_yaml("job.yaml", JOB_FILE, GOOD).describe(error) == want


def test_an_unknown_field_is_met_with_what_was_meant() -> None:
    found = parse_yaml("job.yaml", JOB_FILE, b"nmae: first\ntraining:\n  step: 3\n")
    assert found.describe(FieldError("/nmae", "unknown")) == "job.yaml:1: nmae: unknown - did you mean `name`?"
    assert found.describe(FieldError("/training/step", "unknown")).endswith("did you mean `steps`?")
    found = parse_yaml("job.yaml", JOB_FILE, b"roles:\n- name: a\n- name: b\n  share:\n    mili: 3\n  worker: 1\n")
    assert found.describe(FieldError("/roles/1/worker", "unknown")).endswith("did you mean `workers`?")
    want = "job.yaml:5: roles.1.share.mili: unknown - did you mean `milli`?"
    assert found.describe(FieldError("/roles/1/share/mili", "unknown")) == want


def test_a_file_of_another_kind_speaks_of_its_own_fields(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match="a chip type is a list of `field: value`, such as `vendor: NVIDIA`") as refused:
        parse_yaml("chip.yaml", CHIP_FILE, b"- a\n")
    assert "fields of a chip type" in str(refused.value.next_step)
    with pytest.raises(BadUsage, match="cannot be read") as missing:
        read_yaml_file(str(tmp_path / "none.yaml"), CHIP_FILE)
    assert "job" not in str(missing.value.next_step)
    found = parse_yaml("chip.yaml", CHIP_FILE, b"vender: NVIDIA\n")
    assert found.describe(FieldError("/vender", "unknown")).endswith("did you mean `vendor`?")


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match="cannot be read: No such file"):
        read_yaml_file(str(tmp_path / "none.yaml"), JOB_FILE)


def test_every_example_is_a_job_file_of_known_fields() -> None:
    examples = sorted((Path(__file__).parents[3] / "examples" / "jobs").glob("*.yaml"))
    found: list[YamlFile] = [read_yaml_file(str(path), JOB_FILE) for path in examples]
    assert len(found) >= 3
    for job_file in found:
        assert set(job_file.fields) <= set(JOB_FIELDS)
        assert set(job_file.fields.get("training") or ()) <= set(TRAINING_FIELDS)


def test_the_first_training_has_ten_lines_at_most_and_four_workers_on_two_chip_types() -> None:
    path = Path(__file__).parents[3] / "examples" / "jobs" / "first-training.yaml"
    assert len(path.read_text().splitlines()) <= 10
    assert read_yaml_file(str(path), JOB_FILE).fields["chips"] == {"h100-sxm": 2, "mi300x": 2}
