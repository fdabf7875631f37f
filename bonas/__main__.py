"""`python -m bonas`, the same as `bonas`."""

import sys

from bonas.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
