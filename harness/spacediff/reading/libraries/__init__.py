"""The libraries that reading knows: one recogniser each, in the order in which they are asked.

To add one, write a module with a `Library` and put it into the table; docs/reading.md has an example.
"""

from __future__ import annotations

from spacediff.reading.interpreter.library import Library
from spacediff.reading.libraries.answer_caches import AnswerCaches
from spacediff.reading.libraries.caches import Caches
from spacediff.reading.libraries.checkpoints import Checkpoints
from spacediff.reading.libraries.command_lines import CommandLines
from spacediff.reading.libraries.devices import Devices
from spacediff.reading.libraries.diffusers import Diffusers
from spacediff.reading.libraries.diffusers.foreign_models import ForeignModels
from spacediff.reading.libraries.diffusers.guiders import Guiders
from spacediff.reading.libraries.exports import Exports, LoadedFiles
from spacediff.reading.libraries.files import OwnFiles
from spacediff.reading.libraries.generators import Generators
from spacediff.reading.libraries.gradio import Gradio
from spacediff.reading.libraries.language_models import LanguageModels
from spacediff.reading.libraries.name_clues import NameClues
from spacediff.reading.libraries.patches import Patches
from spacediff.reading.libraries.paths import Paths
from spacediff.reading.libraries.post_processing import PostProcessing
from spacediff.reading.libraries.python import Builtins, ComputingFunctions, LaterCalls, Namespaces
from spacediff.reading.libraries.quantisation import Quantisation
from spacediff.reading.libraries.request_models import RequestModels
from spacediff.reading.libraries.requests import Requests
from spacediff.reading.libraries.sequences import Sequences
from spacediff.reading.libraries.settings_objects import SettingsObjects
from spacediff.reading.libraries.streamlit import Streamlit
from spacediff.reading.libraries.torch import Torch
from spacediff.reading.libraries.user_inputs import Randomness, UserInputs
from spacediff.reading.libraries.workers import Workers

LIBRARIES: tuple[Library, ...] = (
    ComputingFunctions(),
    Namespaces(),
    Gradio(),
    Streamlit(),
    CommandLines(),
    Requests(),
    RequestModels(),
    ForeignModels(),  # whose `generate` is not that of a language model
    LanguageModels(),
    Devices(),
    AnswerCaches(),
    Checkpoints(),
    Diffusers(),
    Quantisation(),
    Caches(),
    Guiders(),
    Generators(),
    Torch(),
    Randomness(),
    NameClues(),  # after the libraries whose calls are known, before what every other call may be
    PostProcessing(),
    OwnFiles(),
    Exports(),
    LoadedFiles(),
    UserInputs(),
    Paths(),
    Sequences(),
    SettingsObjects(),
    Builtins(),
    LaterCalls(),
    Workers(),
    Patches(),  # when no other library knows the call
)
"""All recognisers; the first that answers counts."""
