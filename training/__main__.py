"""`python -m training` is `infant-arm`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
