from contextlib import ExitStack

from api.streaming.streams import Streams


def test_no_tenant_takes_the_room_of_the_others() -> None:
    streams = Streams(5, 2)
    with ExitStack() as entered:
        tenants = ("demo", "demo", "demo", "beta", None, None, None)
        assert [entered.enter_context(streams.enter(tenant)) for tenant in tenants] == [
            *(True, True, False),
            True,
            *(True, True, False),
        ]
        assert not entered.enter_context(streams.enter("gamma"))


def test_what_left_makes_room_and_what_had_none_takes_none_along() -> None:
    streams = Streams(1, 1)
    for _ in range(3):
        with streams.enter("demo") as first, streams.enter("demo") as second:
            assert (first, second) == (True, False)
