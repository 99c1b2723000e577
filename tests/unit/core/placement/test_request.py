from tests.builders.core import make_request, make_shape


def test_workers_are_added_up_per_chip_type_in_the_order_of_first_mention() -> None:
    request = make_request({"mlu": 2, "h100": 1}, shape=make_shape(2))
    assert list(request.totals().items()) == [("mlu", 2), ("h100", 1)]


def test_a_chip_type_mentioned_twice_counts_once_with_all_its_workers() -> None:
    request = make_request(3)
    doubled = type(request)(request.shape, (*request.workers, *request.workers), choice=1, choices=1)
    assert doubled.totals() == {"h100": 6}
