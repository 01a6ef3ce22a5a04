"""Command lines: the defaults of options, those that must be given, and dataclasses whose fields are options."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from spacediff.reading import Reading, read_text
from spacediff.settings import Origin

START = "import argparse, torch\nfrom diffusers import FluxPipeline\n"
CALL = """
pipe = FluxPipeline.from_pretrained(args.model)
image = pipe("a cat", num_inference_steps=args.steps, generator=torch.manual_seed(args.seed)).images[0]
"""


def read(text: str) -> Reading:
    return read_text(START + textwrap.dedent(text) + CALL, "run.py")


def value(reading: Reading, path: str) -> Any:
    """Return the value of a setting, "unknown" for an unknown one."""
    setting = reading.settings[path]
    return "unknown" if setting.origin is Origin.UNKNOWN else setting.value


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ('"--model", default="org/flux"', "org/flux"),
        ('"--model", type=str, default=None, required=True', "unknown"),
        ('"--model", default="org/flux", required=True', "unknown"),
        ('"--model", default=""', "unknown"),
        ('"--model"', "unknown"),
        ('"model"', "unknown"),
        ('"model", nargs="?", default="org/flux"', "org/flux"),
    ],
)
def test_a_checkpoint_that_the_user_must_give_is_unknown(option: str, expected: str) -> None:
    reading = read(f"""
        parser = argparse.ArgumentParser()
        parser.add_argument({option})
        parser.add_argument("--steps", type=int, default="30")
        parser.add_argument("--seed", type=int, default=7)
        args = parser.parse_args()
    """)
    assert value(reading, "model.id") == expected
    assert reading.inputs["model.id"].label.endswith("model")
    assert value(reading, "call.num_inference_steps") == 30


PARSERS = {
    "transformers": "import transformers\nargs, = transformers.HfArgumentParser(Args).parse_args_into_dataclasses()",
    "a tuple of transformers": "from transformers import HfArgumentParser\n"
    "args = HfArgumentParser((Args,)).parse_args_into_dataclasses()[0]",
    "tyro": "import tyro\nargs = tyro.cli(Args)",
    "simple_parsing": "import simple_parsing\nargs = simple_parsing.parse(Args)",
    "simple_parsing's parser": "from simple_parsing import ArgumentParser\nparser = ArgumentParser()\n"
    "parser.add_arguments(Args, dest='all')\nargs = parser.parse_args().all",
    "jsonargparse": "import jsonargparse\nargs = jsonargparse.CLI(Args)",
    "pydantic": "args = Args()",
}


@pytest.mark.parametrize("parser", PARSERS)
def test_fields_of_a_dataclass_are_options_with_their_defaults(parser: str) -> None:
    fields = """
        from dataclasses import dataclass, field
        @dataclass
        class Args:
            model: str = "org/flux"
            steps: int = field(default=30, metadata={"help": "steps"})
            seed: int = 7
    """
    reading = read(textwrap.dedent(fields) + PARSERS[parser] + "\n")
    assert value(reading, "model.id") == "org/flux"
    assert value(reading, "call.num_inference_steps") == 30
    assert value(reading, "rng.seed") == 7
    if parser != "pydantic":
        assert reading.inputs["call.num_inference_steps"].label == "--steps"
