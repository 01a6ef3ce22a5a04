"""How people keep a pipeline and its settings in code of their own: classes, helpers, modules, objects of settings."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from spacediff.reading import Reading, read_source, read_text
from spacediff.settings import Origin

START = """import dataclasses, functools, types, torch
from diffusers import AutoencoderTiny, FluxPipeline, StableDiffusionXLPipeline
"""


def read(text: str) -> Reading:
    return read_text(START + textwrap.dedent(text), "run.py")


def value_of(reading: Reading, path: str) -> Any:
    setting = reading.settings.get(path)
    return "?" if setting is not None and setting.origin is Origin.UNKNOWN else setting and setting.value


KEPT = {
    "a SimpleNamespace": """
        C = types.SimpleNamespace(MODEL="org/flux", KINDS={"text": FluxPipeline}, STEPS=9)
        pipe = C.KINDS["text"].from_pretrained(C.MODEL)
        pipe("a kite", num_inference_steps=C.STEPS)
    """,
    "a namespace that is changed": """
        C = types.SimpleNamespace(MODEL="org/flux", STEPS=4)
        C.STEPS = 9
        FluxPipeline.from_pretrained(C.MODEL)("a kite", **{"num_inference_steps": vars(C)["STEPS"]})
    """,
    "an EasyDict": """
        from easydict import EasyDict
        C = EasyDict({"model": {"id": "org/flux"}, "steps": 4})
        C.steps = 9
        FluxPipeline.from_pretrained(C.model.id)("a kite", num_inference_steps=C["steps"])
    """,
    "OmegaConf": """
        from omegaconf import OmegaConf
        C = OmegaConf.create({"model": {"id": "org/flux"}, "call": {"num_inference_steps": 9}})
        FluxPipeline.from_pretrained(C.model.id)("a kite", **C.call)
    """,
    "a dataclass": """
        @dataclasses.dataclass
        class Settings:
            model: str = "org/flux"
            steps: int = 4
            sizes: list = dataclasses.field(default_factory=lambda: [1024, 512])
        c = Settings(steps=9)
        FluxPipeline.from_pretrained(c.model)("a kite", num_inference_steps=c.steps)
    """,
    "a dataclass that is replaced": """
        @dataclasses.dataclass
        class Settings:
            model: str = "org/flux"
            steps: int = 4
        c = dataclasses.asdict(dataclasses.replace(Settings(), steps=9))
        FluxPipeline.from_pretrained(c["model"])("a kite", num_inference_steps=c["steps"])
    """,
    "a named tuple": """
        from typing import NamedTuple
        class Settings(NamedTuple):
            model: str
            steps: int = 9
        model, steps = Settings("org/flux")
        FluxPipeline.from_pretrained(model)("a kite", num_inference_steps=steps)
    """,
    "a namedtuple": """
        from collections import namedtuple
        Settings = namedtuple("Settings", "model steps")
        c = Settings("org/flux", 9)
        FluxPipeline.from_pretrained(c.model)("a kite", num_inference_steps=c[1])
    """,
    "settings of pydantic": """
        from pydantic_settings import BaseSettings
        class Settings(BaseSettings):
            model: str = "org/flux"
            steps: int = 9
        c = Settings()
        FluxPipeline.from_pretrained(c.model)("a kite", num_inference_steps=c.steps)
    """,
    "a class of constants": """
        class Settings:
            MODEL = "org/flux"
            STEPS = 9
        FluxPipeline.from_pretrained(Settings.MODEL)("a kite", num_inference_steps=Settings().STEPS)
    """,
    "an Enum": """
        from enum import Enum
        class Model(Enum):
            FAST = "org/flux"
            SLOW = "org/slow"
        STEPS = {Model.FAST: 9, Model.SLOW: 50}
        FluxPipeline.from_pretrained(Model.FAST.value)("a kite", num_inference_steps=STEPS[Model.FAST])
    """,
    "an Enum by value": """
        import enum
        class Model(str, enum.Enum):
            FAST = "org/flux"
            SLOW = "org/slow"
        one = Model("org/flux")
        FluxPipeline.from_pretrained(one.value)("a kite", num_inference_steps=9 if one is Model.FAST else 50)
    """,
    "an attribute of a function": """
        def the_pipe():
            if not hasattr(the_pipe, "held"):
                the_pipe.held = FluxPipeline.from_pretrained("org/flux")
            return the_pipe.held
        the_pipe()("a kite", num_inference_steps=9)
    """,
    "globals": """
        def pipe():
            if "kept" not in globals():
                globals()["kept"] = FluxPipeline.from_pretrained("org/flux")
            return globals()["kept"]
        pipe()("a kite", num_inference_steps=9)
    """,
    "a global name": """
        pipe = None
        def load():
            global pipe
            if pipe is None:
                pipe = FluxPipeline.from_pretrained("org/flux")
        def draw(prompt, steps=9):
            load()
            return pipe(prompt, num_inference_steps=steps).images[0]
        draw("a kite").save("k.png")
    """,
    "a class attribute": """
        class Models:
            pipe = None
            @classmethod
            def get(cls):
                if cls.pipe is None:
                    cls.pipe = FluxPipeline.from_pretrained("org/flux")
                return cls.pipe
        Models.get()("a kite", num_inference_steps=9)
    """,
    "a singleton by __new__": """
        class Model:
            one = None
            def __new__(cls):
                if cls.one is None:
                    cls.one = super().__new__(cls)
                    cls.one.pipe = FluxPipeline.from_pretrained("org/flux")
                return cls.one
        Model().pipe("a kite", num_inference_steps=9)
    """,
    "an attribute with a default": """
        class Model:
            def draw(self, prompt):
                if getattr(self, "pipe", None) is None:
                    self.pipe = FluxPipeline.from_pretrained("org/flux")
                return self.pipe(prompt, num_inference_steps=9)
        Model().draw("a kite")
    """,
    "a class with bases": """
        class Base:
            def __init__(self, model, steps=4):
                self.pipe, self.steps = FluxPipeline.from_pretrained(model), steps
            @functools.cached_property
            def options(self):
                return {"num_inference_steps": self.steps}
        class Draws:
            def __call__(self, prompt, **extra):
                return self.pipe(prompt, **self.options, **extra).images[0]
        class App(Draws, Base):
            def __init__(self):
                super().__init__("org/flux", steps=9)
        App()("a kite")
    """,
    "a context manager": """
        class Loaded:
            def __enter__(self):
                self.pipe = FluxPipeline.from_pretrained("org/flux")
                return self.pipe
            def __exit__(self, *_): ...
        with Loaded() as pipe:
            pipe("a kite", num_inference_steps=9)
    """,
    "a closure": """
        def drawing(model, **options):
            pipe = FluxPipeline.from_pretrained(model)
            def draw(prompt, *args, **more):
                return pipe(prompt, *args, **{**options, **more})
            return draw
        drawing("org/flux", num_inference_steps=4)("a kite", num_inference_steps=9)
    """,
    "a lambda": """
        load = lambda model: FluxPipeline.from_pretrained(model)
        run = functools.partial(load("org/flux"), num_inference_steps=9)
        run("a kite")
    """,
    "an own getitem": """
        class Settings:
            def __init__(self, values):
                self.values = values
            def __getitem__(self, key):
                return self.values[key]
        c = Settings({"model": "org/flux", "steps": 9})
        FluxPipeline.from_pretrained(c["model"])("a kite", num_inference_steps=c["steps"])
    """,
}


@pytest.mark.parametrize("kind", list(KEPT))
def test_a_pipeline_and_settings_are_found_where_people_keep_them(kind: str) -> None:
    reading = read(KEPT[kind])
    assert value_of(reading, "model.pipeline") == "FluxPipeline"
    assert value_of(reading, "model.id") == "org/flux"
    assert value_of(reading, "call.num_inference_steps") == 9
    assert value_of(reading, "call.prompt") == "a kite"


def test_a_property_with_a_setter_stays_a_property() -> None:
    reading = read("""
        class Model:
            def __init__(self): self.held = 9
            @property
            def steps(self): return self.held
            @steps.setter
            def steps(self, value): self.held = value
        FluxPipeline.from_pretrained("org/flux")("a kite", num_inference_steps=Model().steps)
    """)
    assert value_of(reading, "call.num_inference_steps") == 9


RETURNED = {
    "assigned": "pipe = with_weights(pipe, 'extra.safetensors')",
    "through two": "pipe = second(with_weights(pipe, 'extra.safetensors'))",
    "with something else": "pipe, other = with_weights(pipe, 'extra.safetensors')",
}


@pytest.mark.parametrize("kind", list(RETURNED))
def test_a_pipeline_that_an_unknown_helper_returns_stays_the_pipeline(kind: str) -> None:
    reading = read(f"""
        from helpers import second, with_weights
        pipe = FluxPipeline.from_pretrained("org/flux", torch_dtype=torch.float16)
        {RETURNED[kind]}
        pipe.to("cuda")
        pipe("a kite", num_inference_steps=9).images[0].save("k.png")
    """)
    assert value_of(reading, "model.id") == "org/flux"
    assert value_of(reading, "call.num_inference_steps") == 9
    assert value_of(reading, "placement") == "cuda"
    assert any(note.kind == "patched part" and "with_weights" in note.text for note in reading.notes)


def test_a_helper_that_makes_an_image_with_the_pipeline_returns_no_pipeline() -> None:
    reading = read("""
        from helpers import draw
        pipe = FluxPipeline.from_pretrained("org/flux")
        pipe("a kite", num_inference_steps=9).images[0].save("a.png")
        draw(pipe, "a kite").save("b.png")
    """)
    assert [call.where for call in reading.calls] == ["run.py:6"]


@pytest.mark.parametrize(
    ("use", "expected"),
    [("start = blank(length=17, size=size)", [384, 672]), ("shuffle(size)", ["?", "?"])],
    ids=["used for its result", "called for its effect"],
)
def test_a_list_that_a_helper_is_shown_keeps_its_items(use: str, expected: list[Any]) -> None:
    reading = read(f"""
        from helpers import blank, shuffle
        size = [384, 672]
        pipe = FluxPipeline.from_pretrained("org/flux")
        {use}
        pipe("a kite", height=size[0], width=size[1])
    """)
    assert [value_of(reading, "call.height"), value_of(reading, "call.width")] == expected


GRAFTED = {
    "__get__": "from previews import call\npipe.call_with_previews = call.__get__(pipe)",
    "MethodType": "from previews import call\npipe.call_with_previews = types.MethodType(call, pipe)",
    "a function of the source": """
