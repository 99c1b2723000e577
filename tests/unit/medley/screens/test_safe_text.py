import pytest

from medley.screens.safe_text import one_line, printable, rank_prefix, safe_output


def test_a_text_from_elsewhere_cannot_move_the_cursor() -> None:
    assert printable("a\x1b[2Kb\r\x9bc\x00") == "a�[2Kb��c�"
    assert printable("ä 北 \t ok") == "ä 北 \t ok"


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\u2028", "\ufeff", "\U000e0041", "\ud800"])
def test_a_text_from_elsewhere_hides_nothing_and_turns_nothing_around(hidden: str) -> None:
    assert printable(f"a{hidden}b") == "a�b"


def test_a_text_in_one_line_shows_its_breaks() -> None:
    assert one_line("if x:\n\ty()") == r"if x:\n\ty()"


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("plain \t text ä 北", "plain \t text ä 北"),
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m\x1b[0m"),
        ("\x1b[2J\x1b[Hgone", "␛[2J␛[Hgone"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("50 %\r60 %\r", "50 %␍60 %"),
        ("\x9b2K\x7f", "�2K�"),
        ("abc\u202edef", "abc�def"),
    ],
)
def test_output_of_a_program_keeps_its_colours_and_obeys_nothing_else(line: str, want: str) -> None:
    assert safe_output(line) == want


def test_ranks_are_told_apart_by_colours_that_neighbours_do_not_share() -> None:
    prefix = rank_prefix(12, is_coloured=True)
    assert prefix(3) == "\x1b[0;35m 3 |\x1b[0m "
    assert len({prefix(rank).partition("m")[0] for rank in range(12)}) == 12
    assert safe_output(prefix(3) + "on").startswith(prefix(3))


def test_without_colour_a_prefix_is_the_rank_and_one_rank_has_none() -> None:
    assert rank_prefix(12, is_coloured=False)(3) == "3 | "
    assert rank_prefix(1, is_coloured=True)(0) == ""
