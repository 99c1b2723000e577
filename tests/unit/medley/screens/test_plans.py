"""A plan as it is drawn: lines of text that fit, and a picture that a browser takes."""

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from medley.answers import Json
from medley.screens.plans.amounts import batch_text, chips_text, gib, step_text
from medley.screens.plans.picture import picture
from medley.screens.plans.pipeline import memory_bar, timeline_lines
from medley.screens.plans.whole import print_plans
from tests.builders.plans import a_plan, a_plan_file, a_plan_of_one_vendor

TIMELINE: Json = {
    "micro_batches": 1,
    "computed_s": 0.24,
    "stages": [
        {"forward_s": [[0.0, 0.06]], "backward_s": [[0.12, 0.24]]},
        {"forward_s": [[0.06, 0.08]], "backward_s": [[0.08, 0.12]]},
    ],
}
FOUND: Json = {"plan": a_plan_file().document, "timeline": TIMELINE}


@pytest.fixture
def drawn(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return what is printed of a plan."""

    def draw(found: Json = FOUND) -> str:
        print_plans(answer(plans=[found]), 1, has_earlier=False)
        return capsys.readouterr().out

    return draw


def answer(**changes: Any) -> Json:
    summary = {**a_plan_file().document["prediction"], "devices": {"h100-sxm": 4}, "step_s": 3.2}
    alone = {"way": "one_vendor", "vendor": "NVIDIA", "text": "", "plan": summary}
    even = {"way": "even", "vendor": None, "text": "", "plan": None}
    found: Json = {
        "plans": [FOUND, {"plan": a_plan_file(plan=a_plan(), why="").document, "timeline": None}],
        "comparisons": [alone, even],
        "earlier": None,
        "trial": None,
        "faster": [{"text": f"Help {number}."} for number in range(7)],
        "finishes": [{"text": "Now."}],
        "left_out": [],
    }
    return found | changes


def test_what_a_plan_is_stands_above_its_stages(drawn: Callable[..., str]) -> None:
    first, second, *_ = drawn().splitlines()
    assert first == "4 h100-sxm and 4 ascend-910b2: 2 replicas of 2 stages, 8 micro-batches of 2 sequences each"
    assert second == "1.60 s a step (1.50 s to 1.80 s), 40,960 tokens/s, 75 % of ideal, MFU 41 %"


def test_each_stage_has_its_layers_memory_and_what_it_sends_by(drawn: Callable[..., str]) -> None:
    row = next(line for line in drawn().splitlines() if line.lstrip().startswith("0  h100-sxm"))
    assert "5 (0-4)" in row
    assert "33 of 57 GiB" in row
    assert "4 ms through hosts, 1 ahead" in row


def test_a_rate_that_nobody_measured_is_marked_and_explained(drawn: Callable[..., str]) -> None:
    said = drawn()
    assert "ascend-910b2?" in said
    assert "nobody measured what this chip does" in said
    measured = {"plan": a_plan_file(plan=a_plan_of_one_vendor(5, 3)).document, "timeline": None}
    said = drawn(measured)
    assert "nobody measured" not in said
    assert "direct" in said


def test_a_timeline_shows_what_fills_most_of_each_cell() -> None:
    said, first, second, axis = timeline_lines(TIMELINE, a_plan_file().document, width=28)
    assert said.endswith("(predicted, 1 of 8 micro-batches)")
    assert first == "0 |░░░░░░      ████████████|"
    assert second == "1 |      ░░████            |"
    assert axis.endswith("0.24 s")


@pytest.mark.parametrize("width", [1, 40, 80, 400])
def test_a_timeline_fits_the_window_unless_that_is_tiny(width: int) -> None:
    lines = list(timeline_lines(TIMELINE, a_plan_file().document, width=width))[1:]
    assert all(len(line) <= max(width, 28) for line in lines)


def test_a_bar_is_full_at_the_limit_and_marked_above_it() -> None:
    assert memory_bar(30, 60) == "▓" * 10 + "·" * 10
    assert memory_bar(60, 60) == "▓" * 20
    assert memory_bar(90, 60) == "▓" * 20 + "!"


def test_amounts_have_as_many_digits_as_anybody_reads() -> None:
    assert [step_text(amount) for amount in (0.0844, 1.6, 34.21, 379.0)] == ["84.4 ms", "1.60 s", "34.2 s", "379 s"]
    assert [gib(count << 30) for count in (0, 7, 104)] == ["0.0", "7.0", "104"]
    assert batch_text(a_plan_file(plan=a_plan_of_one_vendor(8)).document).startswith("2 replicas of 1 stage, ")
    assert chips_text(a_plan_file(plan=a_plan_of_one_vendor(8)).document) == "4 h100-sxm"


def test_a_picture_is_an_image_that_says_what_it_shows() -> None:
    root = ET.fromstring(picture(FOUND, "small <model>"))
    assert root.tag.endswith("svg")
    assert root.get("role") == "img"
    text = " ".join(root.itertext())
    assert "small <model>" in text
    assert "stage 1: layers 5-7 on ascend-910b2" in text
    assert "Timeline (predicted, 1 of 8 micro-batches)" in text


def test_everything_in_a_picture_is_inside_of_it() -> None:
    root = ET.fromstring(picture(FOUND, "small"))
    _, _, width, height = map(float, str(root.get("viewBox")).split())
    for part in root.iter():
        if part.tag.endswith(("rect", "text")):
            x, y = float(part.get("x", 0)), float(part.get("y", 0))
            assert 0 <= x <= x + float(part.get("width", 0)) <= width
            assert 0 <= y <= y + float(part.get("height", 0)) <= height


def test_a_picture_without_a_timeline_ends_with_the_memory() -> None:
    assert "Timeline" not in picture({**FOUND, "timeline": None}, "small")


def test_the_whole_answer_has_what_is_beside_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    print_plans(answer(), 1, has_earlier=True)
    said = capsys.readouterr().out
    assert "The next best takes 1.8 s a step." in said
    assert "NVIDIA alone" in said
    assert "2.00" in said
    assert "does not fit into memory" in said
    assert "The earlier plan has no place any more on what is free." in said
    assert "Help 4." in said
    assert "Help 5." not in said
    assert "and 2 more, see -o json" in said
    assert "Free chips" not in said
