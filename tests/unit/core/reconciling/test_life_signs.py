"""Who has gone silent, and who stands still."""

import pytest

from scheduler.core.model.group import StopReason
from scheduler.core.reconciling.life_signs import LifeSign, Patience, Watched, look_again, verdict

PATIENCE = Patience(silence_s=60, stall_s=600)


def sign(beats: int, reports: int = 0, generation: int = 1, attempt: str = "a") -> LifeSign:
    return LifeSign(attempt, generation, beats, reports)


def after(*looks: tuple[LifeSign, float]) -> Watched:
    """Return attempt `a` after looks that saw these signs, so many seconds after the look before."""
    watched: dict[str, Watched] = {}
    for seen, elapsed_s in looks:
        watched = look_again(watched, [seen], elapsed_s=elapsed_s)
    return watched["a"]


def test_silence_adds_up_from_look_to_look_and_ends_with_the_next_heartbeat() -> None:
    assert after((sign(1), 5), (sign(1), 5), (sign(1), 5)).silent_s == 10
    assert after((sign(1), 5), (sign(1), 5), (sign(2), 5)).silent_s == 0


def test_a_standstill_adds_up_while_heartbeats_come() -> None:
    watched = after((sign(1, 3), 5), (sign(2, 3), 5), (sign(3, 3), 5))

    assert (watched.silent_s, watched.stalled_s) == (0, 10)
    assert after((sign(1, 3), 5), (sign(2, 4), 5)).stalled_s == 0


def test_the_first_look_and_another_generation_count_anew() -> None:
    assert after((sign(1), 1_000)).silent_s == 0
    assert after((sign(1), 5), (sign(1), 5), (sign(1, generation=2), 5)).silent_s == 0


def test_who_is_over_is_forgotten() -> None:
    assert look_again({"a": Watched(sign(1))}, [sign(1, attempt="b")], elapsed_s=5).keys() == {"b"}


@pytest.mark.parametrize(
    ("watched", "want"),
    [
        (Watched(sign(1), silent_s=60), None),
        (Watched(sign(1), silent_s=61), StopReason.SILENT),
        (Watched(sign(1, 1), silent_s=61, stalled_s=601), StopReason.SILENT),
        (Watched(sign(9, 1), stalled_s=601), StopReason.STALLED),
        (Watched(sign(9, 1), stalled_s=600), None),
        (Watched(sign(9, 0), stalled_s=9_999), None),
    ],
)
def test_an_attempt_is_ended_once_patience_is_at_its_end(watched: Watched, want: StopReason | None) -> None:
    assert verdict(watched, PATIENCE) is want


def test_who_may_stand_still_for_ever_is_let_be() -> None:
    assert verdict(Watched(sign(9, 1), stalled_s=1e9), Patience(60, None)) is None
