"""Components: what a function receives for each if the user changes nothing, by the rules of Gradio 5 and 6."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.state import State
from spacediff.reading.model import Input
from spacediff.reading.values import (
    Arguments,
    Either,
    Function,
    Items,
    Known,
    Table,
    Unknown,
    Value,
    Widget,
    either,
    lift,
    truth,
)
from spacediff.reading.values.inputs import given, json_of, may_be_prompt, text_of, written_by_user

VALUE_POSITION = {
    "Slider": 2, "Number": 0, "Textbox": 0, "TextArea": 0, "Checkbox": 0, "Dropdown": 1, "Radio": 1, "Image": 0,
    "Video": 0, "File": 0, "Files": 0, "State": 0, "Audio": 0, "CheckboxGroup": 1, "ImageEditor": 0,
    "MultimodalTextbox": 0, "Code": 0, "ColorPicker": 0, "Gallery": 0, "Text": 0, "Checkboxgroup": 1, "ImageSlider": 0,
    "Button": 0, "UploadButton": 1, "ImageMask": 0, "Sketchpad": 0, "Paint": 0, "BrowserState": 0, "DateTime": 0,
    "Dataframe": 0, "DataFrame": 0, "JSON": 0, "HTML": 0, "Markdown": 0, "Label": 0, "Chatbot": 0, "Model3D": 0,
    "FileExplorer": 1, "HighlightedText": 0, "PlayableVideo": 0,
}  # fmt: skip
"""Component to the position of its value among its arguments."""

_TEXTS = frozenset({"Textbox", "TextArea", "Text", "text", "textbox", "Textarea", "textarea"})
_CHOOSE_SEVERAL = frozenset({"CheckboxGroup", "Checkboxgroup"})


def component(state: State, kind: str, arguments: Arguments, node: ast.AST) -> Widget:
    """Return a component with its value."""
    value = arguments.get("value", VALUE_POSITION[kind]) or arguments.get("default" if kind != "State" else "")
    if isinstance(value, Function):  # Gradio calls it when the page loads
        value = state.call(value, Arguments([], {}), node)
    where = state.where(node)
    is_given = value is not None
    if value is None:
        value = Unknown(where, state.words(node)) if arguments.open else _initial(state, kind, arguments, node)
    label = arguments.get("label", 0 if kind == "UploadButton" else None)
    label = value if label is None and kind == "Button" else label
    source = Input(kind, text_of(label)[:200], json_of(value) if is_given or kind not in _TEXTS else None, where)
    return Widget(where, source, _as_received(arguments, value, node, state), state.heap.identity(), is_given)


def _initial(state: State, kind: str, arguments: Arguments, node: ast.AST) -> Value:
    """Return the value of a component for which the source gives none."""
    where = state.where(node)
    if kind == "Slider":
        is_random = arguments.get("randomize")
        if is_random is not None and truth(is_random).certain is not False:
            return Unknown(where, state.words(node), random=True)
        return arguments.get("minimum", 0) or Known(where, 0)
    if kind == "Checkbox":
        return Known(where, value=False)
    if kind in _CHOOSE_SEVERAL or (kind == "Dropdown" and text_of(arguments.get("multiselect")) == "True"):
        return Items(where, ())
    if kind == "Dropdown":
        return lift(lambda choices: _first_choice(choices, state.unknown(node)), [arguments.get("choices", 0) or
                                                                               Items(where, ())])  # fmt: skip
    return Known(where, "" if kind in _TEXTS else None)


def _first_choice(choices: Value, unknown: Value) -> Value:
    """Return what a dropdown shows at first: its first choice; in Gradio 4, nothing."""
    if not isinstance(choices, Items) or (choices.open and not choices.items):
        return unknown
    return _value_of_choice(choices.items[0]) if choices.items else Known(choices.where, None)


def _value_of_choice(choice: Value) -> Value:
    """Return what a function receives for a choice, which may be a pair of its name and its value."""
    pair = isinstance(choice, Items) and len(choice.items) == 2 and not choice.open  # noqa: PLR2004 - name and value
    return choice.items[1] if pair and isinstance(choice, Items) else choice


def _as_received(arguments: Arguments, value: Value, node: ast.AST, state: State) -> Value:
    """Return what a function receives for a value: its place among the choices with `type="index"`."""
    if text_of(arguments.get("type")) != "index":
        return value
    choices = arguments.get("choices", 0)
    unknown = state.unknown(node)
    if not isinstance(choices, Items) or choices.open:
        return unknown
    values = [_value_of_choice(choice) for choice in choices.items]
    known = [choice.value for choice in values if isinstance(choice, Known)]

    def place(one: Value) -> Value:
        if not isinstance(one, Known) or len(known) != len(values):
            return unknown
        return Known(one.where, known.index(one.value) if one.value in known else None)

    return lift(place, [value])


def as_argument(shown: Value, parameter: str, *, is_first_text: bool) -> Value:
    """Return what a function receives for one of its inputs.

    Args:
        shown: The component, or its name as a text.
        parameter: The parameter that receives it; empty if it is unknown.
        is_first_text: Whether no other input before it is an empty text box.
    """
    if isinstance(shown, Either):
        each = [as_argument(option, parameter, is_first_text=is_first_text) for option in shown.options]
        return either(each, shown.where, decided=shown.decided, only_if=shown.only_if)
    if isinstance(shown, Widget):
        value = shown.value
        if is_empty_text(shown) and _is_prompt(parameter, shown.source.label, is_first_text=is_first_text):
            value = written_by_user(shown.where, parameter or shown.source.label)
        return given(shown.source, value, shown.where)
    if isinstance(shown, Known) and isinstance(shown.value, str):  # gr.Interface(inputs="text")
        is_prompt = shown.value in _TEXTS and _is_prompt(parameter, "", is_first_text=is_first_text)
        value = written_by_user(shown.where, parameter) if is_prompt else Known(shown.where, None)
        return given(Input(shown.value, "", None, shown.where), value, shown.where)
    return shown


def is_empty_text(shown: Value) -> bool:
    """Return whether an input is a text box that is empty until the user writes something."""
    if isinstance(shown, Widget):
        return shown.source.kind in _TEXTS and isinstance(shown.value, Known) and shown.value.value in {"", None}
    return isinstance(shown, Known) and shown.value in _TEXTS


def _is_prompt(parameter: str, label: str, *, is_first_text: bool) -> bool:
    """Return whether an empty text box is for the prompt, which nobody leaves empty."""
    answer = may_be_prompt(f"{parameter} {label}")
    return is_first_text if answer is None else answer


def updated(result: Value) -> Value | None:
    """Return what a component shows after an event returned a value for it; None if it stays as it is."""
    if isinstance(result, Widget):  # gr.Slider(maximum=9) as an update
        return result.value if result.is_given else None
    if isinstance(result, Table) and result.get("__type__") is not None:
        return result.get("value")
    return result


def update(where: str, arguments: Arguments) -> Table:
    """Return what `gr.update(...)` and `gr.skip()` return: a dict of the properties that change."""
    items = tuple(arguments.named.items())
    return Table(where, (("__type__", Known(where, "update")), *items), bool(arguments.open))
