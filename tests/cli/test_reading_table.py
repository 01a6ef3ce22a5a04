"""`spacediff read` on a narrow terminal: the file is named once, and lines are wrapped between words."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from spacediff.cli import console, reading_table
from spacediff.cli.console import Terminal
from spacediff.reading import Reading, read_source, read_text

NAME = "generate_with_a_long_name.py"
SCRIPT = """\
import torch
from diffusers import CogVideoXImageToVideoPipeline
pipe = CogVideoXImageToVideoPipeline.from_pretrained("THUDM/CogVideoX-5b-I2V", torch_dtype=torch.bfloat16)
steps = number_of_steps_for_the_machine_that_this_runs_on()
video = pipe(prompt="a cat", image="a.png", num_inference_steps=steps, guidance_scale=6.0)
frames = upscale_each_frame_with_real_esrgan(video.frames[0], scale=4)
"""


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def show(reading: Reading) -> str:
        screen = io.StringIO()
        terminal = Terminal(file=screen, force_terminal=True, color_system=None, width=80)
        monkeypatch.setattr(reading_table, "wide_terminal", lambda: terminal)
        reading_table.show_reading(reading)
        return screen.getvalue()

    return show


APART = """\
import torch
from diffusers import AutoencoderKL, BitsAndBytesConfig, FluxPipeline, FluxTransformer2DModel
bits = BitsAndBytesConfig(load_in_4bit=True)
vae = AutoencoderKL.from_pretrained("org/vae", torch_dtype=torch.float32)
part = FluxTransformer2DModel.from_pretrained("org/flux", subfolder="transformer", quantization_config=bits)
pipe = FluxPipeline.from_pretrained("org/flux", transformer=part, vae=vae, torch_dtype=torch.bfloat16)
pipe.text_encoder.to(torch.float16)
pipe("a cat")
"""


def test_components_have_the_paths_of_a_scenario_where_it_can_say_them(shown: Callable[..., str]) -> None:
    rows = [line.split() for line in shown(read_text(APART, "run.py")).splitlines()]
    found = {row[0]: row[1] for row in rows if len(row) > 1 and row[0].startswith(("components.", "load.", "vae."))}
    assert found == {
        "components.transformer.dtype": "'float32'",
        "components.transformer.quantization.backend": "'bitsandbytes_4bit'",
        "components.vae.class": "'AutoencoderKL'",
        "components.vae.id": "'org/vae'",
        "vae.dtype": "'float32'",
        "load.text_encoder": "{'dtype':",
    }


def test_one_file_is_named_once(shown: Callable[..., str]) -> None:
    text = shown(read_text(SCRIPT, NAME))
    assert text.count(NAME) == 1
    assert text.startswith(f"{NAME}: CogVideoXImageToVideoPipeline is called at line 5\n")
    assert "call.guidance_scale       6.0" in text
    for line in text.splitlines():
        assert len(line) <= 80
    for question in ("(line 4)", "(line 6)"):
        assert question in " ".join(text.split())


def test_several_files_are_named_at_each_place(tmp_path: Path, shown: Callable[..., str]) -> None:
    (tmp_path / "loading.py").write_text("\n".join(SCRIPT.splitlines()[:3]))
    (tmp_path / "app.py").write_text("from loading import pipe\npipe(prompt='a cat', image='a.png')\n")
    text = shown(read_source(tmp_path))
    assert "app.py:2" in text
    assert "loading.py:3" in text
    assert text.startswith("CogVideoXImageToVideoPipeline is called at app.py:2\n")


def test_a_longer_path_that_ends_in_the_name_is_another_file(shown: Callable[..., str]) -> None:
    text = shown(read_text(SCRIPT.replace("frames[0]", "frames[0], 'old/run.py:9'"), "run.py"))
    assert "'old/run.py:9'" in text
    assert "(line 6)" in text


def test_a_line_of_a_pipe_is_not_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    reading_table.show_reading(read_text(SCRIPT, NAME))
    text = capsys.readouterr().out
    assert "  upscaling: upscale_each_frame_with_real_esrgan(video.frames[0], scale=4) (line 6)\n" in text
    assert console.wide_terminal().width >= 120


def test_an_input_without_a_default_has_none(shown: Callable[..., str]) -> None:
    draw = "def draw(prompt):\n    pipe(prompt=prompt, image='a.png')\n"
    text = shown(read_text("".join(SCRIPT.splitlines(keepends=True)[:3]) + draw, NAME))
    assert "call.prompt: parameter 'prompt', without a default (line 4)" in text
