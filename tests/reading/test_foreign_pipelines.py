"""Pipelines that are not diffusers' own: classes of the source, and those of other packages."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from spacediff.reading import Reading, read_source, read_text
from spacediff.reading.signatures import refusals
from spacediff.settings import Origin
from spacediff.why.defaults import completed

GENERATOR = 'generator=torch.Generator("cuda").manual_seed(1)'


def read(text: str) -> Reading:
    return read_text(textwrap.dedent(text), "run.py")


OWN_CLASSES = {
    "loaded by a class with a call of its own": """
        class KitePipeline(StableDiffusionXLPipeline):
            def __call__(self, prompt, kite_strength=1.0, **rest):
                return super().__call__(prompt, **rest)
        pipe = KitePipeline.from_pretrained("org/kite", torch_dtype=torch.float16).to("cuda")
        pipe("a kite", 0.4, num_inference_steps=11, GENERATOR)
    """,
    "inherited twice": """
        class Base(StableDiffusionXLPipeline):
            def __call__(self, prompt, kite_strength=1.0, **rest): ...
        class KitePipeline(Base):
            pass
        pipe = KitePipeline.from_pretrained("org/kite", torch_dtype=torch.float16).to("cuda")
        pipe("a kite", kite_strength=0.4, num_inference_steps=11, GENERATOR)
    """,
    "constructed from parts": """
        class KitePipeline(DiffusionPipeline):
            def __init__(self, vae, scheduler):
                super().__init__()
                self.register_modules(vae=vae, scheduler=scheduler)
            def __call__(self, prompt, kite_strength=1.0, num_inference_steps=50, generator=None): ...
        vae = AutoencoderKL.from_pretrained("org/kite", subfolder="vae")
        pipe = KitePipeline(vae=vae, scheduler=DDIMScheduler()).to("cuda", torch.float16)
        pipe("a kite", kite_strength=0.4, num_inference_steps=11, GENERATOR)
    """,
    "a method that generates by itself": """
        class KitePipeline(DiffusionPipeline):
            @torch.no_grad()
            def generate(self, prompt, kite_strength=1.0, num_inference_steps=50, generator=None):
                latents = torch.randn(1, 4, 8, 8, generator=generator)
                return self.vae.decode(latents)
        pipe = KitePipeline.from_pretrained("org/kite", torch_dtype=torch.float16).to("cuda")
        pipe.generate("a kite", 0.4, num_inference_steps=11, GENERATOR)
    """,
}


@pytest.mark.parametrize("kind", list(OWN_CLASSES))
def test_a_pipeline_of_the_source_keeps_its_name_and_the_order_of_its_arguments(kind: str) -> None:
    start = "import torch\nfrom diffusers import *\n"
    reading = read(start + textwrap.dedent(OWN_CLASSES[kind]).replace("GENERATOR", GENERATOR))
    values = {path: setting.value for path, setting in reading.settings.items()}
    assert {
        "model.pipeline": "KitePipeline",
        "model.id": "org/kite",
        "model.dtype": "float16",
        "placement": "cuda",
        "call.prompt": "a kite",
        "call.kite_strength": 0.4,
        "call.num_inference_steps": 11,
        "rng.device": "cuda",
        "rng.seed": 1,
    }.items() <= values.items()
    assert len(reading.calls) == 1


def test_the_defaults_of_an_own_call_are_those_of_the_source() -> None:
    reading = read("""
        from diffusers import StableDiffusionXLPipeline
        class KitePipeline(StableDiffusionXLPipeline):
            def __call__(self, prompt, num_inference_steps=7, **rest): ...
        KitePipeline.from_pretrained("org/sdxl")("a kite")
    """)
    complete = completed(reading)
    assert complete.value("call.num_inference_steps") == 7
    assert "call.guidance_scale" not in complete


def test_a_class_that_only_adds_methods_has_the_call_of_its_base() -> None:
    reading = read("""
        from diffusers import FluxPipeline
        class KitePipeline(FluxPipeline):
            def draw(self, prompt):
                return self(prompt, num_inference_steps=9).images[0]
        KitePipeline.from_pretrained("org/flux").draw("a kite").save("k.png")
    """)
    assert reading.settings.value("model.pipeline") == "KitePipeline"
    assert reading.settings.value("call.num_inference_steps") == 9
    assert reading.signature == "FluxPipeline"


def test_a_method_that_calls_the_base_class_is_a_call_of_the_pipeline() -> None:
    reading = read("""
        from diffusers import FluxPipeline
        class KitePipeline(FluxPipeline):
            def draw(self, prompt):
                return super().__call__(prompt, num_inference_steps=9).images[0]
        KitePipeline.from_pretrained("org/flux").draw("a kite").save("k.png")
    """)
    assert reading.settings.value("call.num_inference_steps") == 9
    assert reading.settings.value("call.prompt") == "a kite"


def test_a_class_in_another_file_keeps_its_name_and_its_model_its_class(tmp_path: Path) -> None:
    (tmp_path / "my_pipe.py").write_text(
        textwrap.dedent("""
            from diffusers import DiffusionPipeline
            from diffusers.models.modeling_utils import ModelMixin
            class FacePipeline(DiffusionPipeline):
                def __call__(self, prompt=None, guidance_scale=6.0, generator=None): ...
            class FaceTransformer(ModelMixin): ...
        """)
    )
    (tmp_path / "run.py").write_text(
        textwrap.dedent("""
            import torch
            from my_pipe import FacePipeline, FaceTransformer
            t = FaceTransformer.from_pretrained("some/ckpt", subfolder="transformer", torch_dtype=torch.bfloat16)
            pipe = FacePipeline.from_pretrained("some/ckpt", transformer=t, torch_dtype=torch.bfloat16)
            pipe(prompt="a cat")
        """)
    )
    settings = read_source(tmp_path / "run.py").settings
    assert settings.value("model.pipeline") == "FacePipeline"
    assert settings.value("load.transformer") == {
        "class": "FaceTransformer",
        "id": "some/ckpt",
        "subfolder": "transformer",
        "dtype": "bfloat16",
    }


def test_a_scheduler_of_the_source_keeps_its_name() -> None:
    reading = read("""
        from diffusers import DDIMScheduler, FluxPipeline
        class KiteScheduler(DDIMScheduler): ...
        pipe = FluxPipeline.from_pretrained("org/flux")
        pipe.scheduler = KiteScheduler.from_config(pipe.scheduler.config, eta=1)
        pipe("a kite")
    """)
    assert reading.settings.value("scheduler.class") == "KiteScheduler"


@pytest.mark.parametrize(
    "line",
    [
        "from kites.pipelines import EasyAnimateInpaintPipeline",
        "from .pipelines import EasyAnimateInpaintPipeline",
        "import kites.pipelines\nEasyAnimateInpaintPipeline = kites.pipelines.EasyAnimateInpaintPipeline",
        "from diffusers import FluxPipeline as F\nclass EasyAnimateInpaintPipeline(F):\n    def __call__(self, a): ...",
    ],
)
def test_nothing_of_diffusers_is_claimed_for_a_namesake(line: str) -> None:
    reading = read_text(
        "import torch\n" + line + '\npipe = EasyAnimateInpaintPipeline.from_pretrained("org/kite")\n'
        f'pipe("a kite flies", video_length=17, clip_image=None, {GENERATOR})',
        "run.py",
    )
    assert reading.settings.value("model.pipeline") == "EasyAnimateInpaintPipeline"
    assert reading.settings.value("call.video_length") == 17
    assert refusals(reading) == []
    assert "call.num_inference_steps" not in completed(reading)
    assert reading.signature == ""


def test_the_class_of_diffusers_has_its_own_arguments_and_defaults() -> None:
    reading = read("""
        from diffusers import EasyAnimateInpaintPipeline
        EasyAnimateInpaintPipeline.from_pretrained("org/kite")("a kite", video_length=17)
    """)
    assert [note.kind for note in refusals(reading)] == ["refused argument"]
    assert completed(reading).value("call.num_inference_steps") == 50


@pytest.mark.parametrize("name", ["fastXPipeline", "KitePipeline", "KiteImageToVideoPipeline"])
def test_a_pipeline_of_another_package_is_read_by_its_own_name(name: str) -> None:
    reading = read(f"""
        import torch
        from PIL import Image
        from fastx import {name}
        pipe = {name}.from_pretrained("org/kite", torch_dtype=torch.bfloat16).to("cuda")
        pipe(Image.open("a.png"), guidance_scale=6.0, {GENERATOR})
    """)
    assert reading.settings.value("model.pipeline") == name
    assert reading.settings.value("model.dtype") == "bfloat16"
    assert reading.settings.value("call.argument_1") == "a.png"
    assert "call.prompt" not in reading.settings


SEEDS = {
    "an argument": ("pipe('a kite', seed=5)", 5),
    "a default of the source": ("pipe('a kite')", 3),
    "-1 draws one": ("pipe('a kite', seed=-1)", None),
    "None draws one": ("pipe('a kite', seed=None)", None),
}


@pytest.mark.parametrize("kind", list(SEEDS))
def test_the_seed_of_a_foreign_pipeline_may_be_an_argument(kind: str) -> None:
    line, seed = SEEDS[kind]
    reading = read_text(
        "from diffusers import DiffusionPipeline\nclass KitePipeline(DiffusionPipeline):\n"
        f"    def __call__(self, prompt, seed=3): ...\npipe = KitePipeline()\n{line}",
        "run.py",
    )
    setting = reading.settings["rng.seed"]
    assert setting.value == seed
    assert setting.origin is (Origin.UNKNOWN if seed is None else Origin.READ)
    assert ("random" in {note.kind for note in reading.notes}) is (seed is None)


def test_nothing_is_said_of_the_noise_of_a_foreign_pipeline_without_a_seed() -> None:
    reading = read("""
        from kites import KitePipeline
        KitePipeline(weights="a.safetensors")(prompt="a kite")
    """)
    assert reading.settings["rng.seed"].origin is Origin.UNKNOWN
    assert "random" not in {note.kind for note in reading.notes}
    assert reading.unknowns["rng.seed"] == "drawn by KitePipeline itself"


@pytest.mark.parametrize("line", ["from transformers import TextPipeline", "from sklearn.pipeline import TextPipeline"])
def test_a_pipeline_that_makes_no_images_is_none(line: str) -> None:
    assert read_text(f"{line}\nTextPipeline(model='a')('a kite')", "run.py").called_at == ""


OWN_PIPELINES = {
    "DiffusionPipeline": """
        class KitePipeline(DiffusionPipeline):
            def __init__(self, vae):
                super().__init__()
            def __call__(self, prompt=None, num_inference_steps=28, height=480): return prompt
    """,
    "no library": """
        class KitePipeline:
            def __init__(self, path):
                self.transformer = load(path)
            def __call__(self, prompt, num_inference_steps=28, height=480): return self.check(prompt, 1)
            def fast_call(self, prompt, num_inference_steps=28, height=480): return self.check(prompt, 1)
            def check(self, prompt, steps): return prompt
    """,
}


@pytest.mark.parametrize(
    ("base", "run"),
    [
        ("DiffusionPipeline", 'pipe = KitePipeline.from_pretrained("org/kite")\nPIPE(prompt=PROMPT, height=720)'),
        ("no library", 'pipe = KitePipeline("org/kite")\nPIPE(PROMPT, height=720)'),
        ("no library", 'pipe = KitePipeline("org/kite")\nPIPE.fast_call(PROMPT, height=720)'),
    ],
)
@pytest.mark.parametrize("where", ["file", "server"])
def test_the_call_of_an_own_pipeline_is_the_one_that_the_source_makes(
    base: str,
    run: str,
    where: str,
    tmp_path: Path,
) -> None:
    (tmp_path / "own.py").write_text("from diffusers import DiffusionPipeline\n" + textwrap.dedent(OWN_PIPELINES[base]))
    made, _, call = run.replace("PIPE", "pipe").partition("\n")
    if where == "server":
        call = f"def handler(job):\n    return {call.replace('PROMPT', 'job')}\nserve(handler)"
    main = tmp_path / "run.py"
    main.write_text(f"from own import KitePipeline\n{made}\n{call}\n".replace("PROMPT", '"a kite"'))
    reading = read_source(main)
    assert reading.called_at == ("run.py:4" if where == "server" else "run.py:3")
    assert reading.settings.value("call.height") == 720
    assert not reading.undecided
    assert len(reading.calls) == 1


OWN_IN_A_FILE = """import torch
class KitePipeline:
    def __init__(self, path):
        self.transformer = load(path)
    def fly(self, prompt, negative_prompt=None, num_inference_steps=28, guidance_scale=7.0):
        return self.transformer(prompt)
    def encode_prompt(self, prompt, negative_prompt=None, num_inference_steps=28):
        return prompt
    def __call__(self, prompt, negative_prompt=None, num_inference_steps=28, guidance_scale=7.0):
        return self.transformer(prompt)
