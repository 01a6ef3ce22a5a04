"""Scripts that make a clip with given settings, each written as another person would write it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

CALL = {
    "num_inference_steps": st.integers(1, 50),
    "guidance_scale": st.sampled_from([1.0, 3.5, 6.0, 7.0]),
    "num_frames": st.sampled_from([9, 25, 49]),
    "height": st.sampled_from([320, 480]),
    "width": st.sampled_from([480, 720]),
    "use_dynamic_cfg": st.booleans(),
    "negative_prompt": st.sampled_from(["blurry", 'a "quoted" \\ one', "低质量"]),
    "max_sequence_length": st.sampled_from([128, 226]),
}
"""Arguments of the call."""
OTHERS = {
    "dtype": st.sampled_from(["float16", "bfloat16", "float32"]),
    "scheduler": st.sampled_from(["CogVideoXDPMScheduler", "CogVideoXDDIMScheduler"]),
    "spacing": st.sampled_from(["trailing", "leading", "linspace"]),
    "device": st.sampled_from(["cpu", "cuda"]),
    "fps": st.integers(4, 30),
    "tiling": st.booleans(),
    "lora": st.sampled_from([0.5, 0.8, 1.0]),
}
"""What is set elsewhere; a spacing needs a scheduler."""
_REQUIRED = ("device", "fps")
SPACE_STYLE = "plain"


@st.composite
def sides(draw: st.DrawFn) -> tuple[dict[str, object], dict[str, object]]:
    """Draw the settings of a script and of a Space that differs in some of them."""
    every = {**CALL, **OTHERS}
    ours = {name: draw(values) for name, values in every.items() if name in _REQUIRED or draw(st.booleans())}
    theirs = dict(ours)
    for name in draw(st.lists(st.sampled_from(sorted(every)), max_size=8, unique=True)):
        theirs.pop(name, None)
        if name in _REQUIRED or draw(st.booleans()):
            theirs[name] = draw(every[name])
    return ours, theirs


def rendered(style: str, values: dict[str, Any]) -> str:
    """Return a script in one of the styles."""
    classes = sorted({"CogVideoXPipeline", values.get("scheduler", "CogVideoXPipeline")})
    lines = [
        "import torch",
        f"from diffusers import {', '.join(classes)}",
        "from diffusers.utils import export_to_video",
        "",
        *STYLES[style](values),
        "",
    ]
    return "\n".join(lines)


def _loaded(values: dict[str, Any], pipe: str = "pipe") -> list[str]:
    dtype = f", torch_dtype=torch.{values['dtype']}" if "dtype" in values else ""
    lines = [f'{pipe} = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b"{dtype})']
    if "scheduler" in values:
        spacing = f', timestep_spacing="{values["spacing"]}"' if "spacing" in values else ""
        lines.append(f"{pipe}.scheduler = {values['scheduler']}.from_config({pipe}.scheduler.config{spacing})")
    if "lora" in values:
        lines.append(f'{pipe}.load_lora_weights("me/style", adapter_name="style")')
        lines.append(f'{pipe}.set_adapters(["style"], adapter_weights=[{values["lora"]}])')
    if values.get("tiling"):
        lines.append(f"{pipe}.vae.enable_tiling()")
    return [*lines, f'{pipe}.to("cuda")']


def _given(values: dict[str, Any]) -> dict[str, str]:
    return {name: repr(values[name]) for name in CALL if name in values}


def _plain(values: dict[str, Any]) -> list[str]:
    given = "".join(f", {name}={code}" for name, code in _given(values).items())
    generator = f'torch.Generator("{values["device"]}").manual_seed(42)'
    return [
        *_loaded(values),
        f'video = pipe("a lemon", generator={generator}{given}).frames[0]',
        f'export_to_video(video, "out.mp4", fps={values["fps"]})',
    ]


def _constants(values: dict[str, Any]) -> list[str]:
    given = _given(values)
    return [
        *(f"{name.upper()} = {code}" for name, code in given.items()),
        f"FPS = {values['fps']}",
        "",
        "def main():",
        *(f"    {line}" for line in _loaded(values)),
        "    video = pipe(",
        '        prompt="a lemon",',
        *(f"        {name}={name.upper()}," for name in given),
        f'        generator=torch.Generator(device="{values["device"]}").manual_seed(42),  # always the same',
        "    ).frames[0]",
        '    export_to_video(video, "out.mp4", fps=FPS)',
        "",
        'if __name__ == "__main__":',
        "    main()",
    ]


def _dict(values: dict[str, Any]) -> list[str]:
    return [
        "options = {",
        *(f'    "{name}": {code},' for name, code in _given(values).items()),
        "}",
        *_loaded(values),
        f'generator = torch.Generator("{values["device"]}").manual_seed(42)',
        'frames = pipe("a lemon", generator=generator, **options).frames',
        f'export_to_video(frames[0], "out.mp4", fps={values["fps"]})',
    ]


def _class(values: dict[str, Any]) -> list[str]:
    given = _given(values)
    arguments = "".join(f", {name}=self.{name}" for name in given)
    return [
        "class Lemon:",
        *(f"\t{name} = {code}" for name, code in given.items()),
        f"\tfps = {values['fps']}",
        "",
        "\tdef __init__(self):",
        *(f"\t\t{line}" for line in _loaded(values, "self.pipe")),
        "",
        "\tdef run(self, seed=42):",
        f'\t\tgenerator = torch.Generator("{values["device"]}").manual_seed(seed)',
        f'\t\treturn self.pipe("a lemon", generator=generator{arguments}).frames[0]',
        "",
        "lemon = Lemon()",
        'export_to_video(lemon.run(), "out.mp4", fps=lemon.fps)',
    ]


STYLES: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "plain": _plain,
    "constants": _constants,
    "dict": _dict,
    "class": _class,
}
"""Name of a style to the lines of a script in it."""
