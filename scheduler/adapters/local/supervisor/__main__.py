"""Start the supervisors of a gang: `python -I -S .../supervisor/__main__.py ATTEMPT_FOLDER REPORT_FD RANK...`.

The process that was called loads what they need once, makes them and ends, so the server has nothing to reap later.
"""

import os
import sys

# Last on the path: nothing of ours can stand before the standard library.
sys.path.append(os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "..", "..")))

from scheduler.adapters.local.supervisor.supervise import main

attempt_folder, report, *ranks = sys.argv[1:]
for rank in ranks:
    if os.fork() == 0:
        os.setsid()
        main(os.path.join(attempt_folder, rank), int(report))
        break
os._exit(0)
