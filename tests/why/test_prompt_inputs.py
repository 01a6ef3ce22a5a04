"""The pictures that a script loads become inputs of the written scenario, where they are beside the script."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from spacediff.plan import plan_scenario
from spacediff.reading import read_text
from spacediff.scenario.scenario import Scenario, load_scenario
from spacediff.why.differences import compare_sources
from spacediff.why.prompt_inputs import files_beside
from spacediff.why.scenario_writer import corrected_text, scenario_text
from support.input_files import picture

SCRIPT = """
import torch
import cv2
from PIL import Image, ImageOps
from diffusers import CogVideoXImageToVideoPipeline
from diffusers.utils import export_to_video, load_image, load_video
pipe = CogVideoXImageToVideoPipeline.from_pretrained("zai-org/CogVideoX-5b-I2V", torch_dtype=torch.bfloat16)
noise = torch.Generator().manual_seed(1)
frames = pipe(image=LOADED, prompt="a kite", num_inference_steps=5, generator=noise).frames[0]
export_to_video(frames, "out.mp4", fps=8)
"""
SPACE = """
import gradio as gr, torch
from PIL import Image, ImageOps
from diffusers import CogVideoXImageToVideoPipeline
from diffusers.utils import export_to_video, load_image
pipe = CogVideoXImageToVideoPipeline.from_pretrained("zai-org/CogVideoX-5b-I2V", torch_dtype=torch.bfloat16)
def generate(image_input, prompt, seed=42):
    frames = pipe(image=PREPARED, prompt=prompt, generator=torch.Generator().manual_seed(seed)).frames[0]
    return export_to_video(frames, "out.mp4", fps=8)
with gr.Blocks() as demo:
    image, prompt, seed, video = gr.Image(type="filepath"), gr.Textbox(), gr.Number(42), gr.Video()
    gr.Button().click(generate, [image, prompt, seed], video, api_name="generate")
"""


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a script and its picture, beside one with a picture that is none of the script's business."""
    (tmp_path / "mine" / "files").mkdir(parents=True)
    picture(0).save(tmp_path / "mine" / "files" / "a.png")
    picture(1).save(tmp_path / "secret.png")
    (tmp_path / "mine" / "run.py").touch()
    (tmp_path / "scenarios").mkdir()
    return tmp_path


def written(folder: Path, loaded: str, prepared: str = "load_image(image_input)") -> tuple[str, Scenario]:
    """Write the scenario for a script that loads its picture in a way, and load it with its files."""
    script = read_text(SCRIPT.replace("LOADED", loaded), "run.py")
    space = read_text(SPACE.replace("PREPARED", prepared), "app.py")
    compared = compare_sources(script, space)
    find = files_beside(folder / "mine" / "run.py", folder / "scenarios", script.unturned)
    load = folder / "scenarios" / "why.toml"
    load.write_text(corrected_text(compared, script, space, "org/space", ["call.num_inference_steps"], find=find))
    load_scenario(load)
    text = scenario_text(compared, script, space, "org/space", find)
    load.write_text(text)
    return text, load_scenario(load)


@pytest.mark.parametrize(
    "loaded", ['load_image("files/a.png")', 'load_image("./files/a.png")', 'Image.open("files/a.png").convert("RGB")']
)
@pytest.mark.parametrize("prepared", ["load_image(image_input)", "own_preparation(image_input)"])
def test_a_picture_next_to_the_script_is_an_input_here_and_on_the_space(
    folder: Path, loaded: str, prepared: str
) -> None:
    _, scenario = written(folder, loaded, prepared)
    [given] = plan_scenario(scenario).prompts[0].inputs
    assert (given.name, Path(given.files[0].path).resolve()) == ("image", (folder / "mine/files/a.png").resolve())
    assert scenario.reference.space
    assert scenario.reference.space.inputs["image_input"] == "{file:image}"
    assert not [each for each in scenario.approximations if each.setting == "call.image"]


