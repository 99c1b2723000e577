"""Start a supervisor: `python -I -S .../supervisor/__main__.py WORKER_FOLDER REPORT_FD`.

The process that was called ends at once and its child is the supervisor, so the server has nothing to reap later.
"""

import os
import sys

if os.fork():
    os._exit(0)

# Last on the path: nothing of ours can stand before the standard library.
sys.path.append(os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "..", "..")))

from scheduler.adapters.local.supervisor.supervise import main

main(sys.argv[1], int(sys.argv[2]))
