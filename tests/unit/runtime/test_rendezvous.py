import pytest
from medley_runtime.api_client import ApiClient
from medley_runtime.endings import AttemptClosed, RendezvousFailed
from medley_runtime.launch import parse_launch
from medley_runtime.rendezvous import Address, ask_address, listen, own_host, parse_address, register_address

from tests.builders.runtime import TOKEN, WorkerApi, launch_document, serving

RANK_0 = parse_launch(launch_document(world_size=2))
RANK_1 = parse_launch(launch_document(world_size=2, rank=1))


def client_of(api: WorkerApi) -> ApiClient:
    return ApiClient(api.url, TOKEN, print)


def test_what_rank_0_registers_the_others_get() -> None:
    with serving(WorkerApi()) as api:
        register_address(RANK_0, client_of(api), Address("10.0.0.5", 4123))
        assert ask_address(RANK_1, client_of(api)) == Address("10.0.0.5", 4123)

    assert api.requests[1] == "GET /v1/attempts/attempt-1/rendezvous?generation=7&wait_s=20"


def test_the_others_ask_again_until_rank_0_has_registered() -> None:
    not_ready = (404, {"code": "rendezvous-not-ready"})
    with serving(WorkerApi(address="127.0.0.1:5", scripted=[not_ready, not_ready])) as api:
        assert ask_address(RANK_1, client_of(api)) == Address("127.0.0.1", 5)

    assert len(api.requests) == 3


def test_a_rank_0_that_never_registers_is_given_up() -> None:
    api = WorkerApi(scripted=[(404, {"code": "rendezvous-not-ready"})] * 100)
    with serving(api), pytest.raises(RendezvousFailed, match="see the log of rank 0"):
        ask_address(RANK_1, client_of(api), limit_s=0.2)


def test_an_unknown_attempt_ends_the_rendezvous_at_once() -> None:
    refusals = [(404, {"code": "attempt-not-found"})] * 2
    with serving(WorkerApi(scripted=refusals)) as api:
        with pytest.raises(RendezvousFailed, match="attempt-not-found"):
            ask_address(RANK_1, client_of(api))
        with pytest.raises(RendezvousFailed, match="attempt-not-found"):
            register_address(RANK_0, client_of(api), Address("127.0.0.1", 5))


def test_a_closed_attempt_ends_the_worker() -> None:
    with serving(WorkerApi(is_closed=True)) as api:
        with pytest.raises(AttemptClosed):
            ask_address(RANK_1, client_of(api))
        with pytest.raises(AttemptClosed):
            register_address(RANK_0, client_of(api), Address("127.0.0.1", 5))


@pytest.mark.parametrize("address", [Address("127.0.0.1", 80), Address("::1", 80), Address("node-7", 65535)])
def test_addresses_survive_being_written_and_read(address: Address) -> None:
    assert parse_address(str(address)) == address


@pytest.mark.parametrize("text", ["", "host", "host:", ":80", "host:port"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(RendezvousFailed, match="not host:port"):
        parse_address(text)


def test_a_loopback_api_gives_a_loopback_address_to_listen_on() -> None:
    host = own_host("http://127.0.0.1:8080")

    assert host == "127.0.0.1"
    with listen(host) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        assert listener.getsockname()[1] > 0


def test_an_api_without_an_address_is_named() -> None:
    with pytest.raises(RendezvousFailed, match=r"no way to the API at http://nowhere\.invalid"):
        own_host("http://nowhere.invalid")


def test_an_address_of_another_machine_cannot_be_listened_on() -> None:
    with pytest.raises(RendezvousFailed, match=r"cannot listen on 192\.0\.2\.1"):
        listen("192.0.2.1")
