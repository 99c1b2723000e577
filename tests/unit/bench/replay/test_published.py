"""The figures that the trace's authors printed."""

from pathlib import Path

from bench.replay.published import SUMMARY, published

TEXT = """variant,sc_policy,100_mean,100_std,130_mean,130_std
default,01-Random,86.3,0.3,87.5,0.3
default,02-DotProd,90.6,0.3,90.9,0.3
default,06-FGD,95.23,0.11,95.39,0.08
"""


def test_means_are_known_by_variant_row_and_percent(tmp_path: Path) -> None:
    (tmp_path / SUMMARY).write_text(TEXT)
    assert published(tmp_path) == {
        ("default", "random", 100): 86.3,
        ("default", "random", 130): 87.5,
        ("default", "fgd", 100): 95.23,
        ("default", "fgd", 130): 95.39,
    }


def test_where_there_is_no_such_file_nothing_was_published(tmp_path: Path) -> None:
    assert published(tmp_path) == {}
