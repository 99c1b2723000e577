from scheduler.adapters.kubernetes.nodes.strikes import MOST_NODES, Strikes


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_strike_lets_a_node_rest_for_a_minute() -> None:
    clock = Clock()
    strikes = Strikes(clock)

    strikes.note("n1", "nothing started")

    rest = strikes.rest("n1")
    assert rest is not None
    assert (rest.why, rest.strikes, rest.until_s) == ("nothing started", 1, 1060.0)
    clock.now_s = 1060.0
    assert strikes.rest("n1") is None
    assert strikes.rest("n2") is None


def test_the_rest_doubles_with_each_further_strike_up_to_half_an_hour() -> None:
    clock = Clock()
    strikes = Strikes(clock)
    lengths = []

    for _ in range(8):
        rest = strikes.note("n1", "again")
        lengths.append(rest.until_s - clock.now_s)
        clock.now_s = rest.until_s

    assert lengths == [60, 120, 240, 480, 960, 1800, 1800, 1800]


def test_pods_that_fail_together_count_once() -> None:
    strikes = Strikes(Clock())

    for _ in range(64):
        rest = strikes.note("n1", "gang")

    assert rest.strikes == 1


def test_a_good_start_takes_strikes_back() -> None:
    clock = Clock()
    strikes = Strikes(clock)
    clock.now_s = strikes.note("n1", "one").until_s

    assert strikes.forgive("n1")
    assert not strikes.forgive("n1")

    assert strikes.note("n1", "two").strikes == 1


def test_a_start_during_its_rest_does_not_end_it() -> None:
    strikes = Strikes(Clock())
    strikes.note("n1", "it refused a pod")

    assert not strikes.forgive("n1")

    assert strikes.rest("n1") is not None


def test_a_bounded_number_of_nodes_is_remembered() -> None:
    strikes = Strikes(Clock())

    for number in range(MOST_NODES + 1):
        strikes.note(f"n{number}", "why")

    assert strikes.rest("n0") is None
    assert strikes.rest("n1") is not None
