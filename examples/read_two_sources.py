"""What a script and a Space set differently, without running either: `python read_two_sources.py [RUN.py ORG/NAME]`.

Without arguments it reads the two sources in own_space/. It needs no GPU. Without the extra `run`, defaults of the
library are unknown, and so less can be compared and patched.
"""

import sys
from pathlib import Path

import spacediff

here = Path(__file__).parent / "own_space"
script, space = sys.argv[1:3] or (here / "run.py", here / "app.py")
sources = spacediff.compare_sources(script, str(space))

for row in sources.differences:
    script_has, space_has = (f"{setting.value} ({setting.where})" for setting in (row.left, row.right))
    print(f"{row.path}: {script_has} in the script, {space_has} in the Space")
for ignored in sources.script.ignored:
    print(f"{ignored.argument} is ignored where the script gives it")
for change in sources.advice.by_hand:
    print(f"by hand: {change}")
print(sources.advice.patch)
