"""A worker's place in the generation that its gang was called to."""

import pytest
from medley_runtime.api_client import ApiClient
from medley_runtime.endings import AttemptClosed, Left, RendezvousFailed
from medley_runtime.launch import Launch, parse_launch
from medley_runtime.regrouping.generation import REGROUPED_VARIABLE, as_of, next_launch, regrouped

from tests.builders.runtime import TOKEN, WorkerApi, gang_documents, serving


def launched(rank: int, api_url: str = "http://127.0.0.1:9") -> Launch:
    documents = gang_documents(4, generation=1, api_url=api_url)
    return parse_launch(documents[rank])


def silent(_text: str) -> None:
    """Nobody reads it."""


def test_who_stays_has_its_rank_among_fewer_and_who_does_not_leaves() -> None:
    with serving(WorkerApi(called=(2, 2))) as api:
        client = ApiClient(api.url, TOKEN, silent)
        stays = next_launch(launched(1, api.url), client)
        with pytest.raises(Left, match="rank 2 leaves: its gang goes on with 2, as generation 2") as left:
            next_launch(launched(2, api.url), client)
    assert (stays.generation, stays.rank, stays.world_size) == (2, 1, 2)
    assert (stays.in_program.rank, stays.in_program.world_size) == (1, 2)
    assert left.value.exit_code == 7


def test_it_is_asked_again_while_the_answer_is_behind_and_given_up_in_time() -> None:
    behind = (200, {"generation": 1, "world_size": 4})
    with serving(WorkerApi(called=(2, 3), scripted=[behind, behind])) as api:
        assert next_launch(launched(0, api.url), ApiClient(api.url, TOKEN, silent)).world_size == 3
    with serving(WorkerApi()) as api, pytest.raises(RendezvousFailed, match="called to no other generation"):
        next_launch(launched(0, api.url), ApiClient(api.url, TOKEN, silent), limit_s=0.0)
    with serving(WorkerApi(is_closed=True)) as api, pytest.raises(AttemptClosed):
        next_launch(launched(0, api.url), ApiClient(api.url, TOKEN, silent))


@pytest.mark.parametrize("text", ["", "3", "x:2", "2:"])
def test_a_command_that_was_not_started_anew_is_as_it_was_launched(text: str) -> None:
    launch = launched(1)
    assert regrouped(launch, {REGROUPED_VARIABLE: text} if text else {}) == launch


def test_a_command_that_was_started_anew_is_of_its_generation() -> None:
    assert regrouped(launched(1), {REGROUPED_VARIABLE: "3:2"}) == as_of(launched(1), 3, 2)
