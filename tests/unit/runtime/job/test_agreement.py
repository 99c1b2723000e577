from medley_runtime.job.agreement import MOST_STEPS, NOTHING, Agreement, Wishes


def test_a_lone_worker_agrees_with_itself_at_every_step() -> None:
    agreement = Agreement(None, is_first=True)

    assert agreement.ask(lambda: Wishes(stop=True)) == Wishes(stop=True)
    assert agreement.ask(lambda: NOTHING) == NOTHING


def test_what_any_rank_wishes_all_do() -> None:
    agreement = Agreement(lambda figures: [1.0, 0.0, 700.0, figures[3], 3.0], is_first=False)

    assert agreement.ask(lambda: NOTHING) == Wishes(stop=True, save=False, memory_mib=700, generation=3)


def test_quick_steps_are_agreed_upon_now_and_then_and_slow_ones_always() -> None:
    now = 0.0
    asked: list[float] = []

    def exchange(figures: list[float]) -> list[float]:
        asked.append(now)
        return figures

    agreement = Agreement(exchange, is_first=True, clock=lambda: now)
    for _ in range(1_000):
        now += 0.001
        agreement.ask(lambda: NOTHING)
    assert 8 <= len(asked) <= 20
    asked.clear()
    for _ in range(300):
        now += 1.0
        agreement.ask(lambda: NOTHING)
    assert len(asked) >= 200


def test_steps_that_take_no_time_are_still_agreed_upon() -> None:
    exchanged: list[list[float]] = []

    def exchange(figures: list[float]) -> list[float]:
        exchanged.append(figures)
        return figures

    agreement = Agreement(exchange, is_first=True, clock=lambda: 0.0)

    for _ in range(2 * MOST_STEPS + 1):
        agreement.ask(lambda: NOTHING)

    assert len(exchanged) == 3


def test_only_the_first_rank_says_how_often() -> None:
    told: list[float] = []

    def exchange(figures: list[float]) -> list[float]:
        told.append(figures[3])
        return [0.0, 0.0, 0.0, 1.0, 0.0]

    agreement = Agreement(exchange, is_first=False, clock=lambda: 0.0)
    agreement.ask(lambda: NOTHING)
    agreement.ask(lambda: NOTHING)

    assert told == [0.0, 0.0]
