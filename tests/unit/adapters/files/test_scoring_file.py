from dataclasses import asdict
from pathlib import Path

import pytest

from scheduler.adapters.files.catalogue_file import shipped_catalogue
from scheduler.adapters.files.marked_yaml import FileError
from scheduler.adapters.files.scoring_file import read_scoring
from scheduler.core.placement.scoring.configuration import DEFAULT_SCORING, Scoring
from scheduler.core.placement.scoring.job_mix import JobMix, WorkerKind
from scheduler.core.placement.scoring.weights import DEFAULT_WEIGHTS, Weights

EXAMPLE = Path(__file__).resolve().parents[4] / "examples" / "scoring.yaml"

SMALL = """\
weights:
  usable: 2
  rarity: 0
chip_values:
  h100-sxm: 1
  t4: 0
inference_headroom:
  t4: 16
job_mix:
  - {cpu_milli: 2000, share_milli: 500, chips: [t4, h100-sxm], weight: 1}
  - {cpu_milli: 8000, devices: 2, weight: 2.5}
  - {cpu_milli: 500, weight: 0.5}
"""


def read(tmp_path: Path, content: str) -> Scoring:
    path = tmp_path / "scoring.yaml"
    path.write_text(content)
    return read_scoring(path, shipped_catalogue())


def test_a_file_says_what_places_are_judged_by(tmp_path: Path) -> None:
    scoring = read(tmp_path, SMALL)

    assert scoring.weights == Weights(usable=2.0, rarity=0.0)
    assert scoring.chip_values == {"h100-sxm": 1.0, "t4": 0.0}
    assert scoring.headroom_devices == {"t4": 16}
    assert scoring.job_mix == JobMix(
        (
            (WorkerKind(8000, 1000, 2, ()), 0.625),
            (WorkerKind(2000, 500, 1, ("h100-sxm", "t4")), 0.25),
            (WorkerKind(500, 0, 0, ()), 0.125),
        )
    )


def test_what_a_file_does_not_say_stays_as_it_is_built_in(tmp_path: Path) -> None:
    assert read(tmp_path, "{}") == DEFAULT_SCORING


def test_the_example_names_every_weight_as_it_is_built_in() -> None:
    scoring = read_scoring(EXAMPLE, shipped_catalogue())

    assert scoring.weights == DEFAULT_WEIGHTS
    assert [term for term in asdict(DEFAULT_WEIGHTS) if f"\n  {term}: " not in EXAMPLE.read_text()] == []
    assert scoring.job_mix is not None
    assert sum(share for _, share in scoring.job_mix.shares) == pytest.approx(1)


@pytest.mark.parametrize(
    ("before", "after", "want"),
    [
        ("weights:", "wheights:", ":1: unknown key 'wheights'; did you mean 'weights'?"),
        ("usable: 2", "usabel: 2", ":2: unknown key 'usabel'; did you mean 'usable'?"),
        ("usable: 2", "usable: -2", ":2: -2 is out of range; write a number from 0 to 1000"),
        ("usable: 2", "usable: 1e9", ":2: here stands text"),
        ("usable: 2", "usable: .nan", ":2: nan is out of range"),
        ("usable: 2", "usable: .inf", ":2: inf is out of range"),
        ("rarity: 0", "rarity: false", ":3: here stands true or false; write a number"),
        ("h100-sxm: 1", "h100-smx: 1", ":5: unknown chip 'h100-smx'; did you mean 'h100-sxm'?"),
        ("h100-sxm: 1", "h100-sxm: 1.1", ":5: 1.1 is out of range; write a number from 0 to 1"),
        ("t4: 16", "t5: 16", ":8: unknown chip 't5'; write one of: a100-sxm-80"),
        ("t4: 16", "t4: 1.5", ":8: here stands the number 1.5; write a whole number"),
        ("t4: 16", "t4: -1", ":8: -1 is out of range; write a number from 0 to 1,000,000"),
        ("weight: 1}", "wait: 1}", ":10: unknown key 'wait'; did you mean 'weight'?"),
        (", weight: 1}", "}", ":10: 'weight' is missing; add it"),
        ("weight: 1}", "weight: 0}", ":10: 0 is out of range; write a number above 0"),
        ("share_milli: 500", "share_milli: 1000", ":10: 1,000 is out of range; write a number from 1 to 999"),
        ("share_milli: 500", "share_milli: 500, devices: 1", ":10: 'share_milli' beside 'devices'; give whole devices"),
        ("[t4, h100-sxm]", "[]", ":10: no chip type is accepted; name one, or leave chips out"),
        ("[t4, h100-sxm]", "[t4, t9]", ":10: unknown chip 't9'"),
        ("devices: 2", "devices: 65", ":11: 65 is out of range; write a number from 0 to 64"),
        (
            "500, weight: 0.5",
            "8000, devices: 2, weight: 1",
            ":12: these workers stand here twice; add up their weights",
        ),
    ],
)
def test_a_faulty_scoring_file_is_refused_with_its_line(tmp_path: Path, before: str, after: str, want: str) -> None:
    assert before in SMALL
    with pytest.raises(FileError) as error:
        read(tmp_path, SMALL.replace(before, after))
    assert f"scoring.yaml{want}" in str(error.value)


@pytest.mark.parametrize("count", [0, 513])
def test_a_mix_has_some_kinds_of_workers_and_not_too_many(tmp_path: Path, count: int) -> None:
    kinds = ", ".join(f"{{cpu_milli: {number}, weight: 1}}" for number in range(count))

    with pytest.raises(
        FileError, match=rf":1: {count} kinds of workers; name from 1 to 512 of them, or leave job_mix out"
    ):
        read(tmp_path, f"job_mix: [{kinds}]")
