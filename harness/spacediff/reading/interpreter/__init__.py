"""An interpreter that follows Python source with unknown values instead of running it."""
