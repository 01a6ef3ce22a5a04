"""spacediff: does a video model give the same result locally as on a hosted Space, and if not, why?"""

__version__ = "0.2.0"
