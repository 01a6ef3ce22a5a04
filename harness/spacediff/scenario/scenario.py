"""The scenario: what to audit, read from a TOML file.

A file is either a scenario or a list of everything that is wrong with it. The key insight is that a variant is only
its changes: its Settings are the baseline's, changed by the variants that it starts from, then by its own.
"""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from spacediff.errors import FileNotAccessible, Mistake, ScenarioError
from spacediff.metric_info import OptionalMetric
from spacediff.scenario.checks import checks
from spacediff.scenario.locations import Places, dotted, places
from spacediff.scenario.messages import syntax_mistake, translated
from spacediff.scenario.tables import (
    NAME,
    NAME_WORDS,
    Approximation,
    Baseline,
    BaselineOrVariant,
    LongText,
    Name,
    Part,
    Reference,
    Seed,
    Semantics,
    SettingsTables,
    Table,
    Title,
    Variant,
    expect,
)
from spacediff.settings import Origin, Settings

MAX_BYTES = 1_000_000
"""A larger file is not a scenario."""

_NAMED: dict[str, Any] = {"propertyNames": {"pattern": NAME, **expect(NAME_WORDS)}, "additionalProperties": False}


class Prompt(Table):
    """A prompt with its seed; every setting is tried on every prompt."""

    text: LongText
    """What the clip should show."""
    seed: Seed
    """The seed, for local runs and for the Space."""
    parts: tuple[Part, ...] | None = Field(None, strict=False)
    """Named parts of this prompt, instead of those in [semantics]."""
    private: bool = False
    """Whether the prompt's text and pictures are kept out of record and reports; numbers are shown."""


class Scale(Table):
    """The controls that give the numbers their scale."""

    seeds: Annotated[int, Field(ge=1, le=32)] = 3
    """Number of other seeds that are generated for the ceiling."""
    rerun: bool = True
    """Whether the baseline is generated twice for the floor."""


class Steps(Table):
    """What is recorded inside the denoising loop."""

    keep_latents: bool = True
    """Whether the latents of each step are kept, for distances step by step."""
    alone: tuple[BaselineOrVariant, ...] = Field((), strict=False)
    """Variants that are generated once more, each step from the latents of `against`, to isolate its own error."""
    against: BaselineOrVariant = "baseline"
    """The run whose latents each step starts from."""


class Explain(Table):
    """The two settings between which the cause is searched."""

    from_: BaselineOrVariant = Field(alias="from")
    """`baseline` or a variant."""
    to: BaselineOrVariant
    """`baseline` or a variant."""
    budget: Annotated[int, Field(ge=1, le=1000)] = 40
    """Most generations of the search."""


