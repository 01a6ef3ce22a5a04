"""An interpreter that follows Python source with unknown values instead of running it.

`state` is what it knows, `interpreter` ties the steps together, and each other module holds one kind of node or step as
plain functions of the state. What a library does, it asks `library.Library` recognisers.
"""
