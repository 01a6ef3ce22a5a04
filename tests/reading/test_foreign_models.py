"""Models of other packages that no name shows to be a pipeline."""

from __future__ import annotations

import pytest

from spacediff.reading import read_text

WAN = 'import wan\nmodel = wan.WanT2V(config=config(), checkpoint_dir="./Wan-14B", rank=0)\n'
HUNYUAN = 'from hyvideo.inference import Sampler\nmodel = Sampler.from_pretrained("./Wan-14B", args=arguments())\n'
STEP = (
    'from stepvideo import StepVideo\nclass App:\n    model = StepVideo(ckpt_path="./Wan-14B")\nmodel = App().model\n'
)


@pytest.mark.parametrize("made", [WAN, HUNYUAN, STEP])
@pytest.mark.parametrize(
    "call",
    [
        'model.generate("a kite", size=(832, 480), sampling_steps=40, seed=7)',
        'model.predict(prompt="a kite", height=480, sampling_steps=40, seed=7)',
    ],
)
def test_a_model_is_known_by_its_checkpoint_and_its_call(made: str, call: str) -> None:
    reading = read_text(f"{made}{call}\n", "run.py")
    found = {
        path: reading.settings.value(path) for path in ("model.id", "call.prompt", "call.sampling_steps", "rng.seed")
    }
    assert found == {"model.id": "./Wan-14B", "call.prompt": "a kite", "call.sampling_steps": 40, "rng.seed": 7}
    assert not reading.signature


@pytest.mark.parametrize(
    "lines",
    [
        'import vllm\nmodel = vllm.LLM(model_path="x")\nmodel.generate("a kite", max_tokens=9)',
        'import chat\nmodel = chat.Model(checkpoint="x")\nmodel.generate("a kite", temperature=0.5)',
        'import wan\nmodel = wan.Config(size=3)\nmodel.generate("a kite", size=3)',
        f'{WAN}model.check("a kite", size=3)',
    ],
)
def test_what_makes_no_picture_is_no_pipeline(lines: str) -> None:
    assert not read_text(lines, "run.py").called_at


def test_a_pipeline_comes_before_a_model_that_may_be_one() -> None:
    pipeline = "from diffusers import FluxPipeline\nFluxPipeline.from_pretrained('a/b')('a kite')\n"
    for source in (
        f"{WAN}model.generate('a kite', size=3)\n{pipeline}",
        f"{pipeline}{WAN}model.generate('a kite', size=3)\n",
    ):
        assert [call.pipeline for call in read_text(source, "run.py").calls] == ["FluxPipeline"]
