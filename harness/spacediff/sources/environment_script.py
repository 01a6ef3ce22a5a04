"""A run as a plain diffusers script, for an environment in which spacediff is not installed.

The script loads, places and calls the pipeline; everything else is put into that call as into a script of the user, so
that what the other version cannot do is refused by name there.
"""

from __future__ import annotations

from pathlib import Path

from spacediff.devices import OFFLOADS, execution_device
from spacediff.environments.wanted import TABLE
from spacediff.errors import UnsupportedSetting
from spacediff.python_code import as_code
from spacediff.run import Run
from spacediff.settings import Setting, Settings
from spacediff.sources.local.placement import BY_DEVICE_MAP, placement_of
from spacediff.tiny.checkpoint import BUILTIN
from spacediff.tiny.portable import portable_checkpoint

_WRITTEN = ("model", "load", "placement", "rng.seed", "rng.device", "output.fps", "output.quality")
"""Settings that the script itself has, or that act on the file that is written here."""
_PUT_IN = ("scheduler", "call", "vae", "numerics")
"""Tables whose settings are put into its call."""
_GLOBAL = "global"
_GROUP = "group_offload"


def script_of(run: Run) -> str:
    """Return the script of a run.

    Raises:
        UnsupportedSetting: A setting is none that a plain script has, or a value is none that code can show.
    """
    _refuse(run)
    settings = run.settings
    kind = str(settings.value("model.pipeline") or "DiffusionPipeline")
    placement = placement_of(settings)
    lines = [
        '"""What a run of an audit generates, as a plain script."""',
        "import torch",
        f"from diffusers import {kind}",
        "",
        f"pipe = {kind}.from_pretrained({', '.join(_loading(settings))})",
        *_placing(placement),
        *_calling(settings, seed_of(run), "cpu" if placement == BY_DEVICE_MAP else execution_device(placement)),
        "",
    ]
    return "\n".join(lines)


def seed_of(run: Run) -> int:
    """Return the seed of a run: that of its settings, else of its prompt."""
    return int(run.settings.value("rng.seed", run.prompt.seed))


def put_in_of(settings: Settings) -> Settings:
    """Return the settings of a run that are put into the call of its script."""
    return Settings({path: each for path, each in settings.items() if path.partition(".")[0] in _PUT_IN})


def _refuse(run: Run) -> None:
    if run.fed_by is not None or run.request:
        raise UnsupportedSetting("steps from the latents of another run cannot be made in another environment")
    if run.prompt.inputs:
        raise UnsupportedSetting("input pictures and videos cannot be given to a run in another environment yet")
    for path, setting in run.settings.items():
        table = path.partition(".")[0]
        if table != TABLE and not path.startswith(_WRITTEN) and table not in _PUT_IN and not _is_usual(path, setting):
            raise UnsupportedSetting(
                f"{path}{_where(setting)} cannot be set for a run in another environment",
                hint="leave it out of what is compared between versions, or run a script with its own interpreter",
            )


def _is_usual(path: str, setting: Setting) -> bool:
    """Whether a setting says what a plain script does in any case."""
    return path == "output.rounding" and setting.value == "round"


def _loading(settings: Settings) -> list[str]:
    """Return the arguments of `from_pretrained`."""
    model, load = settings.table("model"), settings.table("load")
    name = str(model["id"])
    place = portable_checkpoint(BUILTIN[name]).as_posix() if name in BUILTIN else name
    if Path(place).is_file():
        raise UnsupportedSetting(f"the single file {place} cannot be loaded in another environment")
    dtype = [f"torch_dtype=torch.{model['dtype']}"] if model.get("dtype") else []
    given = {key: model[key] for key in ("revision", "variant") if model.get(key)}
    given |= {"use_safetensors": True, **load}
    return [as_code(place), *dtype, *(f"{key}={_code(f'load.{key}', value)}" for key, value in given.items())]


def _placing(placement: str) -> list[str]:
    way = placement.partition(":")[0]
    if placement == BY_DEVICE_MAP:
        return []
    if way == _GROUP:
        raise UnsupportedSetting("placement = 'group_offload' cannot be used in another environment")
    device = as_code(execution_device(placement))
    return [f"pipe.enable_{way}(device={device})" if way in OFFLOADS else f"pipe.to({device})"]


def _calling(settings: Settings, seed: int, device: str) -> list[str]:
    """Return the lines of the call; its prompt is put in, so that no script holds a private one."""
    drawn = str(settings.value("rng.device", "cpu"))
    if drawn == device.partition(":")[0]:
        drawn = device
    if drawn == _GLOBAL:
        return [f"torch.manual_seed({seed})", 'pipe(prompt="")']
    return [f'pipe(prompt="", generator=torch.Generator({as_code(drawn)}).manual_seed({seed}))']


def _code(path: str, value: object) -> str:
    code = as_code(value)
    if not code:
        raise UnsupportedSetting(f"{path} has a value that a script cannot show")
    return code


def _where(setting: Setting) -> str:
    return f" ({setting.where})" if setting.where else ""
