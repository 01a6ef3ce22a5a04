"""spacediff: does a video model give the same result locally as on a hosted Space, and if not, why?

The public names are listed in `__init__.pyi` and described in docs/api.md. Each is imported when it is first used (PEP
562, through lazy_loader), so that `import spacediff` is quick and loads no heavy library.
"""

import lazy_loader

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