"""


@pytest.mark.parametrize("call", ["pipe.fly", "pipe", "KitePipeline('org/other').fly"])
def test_a_pipeline_of_another_file_is_called_where_the_script_calls_it(tmp_path: Path, call: str) -> None:
    (tmp_path / "kite.py").write_text(OWN_IN_A_FILE, "utf-8")
    script = tmp_path / "run.py"
    lines = "from kite import KitePipeline\npipe = KitePipeline('org/kite')\npipe.encode_prompt('x')\n"
    script.write_text(f"{lines}video = {call}('a kite', num_inference_steps=100)\n", "utf-8")
    reading = read_source(script)
    assert [one.where for one in reading.calls] == ["run.py:4"]
    assert reading.settings.value("call.num_inference_steps") == 100


def test_a_handler_of_a_pipeline_of_another_file_is_followed_and_not_its_own_call(tmp_path: Path) -> None:
    own = "from diffusers import DiffusionPipeline\nclass KitePipeline(DiffusionPipeline):\n"
    own += "    def __call__(self, prompt=None, height=480):\n        return prompt\n"
    (tmp_path / "kite.py").write_text(own, "utf-8")
    script = tmp_path / "run.py"
    lines = "import runpod\nfrom kite import KitePipeline\npipe = KitePipeline.from_pretrained('org/kite')\n"
    lines += (
        "def handler(job):\n    return pipe(prompt=job['input']['prompt'], height=job['input'].get('height', 720))\n"
    )
    script.write_text(lines + "runpod.serverless.start({'handler': handler})\n", "utf-8")
    reading = read_source(script)
    assert [one.where for one in reading.calls] == ["run.py:5"]
    assert (reading.settings.value("model.id"), reading.settings.value("call.height")) == ("org/kite", 720)
