from medley.client import Client
from medley.following.log_reader import LineCutter, LogReader
from tests.builders.command import JOB_ID, TOKEN, Reply, a_scripted_server

ROUTE = f"GET /v1/jobs/{JOB_ID}/logs"


def _page(*texts: str, cursor: str, is_complete: bool) -> Reply:
    entries = [{"attempt": 1, "rank": 0, "text": text, "skipped_bytes": 0} for text in texts]
    return Reply(body={"entries": entries, "next": cursor, "is_complete": is_complete})


def test_a_reader_goes_on_where_it_stopped_until_all_is_read() -> None:
    with a_scripted_server() as server, Client(server.address, TOKEN) as client:
        pages = (("one",), "c1", False), ((), "c1", False), (("two",), "c2", True)
        server.on(ROUTE, *(_page(*texts, cursor=cursor, is_complete=done) for texts, cursor, done in pages))
        reader = LogReader(client, JOB_ID, attempt=1, rank=0)
        assert [entry["text"] for entry in reader.new_entries()] == ["one"]
        assert not reader.is_complete
        assert [entry["text"] for entry in reader.new_entries()] == ["two"]
        assert reader.is_complete
        assert list(reader.new_entries()) == []
        assert [request.query.get("cursor") for request in server.requests] == [None, ["c1"], ["c1"]]
        assert server.requests[0].query == {"attempt": ["1"], "rank": ["0"]}


def _piece(rank: int, text: str, *, skipped: int = 0) -> dict[str, object]:
    return {"attempt": 1, "rank": rank, "text": text, "skipped_bytes": skipped}


def test_pieces_of_several_ranks_become_whole_lines_with_their_rank() -> None:
    cutter = LineCutter("{} | ".format)
    assert list(cutter.lines(_piece(0, "he"))) == []
    assert list(cutter.lines(_piece(1, "there\nand"))) == ["1 | there"]
    assert list(cutter.lines(_piece(0, "llo\n\n"))) == ["0 | hello", "0 | "]
    assert list(cutter.rests()) == ["1 | and"]
    assert list(cutter.rests()) == []


def test_lost_output_is_not_passed_over_in_silence() -> None:
    assert list(LineCutter(lambda _rank: "").lines(_piece(0, "on\n", skipped=4096))) == [
        "... 4,096 older bytes are no longer kept ...",
        "on",
    ]