@pytest.mark.parametrize(
    "loaded",
    [
        'load_image("files/none.png")',
        'load_image("../secret.png")',
        'load_image("https://example.org/a.png")',
        'Image.open("files/a.png").convert("L")',
    ],
)
def test_another_file_is_left_open(folder: Path, loaded: str) -> None:
    text, scenario = written(folder, loaded)
    assert not scenario.prompts["main"].inputs
    [left_out] = [each for each in scenario.approximations if each.setting == "call.image"]
    assert left_out.reason is None or "script's folder" in left_out.reason
    assert '# open: image_input takes a file of the user (Image): add image_input = "{file:image}" to the' in text


STRETCHED = {"resize": "stretch", "size": (720, 480), "resample": "bicubic"}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ('load_image("files/a.png").resize((720, 480))', STRETCHED),
        ('load_image("files/a.png").resize((720, 480), Image.LANCZOS)', {**STRETCHED, "resample": "lanczos"}),
        ('load_image("files/a.png").resize(size=(720, 480), resample=2)', {**STRETCHED, "resample": "bilinear"}),
        ('ImageOps.exif_transpose(Image.open("files/a.png")).convert("RGB").resize((720, 480))', STRETCHED),
        ('ImageOps.exif_transpose(Image.open("files/a.png").convert("RGB")).resize((720, 480))', STRETCHED),
        ('ImageOps.fit(load_image("files/a.png"), (720, 480))', {**STRETCHED, "resize": "cover"}),
        (
            'ImageOps.contain(load_image("files/a.png"), (720, 480), method=Image.Resampling.BOX)',
            {"resize": "contain", "size": (720, 480), "resample": "box"},
        ),
        ('load_image("files/a.png").crop((0, 0, 4, 2)).resize((720, 480))', {**STRETCHED, "crop": (0, 0, 4, 2)}),
    ],
)
def test_what_is_done_to_the_picture_is_written_for_script_and_space(
    folder: Path, steps: str, expected: dict[str, object]
) -> None:
    _, scenario = written(folder, steps)
    assert scenario.settings_of("baseline").table("inputs") == {"image": expected}
    assert scenario.approximations == ()
    assert scenario.settings_of("as-hosted").value("inputs.image.resize") == "none"

    _, other = written(folder, 'load_image("files/a.png")', steps.replace('"files/a.png"', "image_input"))
    assert not other.settings_of("baseline").table("inputs")
    assert other.settings_of("as-hosted").table("inputs") == {"image": expected}


NOT_FOLLOWED = [
    "prepare_picture(PICTURE, 720, 480)",
    "transforms.Resize((480, 720))(PICTURE)",
    "prepare_picture(PICTURE) if large() else PICTURE",
    "cv2.resize(PICTURE, (720, 480)) if os.environ.get('CROP') else PICTURE",
]


@pytest.mark.parametrize("steps", NOT_FOLLOWED)
@pytest.mark.parametrize("of_space", [True, False])
def test_nothing_is_said_of_a_picture_that_is_not_followed(steps: str, *, of_space: bool) -> None:
    """Code that is not read, or not usually run, may resize it: neither `none` nor a difference is sure."""
    imports = "import cv2, os\nfrom torchvision import transforms\nfrom own import prepare_picture\n"
    loaded, given = 'load_image("files/a.png")', "load_image(image_input)"
    resized, hidden = (loaded, given) if of_space else (given, loaded)
    texts = {resized: f"{resized}.resize((720, 480))", hidden: steps.replace("PICTURE", hidden)}
    compared = compare_sources(
        read_text(imports + SCRIPT.replace("LOADED", texts[loaded]), "run.py"),
        read_text(imports + SPACE.replace("PREPARED", texts[given]), "app.py"),
    )
    assert not [each.path for each in compared.differences if each.path.startswith("inputs.")]


