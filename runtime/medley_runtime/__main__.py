"""The process of a worker; with `run -- COMMAND` that of a command of one's own."""

import os
import sys

from medley_runtime.worker import run

if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        from medley_runtime import run_command

        exit_code = run_command.run(sys.argv[2:], os.environ)
    else:
        exit_code = run(os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of a collective library whose peer has died can block an orderly interpreter shutdown for minutes.
    os._exit(exit_code)