def call(self, prompt=None, num_inference_steps=4, guidance_scale=7.0, generator=None):
    for step in self.scheduler.timesteps:
        yield self.vae.decode(step)
pipe.call_with_previews = call.__get__(pipe)""",
    "a method that another package adds": "import previews\npreviews.add_to(pipe)",
}


@pytest.mark.parametrize("kind", list(GRAFTED))
def test_a_method_that_is_bound_to_the_pipeline_is_its_call(kind: str) -> None:
    reading = read_text(
        START
        + 'tiny = AutoencoderTiny.from_pretrained("org/tiny")\n'
        + 'pipe = FluxPipeline.from_pretrained("org/flux", vae=tiny).to("cuda")\n'
        + GRAFTED[kind]
        + '\nfor image in pipe.call_with_previews(prompt="a kite", guidance_scale=3.5, num_inference_steps=9,\n'
        + "        generator=torch.Generator().manual_seed(1)):\n    image.save('k.png')",
        "run.py",
    )
    assert value_of(reading, "call.num_inference_steps") == 9
    assert value_of(reading, "call.guidance_scale") == 3.5
    assert value_of(reading, "rng.seed") == 1
    assert value_of(reading, "model.id") == "org/flux"
    assert len(reading.calls) == 1


@pytest.mark.parametrize("method", ["encode_prompt", "check_inputs", "prepare_latents"])
def test_a_method_that_prepares_is_no_call(method: str) -> None:
    reading = read(f"""
        pipe = FluxPipeline.from_pretrained("org/flux")
        pipe.{method}(prompt="a kite", num_inference_steps=4, height=512)
    """)
    assert reading.calls == ()


MODULES: dict[str, dict[str, str]] = {
    "a function": {"run.py": "from loading import load\nload()('a kite', num_inference_steps=9)"},
    "a module": {"run.py": "import loading as l\nl.load()('a kite', num_inference_steps=9)"},
    "everything": {"run.py": "from loading import *\nload()('a kite', num_inference_steps=9)"},
    "a relative import": {"run.py": "from .loading import load\nload()('a kite', num_inference_steps=9)"},
    "importlib": {
        "run.py": "import importlib\nimportlib.import_module('loading').load()('a kite', num_inference_steps=9)"},
    "a package": {
        "run.py": "from src.models.flux import draw\ndraw('a kite')",
        "src/models/flux.py": "from ..settings import STEPS\nfrom loading import load\n"
        "def draw(prompt):\n    return load()(prompt, num_inference_steps=STEPS)",
        "src/settings.py": "STEPS = 9"},
    "a package by its name": {
        "run.py": "import src.settings\nfrom loading import load\n"
                  "load()('a kite', num_inference_steps=src.settings.STEPS)",
        "src/settings.py": "STEPS = 9"},
    "a module of a package": {
        "run.py": "from src import settings\nfrom loading import load\n"
                  "load()('a kite', num_inference_steps=settings.STEPS)",
        "src/settings.py": "STEPS = 9"},
    "a module named as its package": {
        "run.py": "from tool import draw\ndraw('a kite')",
        "tool/__init__.py": "from .tool import draw",
        "tool/tool.py": "from loading import load\ndef draw(text):\n    return load()(text, num_inference_steps=9)"},
    "names that a package passes on": {
        "run.py": "from tool import STEPS\nfrom loading import load\nload()('a kite', num_inference_steps=STEPS)",
        "tool/__init__.py": "from .settings import *",
        "tool/settings.py": "STEPS = 9"},
    "a module beside another": {
        "run.py": "from tool.draw import draw\ndraw('a kite')",
        "tool/draw.py": "from . import settings\nfrom loading import load\n"
                        "def draw(prompt):\n    return load()(prompt, num_inference_steps=settings.STEPS)",
        "tool/settings.py": "STEPS = 9"},
    "sys.path": {
        "run.py": "import os, sys\nsys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))\n"
                  "from settings import STEPS\nfrom loading import load\nload()('a kite', num_inference_steps=STEPS)",
        "lib/settings.py": "STEPS = 9"},
    "sys.path with pathlib": {
        "run.py": "import sys\nfrom pathlib import Path\nsys.path.insert(0, str(Path(__file__).parent / 'lib'))\n"
                  "from settings import STEPS\nfrom loading import load\nload()('a kite', num_inference_steps=STEPS)",
        "lib/settings.py": "STEPS = 9"},
}  # fmt: skip
LOADING = "from diffusers import FluxPipeline\ndef load():\n    return FluxPipeline.from_pretrained('org/flux')\n"


@pytest.mark.parametrize("kind", list(MODULES))
def test_files_next_to_the_source_are_followed(kind: str, tmp_path: Path) -> None:
    for name, text in {"loading.py": LOADING, **MODULES[kind]}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    reading = read_source(tmp_path / "run.py")
    assert value_of(reading, "model.id") == "org/flux"
    assert value_of(reading, "call.num_inference_steps") == 9


def test_imports_of_many_libraries_leave_room_for_files_of_the_source(tmp_path: Path) -> None:
    libraries = "".join(f"import library_{number}\n" for number in range(100))
    (tmp_path / "loading.py").write_text(LOADING)
    (tmp_path / "run.py").write_text(f"{libraries}from loading import load\nload()('a kite')")
    assert value_of(read_source(tmp_path / "run.py"), "model.id") == "org/flux"


WORKERS = {
    "a thread": "threading.Thread(target=work, args=('org/flux',), kwargs={'steps': 9}).start()",
    "a process": "multiprocessing.Process(target=work, args=('org/flux', 9)).start()",
    "an executor": "with futures.ThreadPoolExecutor(1) as pool:\n    pool.submit(work, 'org/flux', steps=9).result()",
    "to_thread": "async def main():\n    return await asyncio.to_thread(work, 'org/flux', 9)\nasyncio.run(main())",
    "run_in_executor": "asyncio.get_event_loop().run_in_executor(None, work, 'org/flux', 9)",
}


@pytest.mark.parametrize("kind", list(WORKERS))
def test_a_function_that_runs_elsewhere_is_followed(kind: str) -> None:
    reading = read(
        "import asyncio, multiprocessing, threading\nfrom concurrent import futures\n"
        "def work(model, steps=4):\n    pipe = FluxPipeline.from_pretrained(model)\n"
        "    return pipe('a kite', num_inference_steps=steps).images[0]\n" + WORKERS[kind]
    )
    assert value_of(reading, "model.id") == "org/flux"
    assert value_of(reading, "call.num_inference_steps") == 9


@pytest.mark.parametrize("loop", ["while job := jobs.get():", "while True:\n        job = jobs.get()"])
def test_a_worker_gets_the_jobs_that_events_put_into_its_queue(loop: str) -> None:
    app = f"""
