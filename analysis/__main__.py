"""``python -m analysis``: the same analyses without a browser."""

import sys

from analysis.cli import main

sys.exit(main())
