"""`python -m harness` is `spacediff`."""

import sys

from harness.cli import main

sys.exit(main())
