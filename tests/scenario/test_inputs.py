"""Input pictures and videos in a scenario: what is accepted, and what is refused with line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.errors import Mistake, ScenarioError
from spacediff.plan import plan_scenario
from spacediff.scenario.scenario import load_scenario
from support.input_files import picture

TEXT = """title = "t"
[prompts.p]
text = "a lemon"
seed = 1
[prompts.p.inputs]
image = "files/a.png"
[baseline]
model.id = "./checkpoint"
[reference]
variant = "baseline"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    picture(0).save(tmp_path / "files" / "a.png")
    return tmp_path


def written(folder: Path, text: str) -> Path:
    path = folder / "s.toml"
    path.write_text(text)
    return path


def mistakes_in(folder: Path, text: str) -> tuple[Mistake, ...]:
    with pytest.raises(ScenarioError) as refused:
        load_scenario(written(folder, text))
    return refused.value.mistakes


def test_an_input_is_a_file_next_to_the_scenario(folder: Path) -> None:
    plan = plan_scenario(load_scenario(written(folder, TEXT)))
    [given] = plan.prompts[0].inputs
    assert (given.name, given.listed) == ("image", False)
    assert Path(given.files[0].path) == folder / "files" / "a.png"
    assert all(run.prompt.inputs == (given,) for run in plan.runs)


def test_an_input_may_be_a_list_of_files(folder: Path) -> None:
    text = TEXT.replace('"files/a.png"', '["files/a.png", "files/a.png"]')
    [given] = plan_scenario(load_scenario(written(folder, text))).prompts[0].inputs
    assert (len(given.files), given.listed) == (2, True)


def test_the_content_of_an_input_is_part_of_the_identity_of_a_run(folder: Path) -> None:
    before = [run.key({}) for run in plan_scenario(load_scenario(written(folder, TEXT))).runs]
    picture(0).save(folder / "files" / "b.png")
    moved = [run.key({}) for run in plan_scenario(load_scenario(written(folder, TEXT.replace("a.png", "b.png")))).runs]
    assert moved == before
    picture(1).save(folder / "files" / "a.png")
    after = [run.key({}) for run in plan_scenario(load_scenario(written(folder, TEXT))).runs]
    assert not set(after) & set(before)


