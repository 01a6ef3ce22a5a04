"""Errors of the libraries while they load, in words that name what was loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from spacediff.errors import CheckpointUnavailable, NotMeasuredError, OutOfMemory, causes_of, failure, is_out_of_memory


@contextmanager
def naming(subject: str, hint: str = "") -> Iterator[None]:
    """Turn an error inside the block into one that names what could not be loaded.

    Args:
        subject: What is loaded, such as `the checkpoint ./models/x`.
        hint: What to do about it.

    Raises:
        OutOfMemory: There is too little memory for it.
        CheckpointUnavailable: It cannot be loaded for another reason.
    """
    import torch

    try:
        yield
    except NotMeasuredError:
        raise
    except Exception as error:
        said = f"{subject} could not be loaded: {_root_cause(error)}"
        if is_out_of_memory(error):
            raise OutOfMemory(said, host=not isinstance(error, torch.OutOfMemoryError)) from error
        raise CheckpointUnavailable(said, hint=hint) from error


def _root_cause(error: Exception) -> str:
    """Describe the first cause of an error: of a damaged file, transformers says only the name.

    A variable of its caller for the cause would be part of its traceback, and so keep what was loaded in memory.
    """
    *_, root = causes_of(error)
    return failure(root if isinstance(root, Exception) else error)
