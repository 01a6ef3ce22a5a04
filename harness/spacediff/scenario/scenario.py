"""The scenario: what to audit, read from a TOML file.

A file is either a scenario or a list of everything that is wrong with it. The key insight is that a variant is only
its changes: its Settings are the baseline's, changed by the variants that it starts from, then by its own.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from spacediff.errors import FileNotAccessible, Mistake, ScenarioError
from spacediff.file_names import read_regular
from spacediff.group_sizes import MOST_SAMPLES
from spacediff.metric_info import OptionalMetric
from spacediff.scenario.adapters import by_name, checks_of_adapters, declared, with_order
from spacediff.scenario.checks import checks
from spacediff.scenario.command_checks import command_checks
from spacediff.scenario.hosted_environment import with_hosted_environment
from spacediff.scenario.input_checks import file_checks, input_checks, size_checks
from spacediff.scenario.local_files import missing_of_reference, missing_of_settings
from spacediff.scenario.locations import Parts, Places, dotted, places
from spacediff.scenario.messages import syntax_mistake, translated
from spacediff.scenario.python_values import with_python_values
from spacediff.scenario.sample_checks import group_size_checks, sample_checks
from spacediff.scenario.script_checks import script_checks, script_file_checks
from spacediff.scenario.tables.approximation import Approximation
from spacediff.scenario.tables.base import Table, expect
from spacediff.scenario.tables.prompt import Prompt
from spacediff.scenario.tables.reference import Reference
from spacediff.scenario.tables.resources import Resources
from spacediff.scenario.tables.semantics import Semantics
from spacediff.scenario.tables.settings import Baseline, SettingsTables, Variant
from spacediff.scenario.tables.types import NAME, NAME_WORDS, BaselineOrVariant, Name, TileLimit, Title, Tolerance
from spacediff.settings import Origin, Settings

MAX_BYTES = 1_000_000
"""A larger file is not a scenario."""

_NAMED: dict[str, Any] = {"propertyNames": {"pattern": NAME, **expect(NAME_WORDS)}, "additionalProperties": False}


class Scale(Table):
    """The controls that give the numbers their scale."""

    seeds: Annotated[int, Field(ge=1, le=32)] = 3
    """Number of other seeds that are generated for the ceiling."""
    rerun: bool = True
    """Whether the baseline is generated twice for the floor."""
    reruns: Annotated[int, Field(ge=2, le=32)] = 5
    """How often the first steps are run again for the search, on a machine whose re-runs differ."""
    deterministic_control: bool = False
    """Whether the baseline is generated twice with deterministic algorithms, where its re-run differs."""


class Steps(Table):
    """What is recorded inside the denoising loop."""

    keep_latents: bool = True
    """Whether the latents of each step are kept, for distances step by step."""
    alone: tuple[BaselineOrVariant, ...] = Field((), strict=False)
    """Variants that are generated once more, each step from the latents of `against`, to isolate its own error."""
    against: BaselineOrVariant = "baseline"
    """The run whose latents each step starts from; `reference` for a recording whose tensors each stage starts from."""


class Explain(Table):
    """The two settings between which the cause is searched."""

    from_: BaselineOrVariant = Field(alias="from")
    """`baseline` or a variant."""
    to: BaselineOrVariant
    """`baseline` or a variant."""
    budget: Annotated[float, Field(gt=0, le=1000)] = 40
    """Most generations of the search; fractions count denoising steps."""
    weights: Literal["auto", "full", "none"] = "auto"
    """Exact weights of the settings of the cause: `auto` where their generations are cheap."""
    tolerance: Tolerance = "codec"
    """What people do not see: `codec` for its own loss, `gate` for the gate's limit, or a drift."""


