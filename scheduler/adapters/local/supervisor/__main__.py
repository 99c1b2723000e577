"""Start the supervisors of a gang: `python -I -S .../supervisor/__main__.py FILES ATTEMPT_FOLDER REPORT_FD RANK...`.

FILES is how many files a worker may have open unless it asks for more: the server has raised its own limit, and some
programs take long where it is high. The process that was called loads what they need once, makes them and ends, so the
server has nothing to reap later.
"""

import os
import resource
import sys

# Last on the path: nothing of ours can stand before the standard library.
sys.path.append(os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "..", "..")))

from scheduler.adapters.local.supervisor.supervise import main

files, attempt_folder, report, *ranks = sys.argv[1:]
_, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(int(files), most_files), most_files))
for rank in ranks:
    if os.fork() == 0:
        os.setsid()
        main(os.path.join(attempt_folder, rank), int(report))
        break
os._exit(0)
