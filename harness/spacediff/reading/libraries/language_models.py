"""Language models and translators: a text that comes out of one is no longer the user's.

The key insight is that names say little and the flow of data says all: whatever its client is called, a model rewrites
the prompt if what it returns becomes the prompt. So its results are numbered here, and looked for in the prompt later.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace

from spacediff.reading.interpreter import effects
from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.records import words_of
from spacediff.reading.interpreter.state import State
from spacediff.reading.model import Note, NoteKind
from spacediff.reading.values import Arguments, External, Known, Object, Unknown, Value, results_of
from spacediff.reading.values.inputs import text_of

_CLIENTS = frozenset({
    "anthropic", "cohere", "ctransformers", "dashscope", "g4f", "genai", "groq", "langchain", "langchain_openai",
    "litellm", "llama_cpp", "mistralai", "ollama", "openai", "outlines", "qianfan", "replicate", "together", "vllm",
    "volcenginesdkarkruntime", "zai", "zhipuai",
})  # fmt: skip
_CLIENT_NAMES = re.compile(
    r"(^|\.)(google\.(generativeai|genai)\b.*|(Async)?(Azure)?OpenAI|InferenceClient|gradio_client\.Client|Anthropic|Groq"
    r"|gradio\.load|gr\.load|(requests|httpx|aiohttp|session)\.(post|request)|urllib\.request\.urlopen"
    r"|transformers\.pipeline|Text2TextGenerationPipeline|TextGenerationPipeline)$"
)
_TRANSLATORS = re.compile(r"translat", re.IGNORECASE)
_METHODS = frozenset({
    "chat_completion", "create", "create_chat_completion", "create_completion", "generate", "generate_content",
    "send_message", "text_generation",
})  # fmt: skip
_REWRITERS = re.compile(
    r"(convert|enhance|rewrite|extend|refine|upsample|expand|polish|improve|augment|beautify)_?prompt"
    r"|prompt_?(convert|enhanc|rewrit|extend|extension|expan|refin|polish|upsampl|generat)"
    r"|^(rewrite|polish|enhance|extend|refine|improve|expand|rephrase|paraphrase)(_\w+)?$",
    re.IGNORECASE,
)


class LanguageModels(Library):
    """Numbers what language models and translators return."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Number the result of a client's function, of a client itself, or of a function with a telling name."""
        name = function.name
        if name == "pipeline":
            return None
        known = function.package in _CLIENTS or _CLIENT_NAMES.search(name)
        if not known and not _TRANSLATORS.search(name) and not _REWRITERS.search(function.last_name):
            return None
        if not known and arguments.every() and not any(_may_be_text(given) for given in arguments.every()):
            return None  # it is given a pipeline or a part of one, and no prompt
        return _numbered(state, name, function, arguments, node)

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Number the result of a method such as `model.generate(...)`."""
        if isinstance(owner, Object) and owner.kind in {"pipeline", "instance"}:
            return None
        if isinstance(owner, Unknown) and owner.holds is not None:  # it works with a pipeline
            return None
        if name not in _METHODS and name != "translate" and not _REWRITERS.search(name):
            return None
        if name == "enhance" and results_of(arguments):  # a picture, not a prompt
            return None
        return _numbered(state, name, owner, arguments, node)


def _may_be_text(value: Value) -> bool:
    if isinstance(value, Known):
        return isinstance(value.value, str)
    return not isinstance(value, Object)


def _numbered(state: State, name: str, function: Value, arguments: Arguments, node: ast.AST) -> Unknown:
    """Return the unknown result of a model, with its number."""
    task = text_of(arguments.get("task", 0)) if name.endswith("pipeline") else ""
    kind: NoteKind = "prompt translation" if _TRANSLATORS.search(f"{name} {task}") else "prompt rewriting"
    result = effects.call_unknown(state, name, function, arguments, node)
    number = len(state.rewriting)
    only_if = words_of(state.conditions)
    state.rewriting.append(Note(kind, state.words(node), state.where(node), only_if, state.usual))
    return replace(result, rewritten=(*result.rewritten, number))
