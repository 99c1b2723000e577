import socket

from scheduler.adapters.local.serving.ports import LOOPBACK, Ports


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def test_the_first_server_gets_the_port_it_wants_and_the_next_ones_others() -> None:
    ports, wanted = Ports(), a_free_port()
    given = [ports.take(wanted) for _ in range(5)]
    assert given[0] == wanted
    assert len(set(given)) == len(given)


def test_a_port_that_somebody_listens_on_is_not_given() -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        taken = int(listener.getsockname()[1])
        assert Ports().take(taken) != taken