class Gate(Table):
    """The condition under which `spacediff audit` passes."""

    variant: BaselineOrVariant | None = None
    """The variant, or `baseline`, that must match the reference."""
    max_drift: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Its largest drift: 0 is the floor, 1 a different seed."""
    max_worst_tile: TileLimit | None = None
    """Its largest drift in the worst tile of the worst frame; by default that of `max_drift`, `none` for no limit."""
    max_effect: Annotated[float, Field(ge=0.05, le=0.9)] = 0.474
    """With `samples`, the largest difference of its group: Cliff's delta, where 0.474 is called large."""
    against: Literal["accepted"] | None = None
    """`accepted`: nothing may be worse than in the state that `spacediff approve` saved."""
    max_rise: Annotated[float, Field(ge=0, le=1)] = 0.0
    """With `against`, the largest rise of a drift."""

    @property
    def tile_limit(self) -> float | None:
        """The largest drift in the worst tile; None for no limit."""
        limit = self.max_drift if self.max_worst_tile is None else self.max_worst_tile
        return None if isinstance(limit, str) else limit


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
    variants: dict[Name, Variant] = Field(
        {}, json_schema_extra={**_NAMED, **expect("tables by name, such as [variants.NAME]")}
    )
    """The baseline with named changes."""
    reference: Reference
    """What the clips are compared with."""
    samples: Annotated[int, Field(ge=6, le=MOST_SAMPLES)] | None = None
    """Clips a side, where seeds cannot match: two groups are compared; fewer than 6 could show no difference."""
    scale: Scale = Scale()
    """The controls that give the numbers their scale."""
    resources: Resources = Resources()
    """What a run occupies on a machine of a cluster."""
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

    @property
    def lines(self) -> Places:
        """The lines of its keys."""
        return self._lines

    def variant_names(self) -> tuple[str, ...]:
        """Return the names of the variants in the order of the file."""
        return tuple(self.variants)

    def settings_of(self, name: str) -> Settings:
        """Return the declared Settings of `baseline` or of a variant; raises KeyError for another name."""
        baseline = self._declared(self.baseline, "baseline")
        return baseline if name == "baseline" else baseline.changed_by(self.changes_of(name))

    def changes_of(self, name: str) -> Settings:
        """Return what a variant changes, including the variants it starts from; raises KeyError for another name.

        Changes apply in the order of `from`, later ones replacing earlier ones, and the variant's own last. A variant
        that is inherited twice applies once, before all that start from it.
        """
        changes = Settings()
        for ancestor in self._lineage(name) if name != "baseline" else ():
            changes = changes.changed_by(self._declared(self.variants[ancestor], "variants", ancestor))
        return with_order(self._declared(self.baseline, "baseline"), changes)

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
        given = declared({key: value for key, value in nested.items() if value != {} and not isinstance(value, int)})
        where = {
            path: f"{self.path.name}:{self._lines.line_of(dotted((*owner, *path.split('.'))))}"
            for path in Settings.of(given, Origin.DECLARED)
        }
        return Settings.of(given, Origin.DECLARED, where)


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file, and check the input pictures and videos that it names.

    Raises:
        ScenarioError: The file has mistakes; the error lists all of them.
        FileNotAccessible: The file cannot be read.
    """
    try:
        content = read_regular(path, MAX_BYTES)
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
    scenario = parse_scenario(text, path)
    lines, files = scenario.lines, {"script": scenario.baseline.script, "python": scenario.baseline.python}
    if unusable := [*file_checks(scenario.prompts, lines), *script_file_checks(files, lines)]:
        raise ScenarioError(path, unusable)
    return scenario


def parse_scenario(text: str, path: Path) -> Scenario:
    """Read a scenario from its text without opening the files that it names; see `load_scenario`.

    Args:
        text: The TOML text.
        path: Its file, which need not exist: relative paths in the text start from its folder.
    """
    lines = places(text)
    data, lines, mistakes = by_name(_tables(text, path, lines), lines)
    data, wrong_values = with_python_values(data, lines)
    data, unknown_spaces = with_hosted_environment(data, lines)
    mistakes += [
        *wrong_values,
        *unknown_spaces,
        *checks(data, text, lines),
        *command_checks(data, lines),
        *input_checks(data, lines),
        *checks_of_adapters(data, lines),
        *sample_checks(data, lines),
        *script_checks(data, lines),
    ]
    try:
        scenario = Scenario.model_validate(data, context={"folder": path.parent})
    except ValidationError as error:
        checked = {mistake.key for mistake in mistakes}  # a check has the more precise message
        of_schema = [found for found in translated(error, scenario_schema(), lines) if not _is_said(found.key, checked)]
        raise ScenarioError(path, [*mistakes, *of_schema]) from error
    if mistakes:
        raise ScenarioError(path, mistakes)
    scenario._text, scenario._path, scenario._lines = text, path, lines  # noqa: SLF001 - this is its constructor
    if sizes := [*_sizes(scenario, lines), *group_size_checks(data, len(scenario.prompts), _texts(scenario), lines)]:
        raise ScenarioError(path, sizes)
    return scenario


def _is_said(key: str, said: Collection[str]) -> bool:
    """Whether a mistake at a place is said already; one name of `from` is read as a list of one."""
    return key in said or (key.endswith(".from.0") and key.removesuffix(".0") in said)


def _texts(scenario: Scenario) -> int:
    """Count what the clips are asked for: each prompt's text and parts."""
    asked = scenario.semantics
    if asked is None:
        return 0
    of_prompts = scenario.prompts.values()
    return sum(bool(each.text) + len(asked.parts if each.parts is None else each.parts) for each in of_prompts)


def _sizes(scenario: Scenario, lines: Places) -> Iterator[Mistake]:
    """Find resized inputs without a usable size, each mistake once, however many variants inherit it."""
    if not any(table.inputs for table in (scenario.baseline, *scenario.variants.values())):
        return
    found: dict[str, Mistake] = {}
    for name in ("baseline", *scenario.variants):
        found |= {each.key: each for each in size_checks(scenario.settings_of(name), owners_of(scenario, name), lines)}
    yield from found.values()


def owners_of(scenario: Scenario, name: str) -> list[Parts]:
    """Return the tables that the settings of `baseline` or of a variant are from, the last one first."""
    ancestors = scenario._lineage(name) if name != "baseline" else []  # noqa: SLF001 - its own module
    return [*(("variants", ancestor) for ancestor in reversed(ancestors)), ("baseline",)]


def ensure_files_exist(scenario: Scenario, names: Iterable[str]) -> None:
    """Look for the files and folders of this machine that an audit needs.

    Args:
        scenario: The scenario.
        names: The variants that are audited, with the baseline.

    Raises:
        ScenarioError: Some are missing; the error lists all of them.
    """
    lines = scenario.lines
    found = {each.key: each for each in missing_of_reference(scenario.reference, lines)}
    for name in names:
        settings, owners = scenario.settings_of(name), owners_of(scenario, name)
        found |= {each.key: each for each in missing_of_settings(settings, owners, lines)}
    if found:
        raise ScenarioError(scenario.path, list(found.values()))


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
