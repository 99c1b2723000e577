from dataclasses import replace

import pytest

from scheduler.adapters.kubernetes.logs.lines import Lines, Position
from tests.unit.adapters.kubernetes.logs.printing import stamp

SECOND = 10**9


def log(*lines: tuple[int, bytes]) -> bytes:
    return b"".join(stamp(at_ns) + b" " + text + b"\n" for at_ns, text in lines)


def taken(content: bytes, position: Position, *, by: int = 7) -> bytes:
    """Take a log in small pieces."""
    lines = Lines(position)
    return b"".join(lines.take(content[at : at + by]) for at in range(0, len(content), by))


@pytest.mark.parametrize("by", [1, 7, 31, 10_000])
def test_timestamps_are_taken_off(by: int) -> None:
    content = log((0, b"one"), (1, b""), (2, b"2026-01-01T00:00:00Z looks like one"))

    assert taken(content, Position(), by=by) == b"one\n\n2026-01-01T00:00:00Z looks like one\n"


def test_what_was_taken_before_is_not_taken_again() -> None:
    position = Position()
    first = taken(log((0, b"a"), (SECOND, b"b")), position)

    second = taken(log((0, b"a"), (SECOND, b"b"), (SECOND + 1, b"c")), position)

    assert (first, second) == (b"a\nb\n", b"c\n")
    assert taken(log((SECOND, b"b"), (SECOND + 1, b"c")), position) == b""


def test_lines_of_one_moment_are_told_apart_by_their_number() -> None:
    position = Position()
    assert taken(log((5, b"a"), (5, b"b")), position) == b"a\nb\n"

    assert taken(log((5, b"a"), (5, b"b"), (5, b"c"), (5, b"d")), position) == b"c\nd\n"
    assert taken(log((5, b"a"), (5, b"b"), (5, b"c"), (5, b"d"), (6, b"e")), position) == b"e\n"


@pytest.mark.parametrize("length", range(1, 45))
def test_a_log_cut_anywhere_is_taken_on_without_loss_or_repetition(length: int) -> None:
    content = log((5, b"hello"), (5, b"there"), (6, b"end"))
    position = Position()

    first = taken(content[:length], position)
    second = taken(content, position)

    assert first + second == b"hello\nthere\nend\n"


def test_a_line_that_is_not_whole_yet_comes_as_far_as_it_is() -> None:
    position = Position()

    assert taken(stamp(5) + b" 10%\r20%", position) == b"10%\r20%"
    assert taken(stamp(5) + b" 10%\r20%\r30%\n", position) == b"\r30%\n"
    assert not position.is_open


def test_a_clock_that_steps_back_while_the_log_is_followed_loses_nothing() -> None:
    assert taken(log((9 * SECOND, b"a"), (2 * SECOND, b"b")), Position()) == b"a\nb\n"


def test_zones_and_short_fractions_are_understood() -> None:
    position = Position()
    content = b"2026-11-21T20:00:00.5+08:00 a\n2026-11-21T12:00:00.75Z b\n"

    assert taken(content, position) == b"a\nb\n"
    assert taken(content, position) == b""
    assert position.since == "2026-11-21T12:00:00Z"


def test_nothing_taken_asks_for_everything() -> None:
    assert Position().since is None


def test_a_line_without_a_timestamp_is_the_kubelets_complaint() -> None:
    position = Position()
    lines = Lines(position)

    assert lines.take(b"unable to retrieve container logs for containerd://abc") == b""

    assert lines.complaint == "unable to retrieve container logs for containerd://abc"[: len(lines.complaint)]
    assert lines.complaint.startswith("unable to retrieve")
    assert replace(position) == Position()


def test_a_timestamp_that_is_none_is_no_timestamp() -> None:
    assert taken(b"2026-99-99T99:99:99Z x\n", Position()) == b""
