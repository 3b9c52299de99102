"""``python -m netinterf`` is the command ``netinterf``."""

import sys

from netinterf.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
