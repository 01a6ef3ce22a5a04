"""Configuration files beside the source: they are read with bounds, and nothing in them is executed."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

from spacediff.reading import Reading, read_source
from spacediff.settings import Origin

JSON = '{\n "model": "org/flux",\n "call": {"guidance": 6.0,\n  "steps": 30},\n "seed": 11}\n'
YAML = "# settings\nmodel: org/flux\ncall:\n  guidance: 6.0\n  steps: 30\nseed: 11\n"
TOML = 'model = "org/flux"\nseed = 11\n[call]\nguidance = 6.0\nsteps = 30\n'
USE = """
pipe = FluxPipeline.from_pretrained(cfg["model"])
pipe("a kite", guidance_scale=cfg["call"]["guidance"], num_inference_steps=cfg["call"]["steps"],
     generator=torch.Generator("cpu").manual_seed(cfg["seed"]))
"""
START = "import json, os, torch, yaml\nfrom pathlib import Path\nfrom diffusers import FluxPipeline\n"


def read(tmp_path: Path, source: str, **files: str) -> Reading:
    for name, text in files.items():
        path = tmp_path / name.replace("__", "/")
        path = path.with_name(path.name.replace("_", "."))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "app.py").write_text(START + source)
    return read_source(tmp_path / "app.py")


def value_of(reading: Reading, path: str) -> Any:
    setting = reading.settings[path]
    return "?" if setting.origin is Origin.UNKNOWN else setting.value


LOADED = {
    "json.load": ('with open("c.json") as f:\n    cfg = json.load(f)', {"c_json": JSON}),
    "json.loads of read": ('cfg = json.loads(open("c.json", encoding="utf-8").read())', {"c_json": JSON}),
    "json.loads of read_text": ('cfg = json.loads(Path("c.json").read_text())', {"c_json": JSON}),
    "json by a path": ('with Path("c.json").open() as f:\n    cfg = json.load(f)', {"c_json": JSON}),
    "json beside the file": (
        'cfg = json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "c.json")))', {"c_json": JSON}),
    "json with pathlib": (
        'cfg = json.loads((Path(__file__).resolve().parent / "c.json").read_text())', {"c_json": JSON}),
    "json in a folder": ('cfg = json.load(open("configs/c.json"))', {"configs__c_json": JSON}),
    "json by an option": (
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--c', default='c.json')\n"  # noqa: ISC004
        "cfg = json.load(open(p.parse_args().c))",
        {"c_json": JSON}),
    "json by a function": (
        "def load(path):\n    with open(path) as f:\n        return json.load(f)\ncfg = load('c.json')",
        {"c_json": JSON}),
    "yaml.safe_load": ('cfg = yaml.safe_load(open("c.yaml"))', {"c_yaml": YAML}),
    "yaml.load": ('with open("c.yml") as f:\n    cfg = yaml.load(f, Loader=yaml.FullLoader)', {"c_yml": YAML}),
    "OmegaConf": ('from omegaconf import OmegaConf\ncfg = OmegaConf.load("c.yaml")', {"c_yaml": YAML}),
    "tomllib": ('import tomllib\nwith open("c.toml", "rb") as f:\n    cfg = tomllib.load(f)', {"c_toml": TOML}),
    "toml": ('import toml\ncfg = toml.load("c.toml")', {"c_toml": TOML}),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(LOADED))
def test_settings_of_a_configuration_file_are_read(kind: str, tmp_path: Path) -> None:
    source, files = LOADED[kind]
    reading = read(tmp_path, source + USE, **files)
    assert value_of(reading, "model.id") == "org/flux"
    assert value_of(reading, "call.guidance_scale") == 6.0
    assert value_of(reading, "call.num_inference_steps") == 30
    assert value_of(reading, "rng.seed") == 11


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [("c.json", JSON, 4), ("c.yaml", YAML, 5), ("c.toml", TOML, 5)],
    ids=["json", "yaml", "toml"],
)
def test_a_value_of_a_file_has_its_line(name: str, text: str, line: int, tmp_path: Path) -> None:
    load = {"json": "json.load", "yaml": "yaml.safe_load", "toml": "tomllib.load"}[name.partition(".")[2]]
    (tmp_path / name).write_text(text)
    reading = read(tmp_path, f"import tomllib\ncfg = {load}(open({name!r}, 'rb'))" + USE)
    assert reading.settings["call.num_inference_steps"].where == f"{name}:{line}"


def test_attributes_and_keyword_arguments_of_omegaconf_are_read(tmp_path: Path) -> None:
    source = """
        from omegaconf import OmegaConf
        cfg = OmegaConf.load("c.yaml")
        cfg.call.num_inference_steps = 9
        FluxPipeline.from_pretrained(cfg.model.id)("a kite", **cfg.call)
    """
    config = "model: {id: org/flux}\ncall:\n  num_inference_steps: 4\n  guidance_scale: 1e-1\n  prompt: ${model.id}\n"
    reading = read(tmp_path, textwrap.dedent(source).replace('("a kite", **cfg.call)', "(**cfg.call)"), c_yaml=config)
    assert value_of(reading, "model.id") == "org/flux"
    assert value_of(reading, "call.num_inference_steps") == 9
    assert value_of(reading, "call.guidance_scale") == 0.1
    assert value_of(reading, "call.prompt") == "?"


def test_anchors_and_merged_mappings_of_yaml_are_read(tmp_path: Path) -> None:
    config = "base: &base {steps: 4, guidance: 6.0}\ncall:\n  <<: *base\n  steps: 30\nmodel: org/flux\nseed: 11\n"
    reading = read(tmp_path, 'cfg = yaml.safe_load(open("c.yaml"))' + USE, c_yaml=config)
    assert value_of(reading, "call.guidance_scale") == 6.0
    assert value_of(reading, "call.num_inference_steps") == 30


def test_an_ini_file_is_read(tmp_path: Path) -> None:
    source = """
        import configparser
        cfg = configparser.ConfigParser()
        cfg.read("c.ini")
        pipe = FluxPipeline.from_pretrained(cfg["model"]["id"])
        pipe(cfg.get("call", "prompt"), num_inference_steps=cfg.getint("call", "steps"),
             guidance_scale=cfg.getfloat("call", "guidance"), width=cfg.getint("call", "width", fallback=512))
    """
    config = "[model]\nid = org/flux\n[call]\nsteps = 9\nguidance = 6.5\nprompt = %(steps)s kites\n"
    reading = read(tmp_path, textwrap.dedent(source), c_ini=config)
    assert value_of(reading, "model.id") == "org/flux"
    assert value_of(reading, "call.num_inference_steps") == 9
    assert value_of(reading, "call.guidance_scale") == 6.5
    assert value_of(reading, "call.width") == 512
    assert value_of(reading, "call.prompt") == "?"


@pytest.mark.parametrize(
    "prompt",
    ["open('p.txt').read().strip()", "Path('p.txt').read_text().splitlines()[0]", "open('p.txt').readlines()[0][:6]"],
)
def test_a_prompt_in_a_text_file_is_read(prompt: str, tmp_path: Path) -> None:
    reading = read(tmp_path, f"FluxPipeline.from_pretrained('a/b')({prompt})", p_txt="a kite\n")
    assert value_of(reading, "call.prompt") == "a kite"


NESTED = "[" * 3000 + "]" * 3000
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
HOSTILE = {
    "yaml aliases": ("c.yaml", BOMB),
    "a yaml tag": ("c.yaml", "model: !!python/object/apply:os.system ['touch hacked']\n"),
    "yaml that contains itself": ("c.yaml", "model: &m [*m]\n"),
    "deep yaml": ("c.yaml", NESTED),
    "large yaml": ("c.yaml", "a: 1\n" * 30_000),
    "broken yaml": ("c.yaml", "a: [1\nb: }"),
    "deep json": ("c.json", NESTED),
    "a long number": ("c.json", f'{{"model": {"1" * 9000}}}'),
    "broken json": ("c.json", "{"),
    "much json": ("c.json", json.dumps([[n] for n in range(20_000)])),
    "a large file": ("c.json", json.dumps({"model": "x" * 300_000})),
    "bytes": ("c.json", "\x00\x01"),
}


@pytest.mark.parametrize("kind", list(HOSTILE))
def test_a_hostile_file_is_unknown(kind: str, tmp_path: Path) -> None:
    name, text = HOSTILE[kind]
    load = "json.load" if name.endswith("json") else "yaml.load"
    (tmp_path / name).write_text(text)
    reading = read(tmp_path, f"cfg = {load}(open('{name}'))\nFluxPipeline.from_pretrained(cfg['model'])('a kite')")
    assert value_of(reading, "model.id") == "?"
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize(
    "path", ["../secret.json", "/etc/hostname.json", "a/../../secret.json", "secret.env", "missing.json"]
)
def test_only_files_of_the_folder_with_known_endings_are_read(path: str, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"model": "secret"}')
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "secret.env").write_text('{"model": "secret"}')
    source = f"cfg = json.load(open('{path}'))\nFluxPipeline.from_pretrained(cfg['model'])('a kite')"
    assert value_of(read(tmp_path / "space", source), "model.id") == "?"


def test_a_file_that_is_written_is_not_read(tmp_path: Path) -> None:
    source = "f = open('c.json', 'w')\ncfg = json.load(f)\nFluxPipeline.from_pretrained(cfg['model'])('a kite')"
    assert value_of(read(tmp_path, source, c_json=JSON), "model.id") == "?"
