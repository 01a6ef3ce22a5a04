"""Read settings from Python source without running it; see `spacediff.reading.reader`.

The names in `__init__.pyi` are imported when they are first used, since what reads no source, such as a comparison of
two files, needs modules of this package that follow nothing.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
