"""Python's collector of garbage, which rests while large libraries are imported.

The key insight: importing leaves hardly any garbage, but hundreds of thousands of objects that stay, and the collector
goes through them again and again. That is a sixth of the processor time of importing torch.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_were_collecting: list[bool] = []
"""Whether it was collecting before each block that is entered, the outermost first."""


@contextmanager
def without_collecting() -> Iterator[None]:
    """Collect no garbage, in the whole process; afterwards as before.

    Blocks may overlap, in one thread and in several: the end of the last one lets it collect again.
    """
    with _lock:
        _were_collecting.append(gc.isenabled())
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            before = _were_collecting[0]
            _were_collecting.pop()
            if before and not _were_collecting:
                gc.enable()
