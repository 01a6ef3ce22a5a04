"""Servers: the defaults of what a client may leave out, by request model, by `.get`, and by a schema."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from spacediff.reading import Reading, read_text
from spacediff.settings import Origin

START = """
import os, random, torch
from diffusers import FluxPipeline
from typing import Annotated, Optional

pipe = FluxPipeline.from_pretrained("org/flux")
"""


def read(text: str) -> Reading:
    return read_text(START + textwrap.dedent(text), "app.py")


def value(reading: Reading, path: str) -> Any:
    """Return the value of a setting, "unknown" for an unknown one, "not given" for one that is missing."""
    setting = reading.settings.get(path)
    if setting is None:
        return "not given"
    return "unknown" if setting.origin is Origin.UNKNOWN else setting.value


MODELS = {
    "pydantic": """
        from pydantic import BaseModel, Field
        class Ask(BaseModel):
            prompt: str = Field(..., min_length=1)
            steps: int = Field(DEFAULT, ge=1)
            scale: float = Field(default=6.0)
    """,
    "pydantic, inherited and annotated": """
        from pydantic import BaseModel, Field
        class Common(BaseModel):
            steps: Annotated[int, Field(ge=1)] = DEFAULT
        class Ask(Common):
            prompt: str
            scale: Optional[float] = 6.0
    """,
    "a dataclass": """
        from dataclasses import dataclass, field
        @dataclass
        class Ask:
            prompt: str
            steps: int = field(default=20)
            scale: float = field(default_factory=lambda: 6.0)
    """,
    "msgspec": """
        import msgspec
        class Ask(msgspec.Struct):
            prompt: str
            steps: int = msgspec.field(default=20)
            scale: float = 6.0
    """,
}
HANDLERS = {
    "FastAPI": "app = fastapi.FastAPI()\n@app.post('/make')\nasync def make(ask: Ask):",
    "FastAPI in a function": "def create():\n    app = fastapi.FastAPI()\n    @app.post('/')\n    def make(ask: Ask):\n"
    "        return draw(ask)\n    return app\ncreate()\ndef draw(ask):",
    "an annotation": "app = FastAPI()\n@app.put('/make')\ndef make(ask: Annotated[Ask, Body()]):",
    "BentoML": "import bentoml\n@bentoml.service()\nclass Service:\n    pass\n@bentoml.api\ndef make(ask: Ask):",
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("handler", HANDLERS)
def test_fields_of_a_request_model_have_their_defaults(model: str, handler: str) -> None:
    body = "    return pipe(prompt=ask.prompt, num_inference_steps=ask.steps, guidance_scale=ask.scale).images[0]"
    models = "DEFAULT = int(os.getenv('STEPS', '20'))\n" + textwrap.dedent(MODELS[model])
    reading = read(f"import fastapi\nfrom fastapi import FastAPI, Body\n{models}\n{HANDLERS[handler]}\n{body}\n")
    assert value(reading, "call.num_inference_steps") == 20
    assert value(reading, "call.guidance_scale") == 6.0
    assert value(reading, "call.prompt") == "unknown"
    assert reading.inputs["call.prompt"].label == "prompt"


LOOK_UPS = {
    "runpod": """
        import runpod
        def handler(job):
            ask = job["input"]
            {call}
        runpod.serverless.start({"handler": handler})
    """,
    "a missing dict": """
        def handler(event):
            ask = event.get("input", {})
            {call}
    """,
    "Flask": """
        from flask import Flask, request
        app = Flask(__name__)
        @app.route("/", methods=["POST"])
        def handler():
            ask = request.get_json()
            {call}
    """,
    "Flask's attribute": """
        from flask import Flask, request
        app = Flask(__name__)
        @app.post("/")
        def handler():
            ask = request.json
            {call}
    """,
    "FastAPI's request": """
        app = fastapi.FastAPI()
        @app.post("/")
        async def handler(request: Request):
            ask = await request.json()
            {call}
    """,
    "Sanic": """
        from sanic import Sanic
        app = Sanic("x")
        @app.route("/", methods=["POST"])
        async def handler(request):
            ask = request.json
            {call}
    """,
    "Lambda": """
        import json
        def handler(event, context):
            ask = json.loads(event["body"])
            {call}
    """,
    "Inference Endpoints": """
        class EndpointHandler:
            def __init__(self, path=""):
                self.pipe = FluxPipeline.from_pretrained(path)
            def __call__(self, data):
                ask = data.pop("parameters", data)
                {call}
    """,
    "Truss": """
        class Model:
            def __init__(self, **kwargs):
                self.secrets = kwargs["secrets"]
            def load(self):
                self.pipe = FluxPipeline.from_pretrained("org/flux")
            def predict(self, ask):
                {call}
    """,
    "keywords": """
        def handler(**ask):
            {call}
    """,
    "LitServe": """
        import litserve as ls
        class API(ls.LitAPI):
            def setup(self, device):
                self.pipe = pipe.to(device)
            def decode_request(self, request):
                return request
            def predict(self, ask):
                {call}
    """,
}
CALL = (
    "pipe(prompt=ask['prompt'], num_inference_steps=int(ask.get('steps', 50)), guidance_scale=ask.pop('cfg', 6.0), "
    "width=ask['width'] if 'width' in ask else 640, "
    "generator=torch.Generator().manual_seed(ask.get('seed', 7))).images[0]"
)


@pytest.mark.parametrize("server", LOOK_UPS)
def test_what_a_client_may_leave_out_has_the_default_of_the_look_up(server: str) -> None:
    reading = read(LOOK_UPS[server].replace("{call}", CALL))
    assert value(reading, "call.num_inference_steps") == 50
    assert value(reading, "call.guidance_scale") == 6.0
    assert value(reading, "call.width") == 640
    assert value(reading, "rng.seed") == 7
    assert value(reading, "call.prompt") == "unknown"


def test_the_prompt_is_sent_and_other_fields_are_not() -> None:
    reading = read("""
        def handler(job):
            if "prompt" not in job["input"] or not job["input"].get("prompt"):
                return {"error": "no prompt"}
            negative = job["input"].get("negative_prompt")
            seed = job["input"].get("seed")
            if seed is None:
                seed = random.randint(0, 99)
            return pipe(job["input"]["prompt"], negative_prompt=negative, generator=torch.Generator().manual_seed(seed))
    """)
    assert reading.calls[0].usual is True
    assert value(reading, "call.negative_prompt") is None
    assert value(reading, "rng.seed") == "unknown"
    assert [note.only_if for note in reading.notes if note.kind == "random"] == ["seed is None"]


def test_a_schema_of_runpod_gives_the_defaults() -> None:
    reading = read("""
        from runpod.serverless.utils.rp_validator import validate
        SCHEMA = {"prompt": {"type": str, "required": True}, "height": {"type": int, "default": 1024}}
        def handler(job):
            checked = validate(job["input"], SCHEMA)
            if "errors" in checked:
                return {"error": checked["errors"]}
            ask = checked["validated_input"]
            return pipe(ask["prompt"], height=ask["height"]).images[0]
    """)
    assert value(reading, "call.height") == 1024
    assert reading.inputs["call.height"].label == "height"


def test_a_default_of_a_configuration_that_is_not_read_is_no_fact() -> None:
    reading = read("""
        settings = load_settings("config.bin")
        pipe("a kite", height=settings.get("height", 1024)).images[0]
    """)
    assert value(reading, "call.height") == "unknown"


@pytest.mark.parametrize(
    "drawn",
    [
        "int.from_bytes(os.urandom(2), 'big')",
        "random.randint(0, MAX)",
        "np.random.randint(0, 99)",
        "torch.randint(0, 99, (1,)).item()",
        "torch.seed()",
        "secrets.randbelow(99)",
        "int(time.time())",
        "int(datetime.now().timestamp())",
        "random.SystemRandom().randint(0, 9)",
        "torch.Generator().seed()",
    ],
)
def test_a_seed_that_is_not_given_is_random(drawn: str) -> None:
    reading = read(f"""
        import secrets, time, numpy as np
        from datetime import datetime
        from cog import BasePredictor, Input
        class Predictor(BasePredictor):
            def predict(self, prompt: str = Input(default="a cat"), seed: int = Input(default=None)):
                if seed is None:
                    seed = {drawn}
                return pipe(prompt, generator=torch.Generator("cuda").manual_seed(seed)).images[0]
    """)
    assert value(reading, "rng.seed") == "unknown"
    assert ("random", True) in [(note.kind, note.usual) for note in reading.notes]
    assert reading.inputs["rng.seed"].label == "seed"


@pytest.mark.parametrize("kind", ["methods", "a method without a name", "functions"])
def test_a_helper_above_the_function_that_a_server_calls_gets_its_values(kind: str) -> None:
    sources = {
        "methods": """
            class Predictor(BasePredictor):
                def setup(self):
                    self.pipe = FluxPipeline.from_pretrained("org/flux")
                def draw(self, prompt, steps):
                    return self.pipe(prompt, num_inference_steps=steps).images[0]
                def predict(self, prompt: str = Input(default="a kite"), steps: int = Input(default=4)):
                    return self.draw(prompt, steps)
        """,
        "a method without a name": """
            class Predictor(BasePredictor):
                def setup(self):
                    self.pipe = FluxPipeline.from_pretrained("org/flux")
                predict = lambda self, prompt="a kite", steps=4: self.pipe(prompt, num_inference_steps=steps).images[0]
        """,
        "functions": """
            pipe = FluxPipeline.from_pretrained("org/flux")
            def draw(prompt, steps):
                return pipe(prompt, num_inference_steps=steps).images[0]
            def handle(prompt="a kite", steps=4):
                return draw(prompt, steps)
        """,
    }
    head = "from cog import BasePredictor, Input\nfrom diffusers import FluxPipeline\n"
    reading = read_text(head + textwrap.dedent(sources[kind]), "predict.py")
    assert reading.settings.value("call.num_inference_steps") == 4
    assert reading.settings.value("call.prompt") == "a kite"
    assert "call.num_inference_steps" not in reading.alternatives
