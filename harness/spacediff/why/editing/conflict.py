"""The error of edits that exclude each other."""


class ConflictError(Exception):
    """Two operations exclude each other; the message says which."""
