"""The process of a worker."""

import os
import sys

from medley_runtime.worker import run

if __name__ == "__main__":
    exit_code = run(os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of a collective library whose peer has died can block an orderly interpreter shutdown for minutes.
    os._exit(exit_code)
