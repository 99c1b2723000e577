"""Log lines: one line a record whatever is in it, with what it is about, and without secrets."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Literal

from scheduler.ports.telling.log_context import FIELDS, subjects

LONGEST_MESSAGE = 8_000
LONGEST_TRACEBACK = 20_000
_FRAME = "  | "
"""Before each further line of a record, where lines are for people: none of them looks like a record of its own."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_CONTROL_BUT_NEWLINE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SECRETS = (
    (re.compile(r"\b(md[a-z]_)[A-Za-z0-9._~+/=-]{6,}"), r"\1***"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 ***"),
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)"), r"\1***"),
)
"""Medley's own tokens, credentials of a header, passwords in URLs: nobody logs them on purpose."""


class JsonLines(logging.Formatter):
    """One JSON object a line: `at` (UTC), `level`, `logger`, `message`, what it is about, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _cut(_without_secrets(record.getMessage()), LONGEST_MESSAGE),
            **_about(),
        }
        traceback = _traceback(self, record)
        if traceback:
            fields["exception"] = traceback
        return json.dumps(fields, ensure_ascii=True)


class TextLines(logging.Formatter):
    """A line for people; a traceback follows in lines that are marked as belonging to it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created, UTC).astimezone().isoformat(" ", timespec="milliseconds")
        message = _cut(_without_secrets(record.getMessage()), LONGEST_MESSAGE)
        about = " ".join(f"{name}={value}" for name, value in _about().items())
        line = _CONTROL.sub(
            _escaped, f"{at} {record.levelname} {record.name}: {message}{f' [{about}]' if about else ''}"
        )
        traceback = _traceback(self, record)
        if not traceback:
            return line
        further = (_CONTROL_BUT_NEWLINE.sub(_escaped, one) for one in traceback.split("\n"))
        return "\n".join([line, *(_FRAME + one for one in further)])


def log_to_stderr(level: str, form: Literal["text", "json"]) -> None:
    """Send all log lines of this process to stderr, in this form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)  # a line per plugin says nothing


def _about() -> dict[str, str]:
    bound = subjects()
    return {name: bound[name] for name in FIELDS if name in bound}


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    text = formatter.formatException(record.exc_info) if record.exc_info else ""
    return _cut(_without_secrets(text), LONGEST_TRACEBACK)


def _without_secrets(text: str) -> str:
    for secret, instead in _SECRETS:
        text = secret.sub(instead, text)
    return text


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]} ... ({len(text) - longest} more characters)"


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
