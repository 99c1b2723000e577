"""The `medley` command: finds the command that is meant, loads only that one, and turns errors into exit codes."""

import io
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from medley.catalogue import SECTIONS, STANDARD_INPUT, help_text
from medley.errors import ApiProblem, BadUsage, MedleyError, OutputLost
from medley.exit_codes import ExitCode
from medley.screens.output import draw_as, talk, tell_error

if TYPE_CHECKING:
    from cyclopts import App

_HELP: tuple[list[str], ...] = (["--help"], ["-h"], ["help"], [])
_VERSION: tuple[list[str], ...] = (["--version"], ["-V"])


def main() -> int:
    """Run the command that the process was called with; return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        # What the locale cannot write is better written out than a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    return run(sys.argv[1:])


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit status. Prints every error, raises none that a user can cause."""
    try:
        if sys.stdout is None:
            raise OutputLost("stdout is closed")
        draw_as("table")
        status = _dispatch(list(arguments))
        sys.stdout.flush()
    except MedleyError as error:
        return _report(error)
    except KeyboardInterrupt:
        talk("interrupted")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read stdout has seen enough.
        _drop_output()
        return ExitCode.OK
    except OSError as error:
        why = error.strerror or str(error)
        if error.filename is not None:
            return _report(BadUsage(f"{error.filename} cannot be used: {why}"))
        _drop_output()
        return _report(OutputLost(why))
    return status


def _report(error: MedleyError) -> ExitCode:
    tell_error(error, request_id=error.request_id if isinstance(error, ApiProblem) else None)
    return error.exit_code


def _drop_output() -> None:
    """Let what Python still holds for stdout go nowhere, so that it does not raise again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch(arguments: list[str]) -> int:
    if arguments in _HELP:
        print(help_text())
        return ExitCode.OK
    # The parser takes a tenth of a second to load, which `medley --help` need not wait for.
    from cyclopts import CycloptsError  # noqa: PLC0415

    app = build_app()
    try:
        result = app(["version"] if arguments in _VERSION else [_spelled_out(word) for word in arguments])
    except CycloptsError as error:
        error.verbose = False
        hint = _subcommand_hint(app, error.command_chain or (), error.unused_tokens or ())
        next_step = " ".join(("medley", *(error.command_chain or ()), "--help"))
        raise BadUsage(f"{error}{hint}", next_step=next_step) from error
    return result if isinstance(result, int) else ExitCode.OK


def build_app() -> "App":
    """Return the parser with every command; none of them is loaded yet."""
    from cyclopts import App  # noqa: PLC0415 - as above

    app = App(
        name="medley",
        help_formatter="plain",
        version_flags=[],
        suppress_keyboard_interrupt=False,
        exit_on_error=False,
        print_error=False,
        result_action="return_value",
        group_parameters="Options",
    )
    for _, commands in SECTIONS:
        for command in commands:
            app.command(command.target, name=command.name, help=command.summary)
    return app


def _spelled_out(word: str) -> str:
    return STANDARD_INPUT if word == "-" else word


def _subcommand_hint(app: "App", chain: Sequence[str], unused: Sequence[str]) -> str:
    """`medley tokens creat` calls the list of tokens with one word too many: say which command was meant."""
    if not chain:  # the parser says it itself
        return ""
    for name in chain:
        app = app[name]
    names = [name for name in app if not name.startswith("-")]
    close = get_close_matches(unused[0], names, n=1) if unused else []
    return f" Did you mean `{' '.join(('medley', *chain, close[0]))}`?" if close else ""
