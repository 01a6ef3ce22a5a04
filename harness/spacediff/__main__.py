"""`python -m spacediff` is `spacediff`."""

import sys

from spacediff.cli.commands import main

sys.exit(main())
