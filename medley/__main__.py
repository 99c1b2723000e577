"""What `medley` and `python -m medley` begin with: nothing is loaded before Ctrl-C has a quiet answer."""

import sys


def start() -> int:
    """Load the command and run it; return its exit status."""
    try:
        from medley.main import main  # noqa: PLC0415 - it takes a moment, in which somebody may change their mind

        return main()
    except KeyboardInterrupt:
        from medley.exit_codes import ExitCode  # noqa: PLC0415

        return ExitCode.INTERRUPTED


if __name__ == "__main__":
    sys.exit(start())