def test_a_prompt_with_inputs_may_do_without_a_text(folder: Path) -> None:
    scenario = load_scenario(written(folder, TEXT.replace('text = "a lemon"\n', "")))
    assert plan_scenario(scenario).prompts[0].text == ""
    without = TEXT.replace('text = "a lemon"\n', "").replace('[prompts.p.inputs]\nimage = "files/a.png"\n', "")
    [mistake] = mistakes_in(folder, without)
    assert (mistake.key, mistake.found) == ("prompts.p.text", "nothing")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ('"files/none.png"', "missing"),
        ('"files"', "not a file"),
        ('"s.toml"', "cannot be opened as a video"),
        ('"s.toml"', "nor is it a picture (PNG, JPEG, WebP, AVIF, GIF, BMP or TIFF)"),
        ('["files/a.png", "files/none.png"]', "missing"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_mistake(folder: Path, value: str, found: str) -> None:
    [mistake] = mistakes_in(folder, TEXT.replace('"files/a.png"', value))
    assert mistake.line == 6
    assert mistake.key.startswith("prompts.p.inputs.image")
    assert found in mistake.found


@pytest.mark.parametrize("value", ["3", '""', "[]", "{ file = 'a.png' }", "[3]"])
def test_an_input_is_a_text_or_a_list_of_texts(folder: Path, value: str) -> None:
    [mistake] = mistakes_in(folder, TEXT.replace('"files/a.png"', value))
    assert (mistake.line, mistake.key) == (6, "prompts.p.inputs.image")
    assert "picture or video" in mistake.expected


def test_the_name_of_an_input_is_an_argument_that_is_free(folder: Path) -> None:
    [mistake] = mistakes_in(folder, TEXT.replace("image =", '"my image" ='))
    assert "argument of the pipeline" in mistake.expected
    [mistake] = mistakes_in(folder, TEXT.replace("image =", "generator ="))
    assert "spacediff creates it" in mistake.expected
    [mistake] = mistakes_in(folder, TEXT.replace("model.id", "call.image = 3\nmodel.id"))
    assert "one of the two" in mistake.expected


@pytest.mark.parametrize("owner", ["[baseline]\n", "[variants.v]\n"])
def test_a_file_among_the_arguments_of_the_call_is_pointed_to_the_inputs(folder: Path, owner: str) -> None:
    variant = TEXT.replace("[reference]", "[variants.v]\n[reference]")
    [mistake] = mistakes_in(folder, variant.replace(owner, f'{owner}call.last_image = "../files/img.png"\n'))
    assert mistake.key.endswith("call.last_image")
    assert "[prompts.NAME.inputs] last_image" in mistake.expected


SPACE = TEXT.replace(
    '[reference]\nvariant = "baseline"\n',
    """[reference.space]
id = "http://127.0.0.1:1"
endpoint = "/animate"
inputs = { image = "{file:image}", prompt = "{prompt}" }
""",
)


def test_a_space_gets_an_input_by_its_name(folder: Path) -> None:
    assert load_scenario(written(folder, SPACE))
    [mistake] = mistakes_in(folder, SPACE.replace("{file:image}", "{file:imag}"))[1:]
    assert (mistake.line, mistake.key, mistake.nearest) == (12, "reference.space.inputs.image", "image")
    [mistake] = mistakes_in(folder, SPACE.replace('"{prompt}"', '"look at {file:image}"'))
    assert "nothing else" in mistake.expected


def test_an_input_that_a_space_does_not_get_is_a_mistake(folder: Path) -> None:
    [mistake] = mistakes_in(folder, SPACE.replace('image = "{file:image}", ', ""))
    assert (mistake.line, mistake.key) == (6, "prompts.p.inputs.image")
    assert "{file:image}" in mistake.expected


@pytest.mark.parametrize(
    "value",
    [
        '"../files/img.png"',
        '{ path = "./files/img.png", meta = { _type = "gradio.FileData" } }',
        '{ path = "./files/img.png" }',
        '{ url = "https://example.org/a.png", meta = { _type = "gradio.FileData" } }',
        '["~/a.png"]',
    ],
)
def test_a_plain_file_for_a_space_is_pointed_to_the_placeholder(folder: Path, value: str) -> None:
    [mistake] = mistakes_in(folder, SPACE.replace('prompt = "{prompt}"', f"first = {value}"))
    assert mistake.key.startswith("reference.space.inputs.first")
    assert "{file:image}" in mistake.expected
    assert load_scenario(written(folder, SPACE.replace('"{prompt}"', '"a cat.png and a dog"')))


PREPARED = TEXT.replace("[reference]", "[baseline.inputs.image]\nPLACE\n[reference]")


def test_settings_of_an_input_are_settings_like_others(folder: Path) -> None:
    text = PREPARED.replace("PLACE", 'resize = "cover"\nsize = [64, 48]\ncrop = [0, 0, 9, 9]\nbackground = "#102030"')
    settings = load_scenario(written(folder, text)).settings_of("baseline")
    assert settings.value("inputs.image.resize") == "cover"
    assert settings["inputs.image.size"].where == "s.toml:11"
    assert list(settings.value("inputs.image.size")) == [64, 48]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('resize = "crop"', "one of none, cover, contain, stretch"),
        ("size = [64]", "[width, height]"),
        ("size = 64", "[width, height]"),
        ("size = [0, 64]", "[width, height]"),
        ("crop = [5, 0, 5, 9]", "[left, top, right, bottom]"),
        ("crop = []", "[left, top, right, bottom]"),
        ("crop = [1, 2]", "[left, top, right, bottom]"),
        ('background = "sky"', "a colour"),
        ("frames = 0", "at least 1"),
        ("widht = 3", "one of the keys frames, background"),
    ],
)
def test_a_wrong_setting_of_an_input_is_a_mistake(folder: Path, line: str, expected: str) -> None:
    mistakes = mistakes_in(folder, PREPARED.replace("PLACE", line))
    assert {mistake.line for mistake in mistakes} == {10}
    assert expected in mistakes[0].expected


def test_settings_of_an_input_that_no_prompt_has_are_a_mistake(folder: Path) -> None:
    [mistake] = mistakes_in(
        folder, PREPARED.replace("PLACE", "frames = 3").replace("baseline.inputs.image", "baseline.inputs.imag")
    )
    assert (mistake.key, mistake.nearest) == ("baseline.inputs.imag", "image")


RESIZED = PREPARED.replace("PLACE", 'resize = "cover"')


@pytest.mark.parametrize(
    ("call", "line", "key", "found"),
    [
        ("call = { width = 0, height = 64 }", 9, "baseline.call.width", "0"),
        ("call = { width = 64, height = 9000 }", 9, "baseline.call.height", "9000"),
        ("call = { width = 64, height = true }", 9, "baseline.call.height", "true"),
        ("call = { height = 64 }", 11, "baseline.inputs.image.resize", "'cover' without a width"),
    ],
)
def test_a_resize_without_a_usable_size_is_a_mistake(folder: Path, call: str, line: int, key: str, found: str) -> None:
    text = RESIZED.replace("[baseline.inputs", f"{call}\n[baseline.inputs")
    [mistake] = mistakes_in(folder, text)
    assert (mistake.line, mistake.key, mistake.found) == (line, key, found)
    assert "a whole number from 1 to 8192" in mistake.expected
    assert load_scenario(written(folder, text.replace('"cover"', '"cover"\nsize = [64, 64]')))


def test_the_size_may_come_from_what_a_variant_starts_from(folder: Path) -> None:
    variants = '[variants.small]\ncall = { width = 64, height = 48 }\n[variants.cover]\nfrom = ["small"]\nSIDE\n'
    text = TEXT.replace("[reference]", variants + 'inputs.image.resize = "cover"\n[reference]')
    assert load_scenario(written(folder, text.replace("SIDE", "")))
    [mistake] = mistakes_in(folder, text.replace("SIDE", "call.height = 0"))
    assert (mistake.line, mistake.key) == (13, "variants.cover.call.height")
    [mistake] = mistakes_in(folder, text.replace("SIDE", "").replace("height = 48", "height = 0"))
    assert mistake.key == "variants.small.call.height"
