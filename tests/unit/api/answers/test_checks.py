from dataclasses import replace

from api.answers.checks import scheduler_check_answer
from scheduler.ports.views import MOST_CAPACITY_ERRORS, CounterError
from scheduler.services.questions.check_state import MOST_DIFFERENCES, StateCheck

EQUAL = StateCheck(7, is_equal=True, digest_in_memory="aa", digest_of_database="aa", differences=())
DIFFERENT = replace(EQUAL, is_equal=False, digest_of_database="bb", differences=("job a is in memory only",))
ERROR = CounterError("mixed/n1", "pods", 2, 1)


def test_where_all_is_equal_nothing_is_to_be_done() -> None:
    answer = scheduler_check_answer(EQUAL, ())
    assert answer.text == (
        "At change 7 the state in memory is what the database holds. "
        "The database's counters are what live attempts hold."
    )
    assert (answer.is_ok, answer.next, answer.differences, answer.capacity_errors) == (True, None, (), ())


def test_a_state_that_differs_says_in_how_much_and_what_to_do() -> None:
    one = scheduler_check_answer(DIFFERENT, ())
    assert "differs from the database in 1 part." in one.text
    assert not one.is_ok
    assert one.next is not None
    assert one.next.startswith("restart this server")
    many = scheduler_check_answer(replace(DIFFERENT, differences=("x",) * MOST_DIFFERENCES), ())
    assert f"in at least {MOST_DIFFERENCES} parts." in many.text


def test_counters_that_are_wrong_are_listed_though_memory_is_right() -> None:
    answer = scheduler_check_answer(EQUAL, [ERROR])
    assert (answer.is_ok, answer.is_equal) == (False, True)
    assert answer.capacity_errors == ("node mixed/n1: 2 of pods are counted, live attempts hold 1",)
    assert answer.text.endswith("differ from what live attempts hold in 1 place.")
    assert answer.next is not None
    assert "restart" not in answer.next
    many = scheduler_check_answer(EQUAL, [ERROR] * MOST_CAPACITY_ERRORS)
    assert f"in at least {MOST_CAPACITY_ERRORS} places." in many.text
