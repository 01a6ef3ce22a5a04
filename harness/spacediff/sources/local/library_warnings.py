"""Collect what the libraries log: ignored arguments and truncated prompts are reported nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_LIBRARIES = ("diffusers", "transformers", "accelerate")


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message not in self.messages:
            self.messages.append(message)


@contextmanager
def warnings_of_libraries() -> Iterator[list[str]]:
    """Collect the warnings that diffusers, transformers and accelerate log, instead of letting them print.

    Yields:
        The messages, each once, in order; the list grows while the block runs.
    """
    collector = _Collector()
    loggers = [logging.getLogger(name) for name in _LIBRARIES]
    before = [(logger, logger.handlers[:], logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.handlers = [collector]
        logger.propagate = False
    try:
        yield collector.messages
    finally:
        for logger, handlers, propagate in before:
            logger.handlers = handlers
            logger.propagate = propagate