import torch, gradio as gr
from multiprocessing import Process, Queue
from diffusers import FluxPipeline
jobs, done = Queue(), Queue()
def work(model_id, jobs, done):
    pipe = FluxPipeline.from_pretrained(model_id).to("cuda")
    {loop}
        done.put(pipe(job["prompt"], num_inference_steps=job["steps"]).images[0])
def draw(prompt, steps):
    jobs.put({{"prompt": prompt, "steps": steps}})
    return done.get()
Process(target=work, args=("org/flux", jobs, done)).start()
gr.Interface(draw, [gr.Textbox(label="Prompt"), gr.Slider(value=28, label="Steps")], gr.Image()).launch()
"""
    reading = read_text(app, "app.py")
    assert value_of(reading, "model.id") == "org/flux"
    assert value_of(reading, "call.num_inference_steps") == 28
    assert reading.inputs["call.num_inference_steps"].label == "Steps"


LENGTHS = [
    ("CogVideoXPipeline", "num_frames=49", 8),
    ("CogVideoXPipeline", "num_frames=48", "?"),  # the VAE makes 4 n + 1 frames
    ("LTXPipeline", "num_frames=49", 8),
    ("LTXPipeline", "num_frames=53", "?"),
    ("CogVideoXPipeline", "", "?"),
    ("KiteVideoPipeline", "num_frames=49", "?"),
]


@pytest.mark.parametrize(("name", "frames", "fps"), LENGTHS)
def test_the_length_of_a_clip_is_the_number_of_frames_that_was_asked_for(name: str, frames: str, fps: Any) -> None:
    package = "diffusers" if name[0] in "CL" else "kites"
    reading = read_text(
        f"import math\nfrom diffusers.utils import export_to_video\nfrom {package} import {name}\n"
        f"video = {name}.from_pretrained('a/b')(prompt='a kite', {frames}).frames[0]\n"
        "export_to_video(video, 'o.mp4', fps=math.ceil((len(video) - 1) / 6))",
        "run.py",
    )
    assert value_of(reading, "output.fps") == fps


@pytest.mark.parametrize(
    ("merged", "steps", "size"),
    [
        ("base", 30, 512),
        ("base, {'steps': 9}", 9, 512),
        ("base, OmegaConf.create({'size': {'width': 640}})", 30, 640),
        ("base, OmegaConf.from_cli()", 30, 512),
        ("base, given", None, None),
        ("{'steps': 9}, base", 30, 512),
    ],
)
def test_settings_that_are_merged_are_those_of_the_last(merged: str, steps: int | None, size: int | None) -> None:
    reading = read_text(
        "from omegaconf import OmegaConf\n"
        "from diffusers import FluxPipeline\n"
        "base = OmegaConf.create({'steps': 30, 'size': {'width': 512, 'height': 320}})\n"
        f"settings = OmegaConf.merge({merged})\n"
        'pipe = FluxPipeline.from_pretrained("a/b")\n'
        'pipe("a leaf", num_inference_steps=settings.steps, width=settings.size.width, height=settings.size.height)\n',
        "run.py",
    )
    assert reading.settings.value("call.num_inference_steps") == steps
    assert reading.settings.value("call.width") == size
    assert reading.settings.value("call.height") == (size and 320)
