"""A path of a scenario is a path on every system, and a Hub id is none."""

from __future__ import annotations

from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import pytest

from spacediff.errors import ScenarioError
from spacediff.scenario.paths import absolute_path, is_path
from spacediff.scenario.scenario import parse_scenario, scenario_schema

HERE, THERE = PurePosixPath("/work/mine"), PureWindowsPath("D:/work/mine")


@pytest.mark.parametrize(
    ("text", "folder", "expected"),
    [
        ("./models/x", HERE, "/work/mine/models/x"),
        ("../x", HERE, "/work/mine/../x"),
        ("/models/x", HERE, "/models/x"),
        (r".\models\x", HERE, "/work/mine/models/x"),
        (r"clips\odd name.mp4", HERE, r"/work/mine/clips\odd name.mp4"),
        (r"C:\models\x", HERE, "C:/models/x"),
        ("C:/models/x", HERE, "C:/models/x"),
        ("~/models/x", HERE, "/home/of/tests/models/x"),
        (r"~\models\x", HERE, "/home/of/tests/models/x"),
        ("~nobody-of-this-name/x", HERE, "/work/mine/~nobody-of-this-name/x"),
        ("./models/x", THERE, "D:/work/mine/models/x"),
        (r".\models\x", THERE, "D:/work/mine/models/x"),
        ("/models/x", THERE, "D:/models/x"),
        (r"C:\models\x", THERE, "C:/models/x"),
        ("C:/models/x", THERE, "C:/models/x"),
        (r"\\server\share\x", THERE, "//server/share/x"),
        (r"clips\a.mp4", THERE, "D:/work/mine/clips/a.mp4"),
    ],
)
def test_a_path_becomes_absolute_with_forward_slashes(
    text: str, folder: PurePath, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/of/tests")
    assert absolute_path(text, folder) == expected


@pytest.mark.parametrize("text", ["org/name", "builtin:tiny-cogvideox", "C:name", "name", "CC:/x", "https://a/b"])
def test_an_id_is_no_path(text: str) -> None:
    assert not is_path(text)


SCENARIO = """title = "x"
prompts.a = {{ text = "a", seed = 1 }}
baseline.model.id = '{model}'
variants.b.call.guidance_scale = 7.0
reference.video.file = '{video}'
semantics = {{ model = '{model}', parts = ["hand"] }}
"""


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("C:/models/CogVideoX-5b", "C:/models/CogVideoX-5b"),
        (r"C:\models\CogVideoX-5b", "C:/models/CogVideoX-5b"),
        ("~/models/x", "/home/of/tests/models/x"),
        (r".\models\x", "{folder}/models/x"),
    ],
)
def test_models_and_videos_are_named_as_on_any_system(
    given: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/of/tests")
    expected = found.format(folder=tmp_path)
    scenario = parse_scenario(SCENARIO.format(model=given, video=given), tmp_path / "s.toml")
    assert scenario.baseline.model
    assert scenario.baseline.model.id == expected
    assert scenario.reference.video is not None
    assert scenario.reference.video.file == Path(expected)
    assert scenario.semantics is not None
    assert scenario.semantics.model == expected


def test_a_drive_without_a_path_is_a_mistake() -> None:
    with pytest.raises(ScenarioError, match=r"begins with \., /, ~ or a drive"):
        parse_scenario(SCENARIO.format(model="C:models", video="v.mp4"), Path("s.toml"))


def test_editors_accept_what_the_program_accepts() -> None:
    import re

    (pattern,) = {
        each["pattern"] for each in scenario_schema()["$defs"]["BaselineModelTable"]["properties"].values()
        if "tiny-cogvideox" in each.get("pattern", "")
    }  # fmt: skip
    for text in ("C:/x", r"C:\x", "~/x", r".\x", "./x", "/x", "org/name"):
        assert re.search(pattern, text), text
    assert not re.search(pattern, "C:x")


@pytest.mark.parametrize("table", ["prompts", "variants"])
def test_no_folder_gets_the_name_of_a_device(table: str) -> None:
    name = {"prompts": "prompts.Aux", "variants": "variants.Aux"}[table]
    text = SCENARIO.format(model="builtin:tiny-cogvideox", video="v.mp4")
    text += f"\n[{name}]\n" + ('text = "x"\nseed = 1\n' if table == "prompts" else "call.guidance_scale = 1.0\n")
    with pytest.raises(ScenarioError, match=r"'Aux'; expected another name: Windows has a device of this name"):
        parse_scenario(text.replace("prompts.a = {", "prompts.b = {"), Path("s.toml"))