class Gate(Table):
    """The condition under which `spacediff audit` passes."""

    variant: BaselineOrVariant | None = None
    """The variant, or `baseline`, that must match the reference."""
    max_drift: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Its largest drift: 0 is the floor, 1 a different seed."""
    against: Literal["accepted"] | None = None
    """`accepted`: nothing may be worse than in the state that `spacediff approve` saved."""
    max_rise: Annotated[float, Field(ge=0, le=1)] = 0.0
    """With `against`, the largest rise of a drift."""


class Scenario(Table):
    """What to audit: prompts, the settings as people run them, and what the clips are compared with."""

    title: Title
    """The audit's title."""
    question: Title | None = None
    """The question it answers, in one sentence."""
    private: bool = False
    """Whether the texts and pictures of all prompts are kept out of record and reports; numbers are shown."""
    prompts: dict[Name, Prompt] = Field(
        min_length=1, json_schema_extra={**_NAMED, **expect("at least one prompt, such as [prompts.lemon]")}
    )
    """The prompts by name."""
    baseline: Baseline
    """The settings as people run them."""
    variants: dict[Name, Variant] = Field({}, json_schema_extra=_NAMED)
    """The baseline with named changes."""
    reference: Reference
    """What the clips are compared with."""
    scale: Scale = Scale()
    """The controls that give the numbers their scale."""
    steps: Steps = Steps()
    """What is recorded inside the denoising loop."""
    metrics: tuple[OptionalMetric, ...] = Field((), strict=False)
    """Further metrics, in addition to MAE, PSNR, SSIM and LPIPS."""
    semantics: Semantics | None = None
    """The model that measures what the clips show."""
    explain: Explain | None = None
    """The two settings between which the cause is searched."""
    gate: Gate | None = None
    """The condition under which the audit passes."""
    approximations: tuple[Approximation, ...] = Field((), strict=False)
    """What the script does and this scenario does not say; the audit runs only if it is accepted."""

    _text: str = PrivateAttr("")
    _path: Path = PrivateAttr(Path())
    _lines: Places = PrivateAttr(default_factory=Places)

    @property
    def text(self) -> str:
        """The file as it was read."""
        return self._text

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def variant_names(self) -> tuple[str, ...]:
        """Return the names of the variants in the order of the file."""
        return tuple(self.variants)

    def settings_of(self, name: str) -> Settings:
        """Return the declared Settings of `baseline` or of a variant; raises KeyError for another name."""
        declared = self._declared(self.baseline, "baseline")
        return declared if name == "baseline" else declared.changed_by(self.changes_of(name))

    def changes_of(self, name: str) -> Settings:
        """Return what a variant changes, including the variants it starts from; raises KeyError for another name.

        Changes apply in the order of `from`, later ones replacing earlier ones, and the variant's own last. A variant
        that is inherited twice applies once, before all that start from it.
        """
        changes = Settings()
        for ancestor in self._lineage(name) if name != "baseline" else ():
            changes = changes.changed_by(self._declared(self.variants[ancestor], "variants", ancestor))
        return changes

    def _lineage(self, name: str) -> list[str]:
        """Return a variant and all that it starts from, each after its own ancestors."""
        order: list[str] = []
        pending = [(name, False)]
        while pending:
            current, complete = pending.pop()
            if current in order:
                continue
            if complete:
                order.append(current)
            else:
                pending.append((current, True))
                pending.extend((parent, False) for parent in reversed(self.variants[current].from_))
        return order

    def _declared(self, tables: SettingsTables, *owner: str) -> Settings:
        """Return the Settings of one table of the file; an empty table declares nothing."""
        nested = tables.model_dump(by_alias=True, exclude_unset=True, include=set(SettingsTables.model_fields))
        declared = {key: value for key, value in nested.items() if value != {}}
        where = {
            path: f"{self.path.name}:{self._lines.line_of(dotted((*owner, *path.split('.'))))}"
            for path in Settings.of(declared, Origin.DECLARED)
        }
        return Settings.of(declared, Origin.DECLARED, where)


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file.

    Raises:
        ScenarioError: The file has mistakes; the error lists all of them.
        FileNotAccessible: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise FileNotAccessible(
            f"the scenario {path} cannot be read: {reason}",
            hint="`spacediff init` copies scenarios here that you can edit",
        ) from error
    if len(content) > MAX_BYTES:
        raise ScenarioError(path, [Mistake(0, "", "a larger file", f"at most {MAX_BYTES:,} bytes")])
    try:
        text = content.decode("utf-8-sig")  # Windows editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{content[error.start]:02x}"
        raise ScenarioError(path, [Mistake(line, "", found, "a text in UTF-8")]) from error
    return parse_scenario(text, path)


def parse_scenario(text: str, path: Path) -> Scenario:
    """Read a scenario from its text; see `load_scenario`.

    Args:
        text: The TOML text.
        path: Its file, which need not exist: relative paths in the text start from its folder.
    """
    lines = places(text)
    data = _tables(text, path, lines)
    mistakes = list(checks(data, text, lines))
    try:
        scenario = Scenario.model_validate(data, context={"folder": path.parent})
    except ValidationError as error:
        checked = {mistake.key for mistake in mistakes}  # a check has the more precise message
        of_schema = [found for found in translated(error, scenario_schema(), lines) if found.key not in checked]
        raise ScenarioError(path, [*mistakes, *of_schema]) from error
    if mistakes:
        raise ScenarioError(path, mistakes)
    scenario._text, scenario._path, scenario._lines = text, path, lines  # noqa: SLF001 - this is its constructor
    return scenario


def _tables(text: str, path: Path, lines: Places) -> dict[str, Any]:
    nul = text.find("\0")
    if nul >= 0:
        line = text.count("\n", 0, nul) + 1
        raise ScenarioError(path, [Mistake(line, lines.path_on(line), "a NUL character", "a text without any")])
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also a number of too many digits
        raise ScenarioError(path, [syntax_mistake(error, text, lines)]) from error


class _EditorSchema(GenerateJsonSchema):
    """JSON Schema for a language without null, with descriptions in place of generated titles."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        return False

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        node = super().default_schema(schema)
        default = node.pop("default", None)
        if isinstance(default, dict):
            default = {key: value for key, value in default.items() if value is not None}
        return node if default is None else {**node, "default": default}


@functools.cache
def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario, for editors: `#:schema scenario.schema.json` on the file's first line."""
    schema = Scenario.model_json_schema(by_alias=True, schema_generator=_EditorSchema)
    return {"$schema": _EditorSchema.schema_dialect, **schema}
