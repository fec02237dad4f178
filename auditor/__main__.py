"""``python -m auditor``: the same as the console script ``auditor``."""

import sys

from auditor.cli import main

if __name__ == "__main__":
    sys.exit(main())
