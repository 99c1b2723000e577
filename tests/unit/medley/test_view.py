from typing import Any

import pytest

from medley.live.view import View
from tests.builders.command import a_job, a_job_in_short, a_spec


def jobs() -> list[dict[str, Any]]:
    """Some of them in short, as a large server's are."""
    serving = a_spec(kind="inference", workers=1, devices_per_worker=2, replicas=3)
    roles = a_spec(workers=1, devices_per_worker=1, roles=[{"workers": 2, "devices_per_worker": 2, "chips": ["a"]}])
    return [
        a_job(name="five", state="running", submitted_at="2026-01-01T00:00:02.000000Z", spec=roles),
        a_job(name="six", state="queued", submitted_at="2026-01-01T00:00:01.000000Z", spec=serving),
        a_job_in_short(name="seven", state="starting", submitted_at="2026-01-01T00:00:03.000000Z", devices=7),
        a_job_in_short(name="none", state="running", submitted_at="2026-01-01T00:00:04.000000Z", devices=0),
    ]


def order(view: View) -> list[str]:
    return [job["name"] for job in view.ordered(jobs())]


@pytest.mark.parametrize(
    ("keys", "want"),
    [
        ("", ["five", "six", "seven", "none"]),
        ("a", ["six", "five", "seven", "none"]),
        ("aa", ["none", "seven", "five", "six"]),
        ("d", ["seven", "six", "five", "none"]),
        ("s", ["five", "none", "seven", "six"]),
        ("asd", ["seven", "six", "five", "none"]),
        ("x?", ["five", "six", "seven", "none"]),
    ],
)
def test_keys_put_jobs_in_order_and_again_turn_it_round(keys: str, want: list[str]) -> None:
    view = View()
    for key in keys:
        view = view.after(key, 1)
    assert order(view) == want


def test_keys_page_through_and_stop_at_both_ends() -> None:
    view = View()
    for key, page in (("p", 0), ("n", 1), (" ", 2), ("\x1b[6~", 2), ("\x1b[5~", 1), ("x", 1), ("b", 0), ("p", 0)):
        view = view.after(key, 3)
        assert view.page == page, key
    assert View(page=9).after("p", 3).page == 2, "jobs that ended meanwhile take their pages with them"


def test_another_order_begins_at_its_beginning_and_says_what_it_is() -> None:
    view = View(page=2).after("D", 3)
    assert (view.page, view.words()) == (0, " by devices")
    assert view.after("d", 3).words() == " by devices, turned round"