@pytest.mark.parametrize("given", ["image_input", "load_image(image_input)"])
def test_a_picture_of_the_user_that_is_passed_on_is_not_resized(given: str) -> None:
    script = read_text(SCRIPT.replace("LOADED", 'load_image("files/a.png").resize((720, 480))'), "run.py")
    compared = compare_sources(script, read_text(SPACE.replace("PREPARED", given), "app.py"))
    [resized] = [each for each in compared.differences if each.path == "inputs.image.resize"]
    assert resized.right.value == "none"


def test_only_the_filter_that_differs_is_changed(folder: Path) -> None:
    _, scenario = written(
        folder,
        'load_image("files/a.png").resize((720, 480))',
        "load_image(image_input).resize((720, 480), Image.LANCZOS)",
    )
    inputs = [path for path in scenario.changes_of("as-hosted") if path.startswith("inputs.")]
    assert inputs == ["inputs.image.resample"]


@pytest.mark.parametrize(
    "steps",
    [
        'Image.open("files/a.png").resize((720, 480))',
        'Image.open("files/a.png").convert("RGB").resize((720, 480))',
        'ImageOps.exif_transpose(Image.open("files/a.png").convert("RGB").resize((720, 480)))',
        'load_image("files/a.png", convert_method=own).resize((720, 480))',
        'load_image("files/a.png", own)',
        'load_image("files/a.png").resize((720, 480)).crop((0, 0, 4, 4))',
        'load_image("files/a.png").resize((width(), 480))',
        'load_image("files/a.png").resize((720, 480), box=(0, 0, 4, 4))',
        'load_image("files/a.png").resize((720, 480), chosen())',
        'ImageOps.fit(load_image("files/a.png"), (720, 480), bleed=0.1)',
        'cv2.resize(load_image("files/a.png"), (720, 480))',
    ],
)
def test_what_may_give_other_pixels_stays_an_approximation(folder: Path, steps: str) -> None:
    _, scenario = written(folder, steps)
    assert not scenario.settings_of("baseline").table("inputs")
    assert {each.setting for each in scenario.approximations} & {"input resizing", "call.image"}


@pytest.mark.parametrize(
    ("loaded", "is_same"),
    [
        ('load_image("files/phone.jpg")', True),
        ('ImageOps.exif_transpose(Image.open("files/phone.jpg")).convert("RGB")', True),
        ('Image.open("files/phone.jpg").convert("RGB")', False),
        ('Image.open("files/phone.jpg")', False),
        ('[Image.open("files/phone.jpg")]', False),
        ('Image.open("files/upright.jpg").convert("RGB")', True),
        ('Image.open("files/a.png")', True),
    ],
)
def test_a_picture_on_its_side_is_an_input_only_if_the_script_turns_it(
    folder: Path, loaded: str, *, is_same: bool
) -> None:
    for name, orientation in (("phone", 6), ("upright", 1)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        picture(0).save(folder / "mine" / "files" / f"{name}.jpg", exif=exif)
    _, scenario = written(folder, loaded)
    assert bool(scenario.prompts["main"].inputs) == is_same
    assert [each.setting for each in scenario.approximations] == ([] if is_same else ["call.image"])


def test_a_resizing_under_an_unknown_condition_is_left_open(folder: Path) -> None:
    loaded = 'load_image("files/a.png")'
    _, scenario = written(folder, f"{loaded}.resize((720, 480)) if large() else {loaded}")
    assert "inputs.image.resize" in {each.setting for each in scenario.approximations}


def test_no_file_outside_the_scripts_folder_is_taken(folder: Path) -> None:
    find = files_beside(folder / "mine" / "run.py", folder)
    assert find("files/a.png") == "mine/files/a.png"
    for name in ("../secret.png", (folder / "secret.png").as_posix(), "files/../../secret.png", "C:/a.png", "files"):
        assert find(name) == ""
    (folder / "mine" / "link.png").symlink_to(folder / "secret.png")
    assert find("link.png") == ""
    assert files_beside(folder / "no-script", folder)("mine/files/a.png") == ""
