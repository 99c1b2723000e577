"""`python -m medley` is the `medley` command."""

import sys

from medley.main import main

if __name__ == "__main__":
    sys.exit(main())
