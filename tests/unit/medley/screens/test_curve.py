from medley.screens.curve import curve


def test_a_falling_figure_is_drawn_falling() -> None:
    assert curve([8, 7, 6, 5, 4, 3, 2, 1], width=40) == "█▇▆▅▄▃▂▁"


def test_many_values_share_the_blocks_of_the_width() -> None:
    drawn = curve([float(number) for number in range(1000)], width=8)
    assert drawn == "▁▂▃▄▅▆▇█"


def test_equal_values_are_a_flat_line_and_no_values_are_nothing() -> None:
    assert curve([2.5, 2.5, 2.5], width=10) == "▁▁▁"
    assert curve([], width=10) == ""
