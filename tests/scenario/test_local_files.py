"""Files and folders that a scenario names and this machine does not have: found before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import spacediff
from spacediff.errors import Mistake, ScenarioError
from spacediff.scenario.scenario import ensure_files_exist, load_scenario

HEAD = """title = "t"
prompts.p = { text = "a lemon", seed = 1 }
reference.variant = "baseline"
baseline.model.id = "org/model"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "loras").mkdir()
    for name in ("style.safetensors", "other.safetensors"):
        (tmp_path / "loras" / name).touch()
    (tmp_path / "vae").mkdir()
    (tmp_path / "clip.mp4").touch()
    return tmp_path


def missing(folder: Path, text: str, *names: str) -> list[Mistake]:
    """Return the mistakes in HEAD with a text below it, from line 5."""
    path = folder / "s.toml"
    path.write_text(
        HEAD + text if "reference." not in text else HEAD.replace('reference.variant = "baseline"', "") + text
    )
    scenario = load_scenario(path)
    try:
        ensure_files_exist(scenario, names or ("baseline", *scenario.variant_names()))
    except ScenarioError as error:
        return list(error.mistakes)
    return []


@pytest.mark.parametrize(
    ("text", "key", "found", "expected"),
    [
        (
            'reference.video.file = "clip.mp5"',
            "reference.video.file",
            "clip.mp5', which does not exist",
            "video or picture",
        ),
        (
            'reference.video.files = { p = "vae" }',
            "reference.video.files.p",
            "vae', which is a folder",
            "video or picture",
        ),
        (
            'reference.pictures.file = ["clip.mp4", "b.png"]',
            "reference.pictures.file.1",
            "b.png'",
            "an existing picture",
        ),
        ('reference.recording.file = "run.zip"', "reference.recording.file", "run.zip'", "an existing recording file"),
        (
            'baseline.lora = [{ name = "a", id = "./lora" }]',
            "baseline.lora.a.id",
            "/lora'",
            "folder or .safetensors file",
        ),
        (
            'baseline.lora = [{ name = "a", id = "./loras", weight_name = "stile.safetensors" }]',
            "baseline.lora.a.weight_name",
            "loras/stile.safetensors'",
            "the name of a file",
        ),
        (
            'baseline.lora = [{ name = "a", id = "./loras", subfolder = "in" }]',
            "baseline.lora.a.subfolder",
            "loras/in'",
            "the name of a folder in that of id",
        ),
        (
            'baseline.textual_inversion.t.id = "/no/t.safetensors"',
            "baseline.textual_inversion.t.id",
            "/no/t",
            "folder or",
        ),
        ('baseline.ip_adapter.id = "./ip"', "baseline.ip_adapter.id", "/ip'", "folder or .safetensors file"),
        ('baseline.components.vae.id = "./vea"', "baseline.components.vae.id", "/vea'", "an existing folder"),
        (
            'baseline.components.vae.id = "./clip.mp4"',
            "baseline.components.vae.id",
            "which is a file",
            "existing folder",
        ),
        ('baseline.components.vae.file = "./v.gguf"', "baseline.components.vae.file", "/v.gguf'", "an existing file"),
        ('variants.v.load.config = "./c"', "variants.v.load.config", "/c'", "an existing folder or file"),
        ('variants.v.model.id = "./model"', "variants.v.model.id", "/model'", "an existing folder"),
        ('variants.v.model.id = "./m.safetensors"', "variants.v.model.id", "/m.safetensors'", "an existing file"),
    ],
)
def test_what_is_missing_is_said_with_line_and_key(
    folder: Path, text: str, key: str, found: str, expected: str
) -> None:
    (mistake,) = missing(folder, text)
    assert (mistake.line, mistake.key) == (5, key)
    assert found in mistake.found
    assert expected in mistake.expected
    assert "begins at the scenario's folder" in mistake.expected


@pytest.mark.parametrize(
    "text",
    [
        'reference.video.file = "clip.mp4"',
        'baseline.lora = [{ name = "a", id = "./loras", weight_name = "style.safetensors" }]',
        'baseline.lora = [{ name = "a", id = "./loras/style.safetensors" }]',
        'baseline.lora = [{ name = "a", id = "loras/style", weight_name = "none.safetensors" }]',
        'baseline.components.vae.id = "vae/none"',
        'baseline.components.vae = { id = "org/repo", file = "none.safetensors" }',
        'baseline.components.vae = "none"',
        'baseline.load.custom_pipeline = "clip_guided"',
    ],
)
def test_what_is_there_or_on_the_hub_is_no_mistake(folder: Path, text: str) -> None:
    assert missing(folder, text) == []


def test_a_call_of_a_recording_is_in_its_file(folder: Path) -> None:
    (folder / "run.zip").touch()
    text = 'samples = 20\nreference.recording.file = ["run.zip#1", "run.zip#2", "gone.zip#2"]'
    assert [each.key for each in missing(folder, text)] == ["reference.recording.file.2"]


def test_the_folder_of_a_program_is_looked_for(folder: Path) -> None:
    text = 'reference.command = { run = ["x", "{out}"], folder = "no", python = "no/python" }'
    assert [each.key for each in missing(folder, text)] == ["reference.command.folder", "reference.command.python"]


def test_the_nearest_name_in_the_folder_is_given(folder: Path) -> None:
    (mistake,) = missing(folder, 'baseline.lora = [{ name = "a", id = "./loras/stile.safetensors" }]')
    assert mistake.nearest == "style.safetensors"


def test_what_a_variant_inherits_is_said_once_and_counts_with_its_own(folder: Path) -> None:
    inherited = 'baseline.lora = [{ name = "a", id = "./no" }]\nvariants.v.lora.a.scale = 0.5'
    assert [each.key for each in missing(folder, inherited)] == ["baseline.lora.a.id"]
    own = (
        'baseline.lora = [{ name = "a", id = "./loras", weight_name = "style.safetensors" }]\n'
        'variants.v.lora.a.weight_name = "no.safetensors"\nvariants.w.from = "v"'
    )
    assert [(each.line, each.key) for each in missing(folder, own)] == [(6, "variants.v.lora.a.weight_name")]
    removed = 'baseline.lora = [{ name = "a", id = "./no" }]\nvariants.v.lora.a = "none"'
    assert missing(folder, removed, "v") == []


def test_an_audit_stops_at_a_missing_file_unless_it_leaves_that_variant_out(folder: Path) -> None:
    text = HEAD.replace("org/model", "builtin:tiny-cogvideox") + "scale = { seeds = 1, rerun = false }\n"
    path = folder / "s.toml"
    path.write_text(f'{text}variants.v.components.vae.id = "./no"\nvariants.w.output.fps = 8.0\n')
    with pytest.raises(ScenarioError, match=r"variants\.v\.components\.vae\.id.*/no', which does not exist"):
        spacediff.run_audit(path, out=folder / "audit")
    assert not (folder / "audit").exists()
    path.write_text(path.read_text().replace('"builtin:tiny-cogvideox"', '"./nothing"'))
    with pytest.raises(ScenarioError) as refused:
        spacediff.run_audit(path, out=folder / "audit", only="w")
    assert [each.key for each in refused.value.mistakes] == ["baseline.model.id"]
