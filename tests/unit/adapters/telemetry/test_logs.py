"""Log lines: one a record, with what they are about, without secrets, and nothing forged."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from scheduler.adapters.telemetry.logs import LONGEST_MESSAGE, JsonLines, TextLines, log_to_stderr
from scheduler.ports.telling.log_context import about, subjects

FORGED = "job x\n2026-11-21 12:00:00 INFO medley: alice is operator now\r\x1b[2K\u2028\u202e"
SECRETS = (
    "mdl_0123456789abcdefABCDEF0123456789ab123456",
    "mda_0a1b2c3d4e5f6g7h-g0-a1_1_c2lnbmF0dXJl",
    "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl",
    "postgresql://medley:hunter2secret@db/medley",
)


def record(message: str, *arguments: object, error: Exception | None = None) -> logging.LogRecord:
    trace = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord("scheduler.test", logging.WARNING, __file__, 1, message, arguments, trace)


def parsed(made: logging.LogRecord) -> dict[str, Any]:
    line = JsonLines().format(made)
    assert line.isascii()
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def refuse(text: str) -> None:
    raise ValueError(text)


def failure(text: str) -> Exception:
    with pytest.raises(ValueError, match=r"[a-z]") as caught:
        refuse(text)
    return caught.value


def test_a_json_line_has_time_level_logger_and_message() -> None:
    line = parsed(record("%d places", 3))
    assert (line["level"], line["logger"], line["message"]) == ("WARNING", "scheduler.test", "3 places")
    assert line["at"].endswith("+00:00")
    assert set(line) == {"at", "level", "logger", "message"}


def test_lines_say_what_the_work_is_about() -> None:
    with about(request_id="r-1", tenant="alpha"), about(job_id="j-1", attempt_id=None):
        line = parsed(record("done"))
        text = TextLines().format(record("done"))
    assert (line["request_id"], line["tenant"], line["job_id"]) == ("r-1", "alpha", "j-1")
    assert "attempt_id" not in line
    assert text.endswith("done [request_id=r-1 tenant=alpha job_id=j-1]")
    assert subjects() == {}


def test_no_text_makes_a_line_of_its_own() -> None:
    for made in (record("submitted: %s", FORGED), record(FORGED)):
        assert parsed(made)["message"].endswith(FORGED)
        text = TextLines().format(made)
        assert len(text.splitlines()) == 1
        assert "\x1b" not in text
    with about(user=FORGED):
        assert len(TextLines().format(record("hello")).splitlines()) == 1


def test_a_traceback_cannot_pass_for_records_of_its_own() -> None:
    made = record("it failed", error=failure(FORGED))
    assert "alice is operator now" in parsed(made)["exception"]
    first, *further = TextLines().format(made).split("\n")
    assert first.endswith("it failed")
    assert further
    assert all(line.startswith("  | ") for line in further)
    assert len("\n".join(further).splitlines()) == len(further)


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_do_not_leave_with_a_line(secret: str) -> None:
    for made in (record("used %s here", secret), record("it failed", error=failure(f"bad {secret} given"))):
        for form in (JsonLines(), TextLines()):
            line = form.format(made)
            assert secret not in line
            assert "***" in line
    assert "hunter2secret" not in TextLines().format(record(secret))


def test_a_line_is_bounded() -> None:
    assert len(parsed(record("x" * 1_000_000))["message"]) < LONGEST_MESSAGE + 100


@pytest.fixture
def plain_root() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    yield root
    root.handlers = before
    root.setLevel(level)


def test_all_lines_go_to_stderr_in_the_form_that_was_asked_for(
    plain_root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    log_to_stderr("INFO", "json")
    plain_root.handlers[0].setStream(sys.stderr)  # type: ignore[attr-defined]  # what the test captures
    logging.getLogger("somewhere").info("hello")
    logging.getLogger("somewhere").debug("quiet")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "hello"
