"""Which classes are pipelines, and whose `__call__` they have: diffusers', another package's, or one of the source.

The key insight is that a name says that a class is a pipeline, and where it comes from says whose arguments and
defaults it has. A class of another package may have the name of one of diffusers'.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from spacediff.reading.interpreter.classes import ancestors, library_bases, member
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers.names import PIPELINE
from spacediff.reading.signatures import positions
from spacediff.reading.values import Class, External, Function, Object, Value, last_part
from spacediff.reading.values.inputs import json_of

_PACKAGES = frozenset({"diffusers", "modelscope"})
"""Packages whose pipelines are those of diffusers; a name without a package is taken for one of diffusers'."""
_OTHER_KINDS = frozenset({
    "transformers", "sklearn", "kokoro", "pyannote", "spacy", "haystack", "datasets", "langchain", "optimum", "peft",
})  # fmt: skip
"""Packages whose pipelines make no images."""
_CONSTRUCTED = re.compile(r"[A-Z]\w*|[a-z]+[A-Z]\w*")


@dataclass(frozen=True, slots=True)
class PipelineClass:
    """A class of pipelines.

    Attributes:
        name: Its name.
        signature: The class of diffusers whose `__call__` it has; empty if that is not diffusers'.
        made: The class of the source; None if it belongs to a library.
    """

    name: str
    signature: str
    made: Class | None = None


def of_library(dotted: str) -> PipelineClass | None:
    """Return a class of a library by its dotted name; None if it is no pipeline."""
    package, _, rest = dotted.partition(".")
    name = last_part(dotted)
    if not PIPELINE.search(dotted) or not _CONSTRUCTED.fullmatch(name) or package in _OTHER_KINDS:
        return None
    return PipelineClass(name, name if package in _PACKAGES or not rest else "")


def of_source(state: State, made: Class) -> PipelineClass | None:
    """Return a class of the source that inherits from a pipeline of a library; None for any other class."""
    bases = [found for name in library_bases(made) if (found := of_library(name)) is not None]
    if not bases and not (library_bases(made) and PIPELINE.search(made.name)):
        return None
    inherits_call = bases and member(state, made, "__call__") is None
    return PipelineClass(made.name, bases[0].signature if inherits_call else "", made)


def is_pipeline_by_name(made: Class) -> bool:
    """Return whether a class of the source that inherits from no library is a pipeline, as its name says."""
    return any(PIPELINE.search(one.name) for one in ancestors(made) if isinstance(one, Class))


def base_of(made: Class, pattern: re.Pattern[str]) -> str:
    """Return the first class of a library that a class inherits from and that matches a pattern; empty without one."""
    return next((one.name for one in ancestors(made) if isinstance(one, External) and pattern.search(one.name)), "")


@dataclass(frozen=True, slots=True)
class CallSignature:
    """The arguments that the call of a pipeline has.

    Attributes:
        name: The class of the pipeline.
        of: The class of diffusers whose `__call__` it has; empty if that is not diffusers'.
        function: The function of the source that is called; None if it is one of a library.
    """

    name: str
    of: str
    function: Function | None

    @property
    def positions(self) -> tuple[str, ...]:
        """The parameters that positional arguments reach, as far as they are known."""
        if self.function is None:
            return positions(self.of)
        every = (*self.function.parameters.posonlyargs, *self.function.parameters.args)
        return tuple(one.arg for one in every[1:])

    @property
    def defaults(self) -> dict[str, Value]:
        """Argument to default, if the source defines the function."""
        return dict(self.function.defaults) if self.function is not None else {}


def signature_of(state: State, pipeline: Object, function: Function | None = None) -> CallSignature:
    """Return the arguments that the call of a pipeline has.

    Args:
        state: What follows the source.
        pipeline: The pipeline.
        function: The function of the source that is called; None for `__call__`.
    """
    cell = state.heap.cell(pipeline.cell)
    name = str(json_of(cell.get("model.pipeline")) or "Pipeline")
    found = function or _own_call(state, pipeline)
    of = str(json_of(cell.get("signature")) or "")
    return CallSignature(name, "" if found is not None or "load.custom_pipeline" in cell else of, found)


def _own_call(state: State, pipeline: Object) -> Function | None:
    """Return the `__call__` that the source defines for a pipeline; None if it defines none."""
    made = state.get(pipeline, "__class__")
    found = member(state, made, "__call__") if isinstance(made, Class) else None
    return found if isinstance(found, Function) else None
