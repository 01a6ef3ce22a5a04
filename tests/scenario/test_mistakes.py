from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from spacediff.errors import Mistake, ScenarioError, SpacediffError
from spacediff.scenario.scenario import MAX_BYTES, load_scenario, parse_scenario
from support.scenarios import DESIGN, HERE, MINIMAL, mistakes_in

MISTAKES = [
    # a text in place of a table: what to write, with the text in it
    ("baseline.scheduler = 'DDIM'", 5, "baseline.scheduler", "'DDIM'", "such as { class = 'DDIM' }", ""),
    ("baseline.guider = 'X'", 5, "baseline.guider", "'X'", "a table with class and its options, such as { class", ""),
    ("baseline.cache = 'X'", 5, "baseline.cache", "'X'", "such as { class = 'X' }", ""),
    ("baseline.textual_inversion = 'x'", 5, "baseline.textual_inversion", "'x'", "such as { NAME = { id = ", ""),
    ("baseline.textual_inversion.a = 'o/n'", 5, "baseline.textual_inversion.a", "'o/n'", "such as { id = 'o/n' }", ""),
    ("baseline.lora.a = 'o/n'", 5, "baseline.lora.a", "'o/n'", "such as { id = 'o/n' }", ""),
    ("baseline.components = 'o/n'", 5, "baseline.components", "'o/n'", "tables by name, such as { vae = { id", ""),
    ("baseline.components.vae = 'o/n'", 5, "baseline.components.vae", "'o/n'", "such as { id = 'o/n' }", ""),
    ("baseline.load = 'x'", 5, "baseline.load", "'x'", "a table of arguments, such as { use_safetensors", ""),
    ("baseline.call = 'x'", 5, "baseline.call", "'x'", "a table of arguments, such as { num_frames = 49 }", ""),
    ("baseline.inputs = 'x'", 5, "baseline.inputs", "'x'", "tables by name, such as { image = { resize", ""),
    ("variants.v.model = 'o/n'", 5, "variants.v.model", "'o/n'", "such as { id = 'o/n' }", ""),
    ("variants = 3", 5, "variants", "3", "such as [variants.NAME]", ""),
    ("semantics = 'o/n'", 5, "semantics", "'o/n'", "such as { model = 'o/n' }", ""),
    (f"baseline.scheduler = '{'x' * 90}'", 5, "baseline.scheduler", "'xxx", "such as { class = … }", ""),
    ("baseline.scheduler = ''", 5, "baseline.scheduler", "''", "a table with class and entries of its", ""),
    ("baseline.guider.class = 'x'", 5, "baseline.guider.class", "'x'", 'such as "ClassifierFreeGuidance"', ""),
    ("approximations = 3", 5, "approximations", "3", "a list; each entry a table with the keys of, setting", ""),
    ("variants.v.from = ''", 5, "variants.v.from", "''", "no other variant, since there is none", ""),
    (
        "prompts.b = { text = 'x', seed = 1, inputs = 'a.png' }",
        5,
        "prompts.b.inputs",
        "'a.png'",
        'such as { image = "picture.png" }',
        "",
    ),
    (
        "prompts.b = { text = 'x', seed = 1, inputs = { image = 'https://example.com/a.png' } }",
        5,
        "prompts.b.inputs.image",
        "the address 'https://example.com/a.png'",
        "download it",
        "",
    ),
    (
        "baseline.components.vae.id = 'https://huggingface.co/org/vae/tree/main'",
        5,
        "baseline.components.vae.id",
        "'https://huggingface.co/org/vae/tree/main'",
        "a Hub id",
        "org/vae",
    ),
    # what is added below MINIMAL (from line 5), line, key, found, expected, nearest
    ("titel = 1", 5, "titel", "the unknown key 'titel'", "one of the keys title, question, private, prompts", "title"),
    ("scale.seeds = 0", 5, "scale.seeds", "0", "a whole number from 1 to 32", ""),
    ("scale.seeds = 33", 5, "scale.seeds", "33", "a whole number from 1 to 32", ""),
    ("scale.seeds = 3.0", 5, "scale.seeds", "3.0", "a whole number from 1 to 32", ""),
    ("scale.rerun = 1", 5, "scale.rerun", "1", "true or false", ""),
    ("metrics = ['flipp']", 5, "metrics.0", "'flipp'", "'flip'", "flip"),
    ("metrics = 'flip'", 5, "metrics", "'flip'", "a list; each entry 'flip'", ""),
    ("scale = 3", 5, "scale", "3", "a table with the keys seeds, rerun", ""),
    ("private = 1", 5, "private", "1", "true or false", ""),
    ("privat = true", 5, "privat", "the unknown key 'privat'", "one of the keys title", "private"),
    ("prompts.b = { text = '', seed = 1 }", 5, "prompts.b.text", "''", "a text of 1 to 20,000 characters", ""),
    ("prompts.b = { text = ' ', seed = 1 }", 5, "prompts.b.text", "' '", "a text of 1 to 20,000 characters", ""),
    ("prompts.b = { text = 'x' }", 5, "prompts.b.seed", "nothing", "a whole number from 0 to 9223372036854775807", ""),
    ("prompts.b = { text = 'x', seed = -1 }", 5, "prompts.b.seed", "-1", "a whole number from 0 to", ""),
    ("prompts.b = { text = 'x', seed = true }", 5, "prompts.b.seed", "true", "a whole number from 0 to", ""),
    (
        "prompts.b = { text = 'x', seed = 0x8000000000000000 }",
        5,
        "prompts.b.seed",
        "9223372036854775808",
        "64 bits",
        "",
    ),
    (
        "prompts.b = { text = 'x', seed = 1, sed = 1 }",
        5,
        "prompts.b.sed",
        "the unknown key 'sed'",
        "text, seed",
        "seed",
    ),
    ("prompts.'../up' = { text = 'x', seed = 1 }", 5, 'prompts."../up"', "'../up'", "letters, digits, - and _", ""),
    ("prompts.LEMON = { text = 'x', seed = 1 }", 5, "prompts.LEMON", "'LEMON'", "differs from 'lemon'", ""),
    ("\n[baseline.modle]\n", 6, "baseline.modle", "the unknown key 'modle'", "one of the keys model, load", "model"),
    ("baseline.guidance_scale = 6", 5, "baseline.guidance_scale", "the unknown key", "go into the call table", ""),
    ("baseline.model.dtype = 'bf16'", 5, "baseline.model.dtype", "'bf16'", "one of float32, bfloat16", "bfloat16"),
    (
        "baseline.placement = 'gpu'",
        5,
        "baseline.placement",
        "'gpu'",
        "one of cpu, cuda, mps, xpu, npu, model_cpu_offload",
        "cuda",
    ),
    ("baseline.placement = 'cuda1'", 5, "baseline.placement", "'cuda1'", "by number, such as cuda:1", "cuda:1"),
    ("baseline.placement = 'Metal'", 5, "baseline.placement", "'Metal'", "mps", "mps"),
    ("baseline.placement = 'cpu:1'", 5, "baseline.placement", "'cpu:1'", "one of several accelerators", "cpu"),
    ("baseline.placement = 'global'", 5, "baseline.placement", "'global'", "one of cpu, cuda", ""),
    ("baseline.placement = ['cpu']", 5, "baseline.placement", "a list", "one of cpu, cuda", ""),
    (
        "baseline.rng.device = 'CUDA0'",
        5,
        "baseline.rng.device",
        "'CUDA0'",
        "one of cpu, cuda, mps, xpu, npu, global",
        "cuda",
    ),
    ("baseline.rng.sed = 1", 5, "baseline.rng.sed", "the unknown key 'sed'", "seed, device, dtype", "seed"),
    ("baseline.scheduler.class = 'ddim'", 5, "baseline.scheduler.class", "'ddim'", "a scheduler class such as", ""),
    ("baseline.vae.tiling = 'yes'", 5, "baseline.vae.tiling", "'yes'", "true or false", ""),
    (
        "baseline.vae.tilling = true",
        5,
        "baseline.vae.tilling",
        "the unknown key 'tilling'",
        "tiling, slicing",
        "tiling",
    ),
    ("baseline.vae.tile_overlap_factor = 'x'", 5, "baseline.vae.tile_overlap_factor", "'x'", "a number above 0", ""),
    ("baseline.vae.tile_sample_min_height = 0", 5, "baseline.vae.tile_sample_min_height", "0", "a number above 0", ""),
    ("baseline.packages.ftfy = true", 5, "baseline.packages", "a table of packages", "install the package", ""),
    (
        "baseline.numerics.compile.mode = 'max-autotun'",
        5,
        "baseline.numerics.compile.mode",
        "'max-autotun'",
        "reduce-overhead, max-autotune",
        "max-autotune",
    ),
    ("baseline.numerics.compile = 'max'", 5, "baseline.numerics.compile", "'max'", "true, false, or a table", ""),
    ("baseline.numerics.threads = 0", 5, "baseline.numerics.threads", "0", "a whole number of at least 1", ""),
    ("baseline.numerics.attention = 'maths'", 5, "baseline.numerics.attention", "'maths'", "math, flash", "math"),
    ("baseline.output.fps = 0", 5, "baseline.output.fps", "0", "a number above 0 and at most 1000", ""),
    ("baseline.output.quality = 11", 5, "baseline.output.quality", "11", "a number from 0 to 10", ""),
    ("baseline.output.rounding = 'rund'", 5, "baseline.output.rounding", "'rund'", "round, truncate", "round"),
    ("baseline.call.prompt = 'x'", 5, "baseline.call.prompt", "the argument 'prompt'", "[prompts.NAME]", ""),
    ("baseline.call.generator = 1", 5, "baseline.call.generator", "the argument", "rng.seed, rng.device", ""),
    ("variants.x.call.output_type = 'np'", 5, "variants.x.call.output_type", "the argument", "needs the frames", ""),
    ("variants.x.call.return_dict = false", 5, "variants.x.call.return_dict", "the argument", "result object", ""),
    ("baseline.load.torch_dtype = 'x'", 5, "baseline.load.torch_dtype", "the argument", "set by model.dtype", ""),
    ("variants.x.load.vae_2 = './x'", 5, "variants.x.load.vae_2", "the argument 'vae_2'", "components.vae_2 = {", ""),
    ("baseline.load.quantization_config = {}", 5, "baseline.load.quantization_config", "the arg", "per component", ""),
    ("baseline.components.vae.dtype = 'float16'", 5, "baseline.components.vae.dtype", "the dtype", "vae.dtype", ""),
    ("baseline.components.vae = 'nil'", 5, "baseline.components.vae", "'nil'", '"none", "own", or a table', ""),
    ("baseline.components.vae = {}", 5, "baseline.components.vae", "an empty table", '"none", "own", or a table', ""),
    ("baseline.components.unet.klass = 'X'", 5, "baseline.components.unet.klass", "the unknown key", "class", "class"),
    (
        "baseline.lora.x.id = 'loras/x.safetensors'",
        5,
        "baseline.lora.x.id",
        "'loras/x.safetensors'",
        "begins with .",
        "",
    ),
    ("baseline.ip_adapter.subfolder = '..'", 5, "baseline.ip_adapter.subfolder", "'..'", "a folder inside", ""),
    ("baseline.components.vae.subfolder = 'a/../b'", 5, "baseline.components.vae.subfolder", "'a/../b'", "inside", ""),
    (
        "baseline.components.unet = { file = './x.gguf', subfolder = 'a' }",
        5,
        "baseline.components.unet.subfolder",
        "'a'",
        "no subfolder: file is a path",
        "",
    ),
    (
        "baseline.components.unet = { file = 'x.gguf', id = 'a/b', variant = 'fp16' }",
        5,
        "baseline.components.unet.variant",
        "'fp16'",
        "no variant",
        "",
    ),
    ("baseline.components.unet.config = 'a/b'", 5, "baseline.components.unet.config", "'a/b'", "file as well", ""),
    (
        "baseline.lora.x = { id = 'a/b', lora_scale = 2.0 }",
        5,
        "baseline.lora.x.lora_scale",
        "lora_scale without fused",
        "fused = true",
        "",
    ),
    ("baseline.components.unet.id = 'x y'", 5, "baseline.components.unet.id", "'x y'", "a Hub id such as", ""),
    ("baseline.components.unet.file = './x.bin'", 5, "baseline.components.unet.file", "'./x.bin'", "run code", ""),
    (
        "baseline.components.unet.quantization = 'nil'",
        5,
        "baseline.components.unet.quantization",
        "'nil'",
        '"none", or',
        "",
    ),
    ("baseline.components.unet.dtype = 'auto'", 5, "baseline.components.unet.dtype", "'auto'", "default", ""),
    ("baseline.components.unet.quantization = {}", 5, "baseline.components.unet.quantization.backend", "no", "a b", ""),
    ("variants.x.model.id = './x.ckpt'", 5, "variants.x.model.id", "'./x.ckpt'", "run code", ""),
    ("variants.x.model.id = './x.gguf'", 5, "variants.x.model.id", "'./x.gguf'", "components.NAME.file", ""),
    ("baseline.components.'a-b'.id = 'x/y'", 5, "baseline.components.a-b", "'a-b'", "the name of a component", ""),
    ("baseline.load.vae.dtype = 'float32'", 5, "baseline.load.vae", "the argument 'vae'", "components.vae =", ""),
    ("baseline.load.token = 'x'", 5, "baseline.load.token", "the argument 'token'", "HF_TOKEN", ""),
    ("baseline.call.guidance-scale = 6", 5, "baseline.call.guidance-scale", "the argument", "Python", "guidance_scale"),
    ("baseline.call.'a.b' = 6", 5, 'baseline.call."a.b"', "the key 'a.b'", "contains no dot", ""),
    ("baseline.call.a = { '' = 6 }", 5, 'baseline.call.a.""', "the key ''", "not empty", ""),
    ("baseline.call.a = nan", 5, "baseline.call.a", "nan", "a finite number", ""),
    ("baseline.call.a = [1,\n -inf]", 6, "baseline.call.a.1", "-inf", "a finite number", ""),
    ("baseline.call.a = 2020-01-01", 5, "baseline.call.a", "the date or time 2020-01-01", "a text, a number", ""),
    ('baseline.call.a = "\\u0000"', 5, "baseline.call.a", "'\\x00'", "without NUL characters", ""),
    (f"baseline.call.a = {'[' * 17}{']' * 17}", 5, "baseline.call.a" + ".0" * 14, "a list", "at most 16", ""),
    (f"baseline.call.a = 0x{'f' * 9000}", 5, "baseline.call.a", "a number of 36000 bits", "64 bits", ""),
    ("[variants.reference]", 5, "variants.reference", "'reference'", "another name", ""),
    ("[variants.Seed-7]", 5, "variants.Seed-7", "'Seed-7'", "another name", ""),
    ("[variants.'a b']", 5, 'variants."a b"', "'a b'", "letters, digits, - and _", ""),
    ("[variants.x]\nfrom = 'baseline'\n", 6, "variants.x.from", "'baseline'", "every variant starts from", ""),
    ("variants.dpm = {}\n[variants.x]\nfrom = [\n'dmp']", 8, "variants.x.from.0", "'dmp'", "one of dpm", "dpm"),
    ("[variants.x]\nfrom = 'x'", 6, "variants.x.from", "'x → x'", "a chain of variants that ends", ""),
    ("[variants.x]\nfrom = 3", 6, "variants.x.from", "3", "the name of another variant, or a list", ""),
    ("[variants.x]\nfrom = ['x-', 3]", 6, "variants.x.from.1", "3", "the name of another variant", ""),
    ("[variants.x]\nabout = 3", 6, "variants.x.about", "3", "a text of 1 to 500 characters", ""),
    ("[explain]\nto = 'baseline'", 5, "explain.from", "nothing", "baseline or the name of a variant", ""),
    ("[explain]\nfrom = 'basline'\nto = 'x'", 6, "explain.from", "'basline'", "one of baseline", "baseline"),
    ("[explain]\ntolerance = 'gat'", 6, "explain.tolerance", "'gat'", '"codec", "gate" or a drift', "gate"),
    ("[explain]\ntolerance = 1.5", 6, "explain.tolerance", "1.5", "a drift from 0 to 1", ""),
    ("[explain]\ntolerance = true", 6, "explain.tolerance", "true", "a drift from 0 to 1", ""),
    ("[explain]\ntolerance = 'gate'", 6, "explain.tolerance", "'gate'", "a [gate] in the scenario", ""),
    ("explain = { from = 'baseline', to = 'baseline' }", 5, "explain.to", "'baseline'", "another name", ""),
    ("gate.variant = 'x'\nvariants.x1.call.a = 1", 5, "gate.variant", "'x'", "one of baseline, x1", "x1"),
    ("gate = { variant = 'baseline', max_drift = 1.5 }", 5, "gate.max_drift", "1.5", "a number from 0 to 1", ""),
    ("gate.max_worst_tile = 'non'", 5, "gate.max_worst_tile", "'non'", '"none" or a drift from 0 to 1', "none"),
    ("gate.max_worst_tile = -1", 5, "gate.max_worst_tile", "-1", "a drift from 0 to 1", ""),
    ("gate.max_drift = 0.1", 5, "gate", "neither of them", 'variant = NAME, against = "accepted", or both', ""),
    ("gate.against = 'yesterday'", 5, "gate.against", "'yesterday'", "'accepted'", ""),
    ("# hf_abcdefghijklmnopqrstuvwxyz", 5, "", "an access token of the Hub", "revoke", ""),
    # broken TOML
    ("scale.seeds =", 5, "scale.seeds", "'scale.seeds ='", "a value: text in quotes", ""),
    ("title = 't'", 5, "title", "\"title = 't'\"", "each key once", ""),
    ("[scale]\n[scale]", 6, "scale", "'[scale]'", "each table once", ""),
    ("scale.seeds 3", 5, "", "'scale.seeds 3'", "a = after the key", ""),
    ("question = 'why", 5, "question", '"question = \'why"', "a closing quote", ""),
    ('question = "why\n', 5, "question", "'question = \"why'", "a closing quote before the end of the line", ""),
    ("scale = { seeds = 3\n}", 5, "scale", "'scale = { seeds = 3'", "on the same line", ""),
    ("scale.seeds = 3 3", 5, "scale.seeds", "'scale.seeds = 3 3'", "the end of the line", ""),
    ("question = 'a\0b'", 5, "question", "a NUL character", "a text without any", ""),
    (f"scale.seeds = {'9' * 5000}", 1, "", "cannot read", "Exceeds the limit", ""),
    (f"baseline.call.a = {'[' * 5000}", 1, "", "cannot read", "recursion", ""),
]


@pytest.mark.parametrize(
    ("added", "wanted"),
    [
        pytest.param(added, Mistake(line, key, found, expected, nearest), id=f"{number}-{key}")
        for number, (added, line, key, found, expected, nearest) in enumerate(MISTAKES)
    ],
)
def test_a_mistake_says_where_what_and_what_instead(added: str, wanted: Mistake) -> None:
    parse_scenario(MINIMAL, HERE)  # the twin without the mistake
    [mistake] = [mistake for mistake in mistakes_in(f"{MINIMAL}{added}\n") if mistake.key == wanted.key]
    assert (mistake.line, mistake.nearest) == (wanted.line, wanted.nearest)
    assert wanted.found in mistake.found
    assert wanted.expected in mistake.expected


KINDS = "space, video, pictures, recording, command, inference, variant"
REFERENCES = [
    # what stands in place of line 4, key, found, expected, nearest
    (
        "",
        "reference",
        "nothing",
        f"a table with the keys {KINDS}",
        "",
    ),
    (
        "reference = 3",
        "reference",
        "3",
        f"a table with the keys {KINDS}",
        "",
    ),
    (
        "reference = {}",
        "reference",
        "none of them",
        f"exactly one of {KINDS}",
        "",
    ),
    (
        "reference = { vidoe = {} }",
        "reference.vidoe",
        "the unknown key",
        KINDS,
        "video",
    ),
    ("reference = { variant = 'baseline', video = { file = 'a' } }", "reference", "video and variant", "one of", ""),
    ("reference.variant = 'x'", "reference.variant", "'x'", "one of baseline", ""),
    ("reference.video = {}", "reference.video", "none of them", "exactly one of file, files", ""),
    ("reference.video.file = ''", "reference.video.file", "''", "the path of a video file", ""),
    ("reference.video.file = 3", "reference.video.file", "3", "the path of a video file", ""),
    ("reference.video.files = 'a'", "reference.video.files", "'a'", "such as { NAME = FILE }", ""),
    ("reference.video.file = 'http://x/a.mp4'", "reference.video.file", "the address 'http://x/a.mp4'", "download", ""),
    ("reference.video = 'a.mp4'", "reference.video", "'a.mp4'", "such as { file = 'a.mp4' }", ""),
    ("reference.space = 'o/n'", "reference.space", "'o/n'", "such as { id = 'o/n' }", ""),
    ("reference.recording.file = 3", "reference.recording.file", "3", "the path of a recording", ""),
    ("reference.video.files = {}", "reference.video.files", "no file for 'lemon'", "a file for each prompt", ""),
    ("reference.video.files.lemmon = 'a'", "reference.video.files.lemmon", "'lemmon'", "the prompts lemon", "lemon"),
    ("reference.space.endpoint = '/g'", "reference.space.id", "nothing", "a Space id such as", ""),
    ("reference.space = { id = 'o/n', endpoint = 'g' }", "reference.space.endpoint", "'g'", 'such as "/generate"', ""),
    ("reference.space.id = 'space'", "reference.space.id", "'space'", "a Space id such as", ""),
    ("reference.space.id = 'o/a--b'", "reference.space.id", "'o/a--b'", "a Space id such as", ""),
    ("semantics.model = 'o/n.git'", "semantics.model", "'o/n.git'", "a CLIP checkpoint", ""),
    ("reference.space.id = 'https://u:p@host/'", "reference.space.id", "'https:", "without password", ""),
    ("reference.space.id = 'builtin:tiny'", "reference.space.id", "'builtin:tiny'", "or", "builtin:tiny-space"),
    ("reference.space.deadline = 0", "reference.space.deadline", "0", "a number above 0", ""),
    ("reference.space.repeats = 0", "reference.space.repeats", "0", "a whole number of at least 1", ""),
    ("reference.space.outputs.video = -1", "reference.space.outputs.video", "-1", "of at least 0", ""),
    ("reference.space.outputs.vid = 1", "reference.space.outputs.vid", "the unknown key", "index, seed", "video"),
    ("reference.space.inputs.p = '{promt}'", "reference.space.inputs.p", "'{promt}'", "one of {prompt}", "{prompt}"),
]


@pytest.mark.parametrize(("line", "key", "found", "expected", "nearest"), REFERENCES)
def test_mistakes_of_the_reference(line: str, key: str, found: str, expected: str, nearest: str) -> None:
    text = MINIMAL.replace('reference.variant = "baseline"', line)
    of_key = [mistake for mistake in mistakes_in(text) if mistake.key == key]
    assert [(mistake.line, mistake.nearest) for mistake in of_key] == [(4 if line else 1, nearest)]
    assert found in of_key[0].found
    assert expected in of_key[0].expected


def test_one_file_cannot_be_the_reference_of_two_prompts() -> None:
    text = MINIMAL.replace('reference.variant = "baseline"', 'reference.video.file = "a.mp4"')
    parse_scenario(text, HERE)
    [mistake] = mistakes_in(text + "prompts.lime = { text = 'a lime', seed = 1 }\n")
    assert (mistake.line, mistake.key, mistake.found) == (4, "reference.video.file", "one file for 2 prompts")


def test_all_mistakes_are_listed_in_the_order_of_the_file() -> None:
    text = DESIGN.replace("seed = 42", "sead = 42").replace('"cuda" }', '"cdua" }').replace("= 0.05", "= 5")
    text = text.replace('to   = "as-hosted"', 'to   = "as-hostd"').replace("/generate", "generate")
    found = mistakes_in(text)
    assert [(mistake.line, mistake.key) for mistake in found] == [
        (3, "prompts.lemon.seed"),
        (5, "prompts.lemon.sead"),
        (10, "baseline.rng.device"),
        (15, "reference.space.endpoint"),
        (32, "explain.to"),
        (36, "gate.max_drift"),
    ]
    assert [mistake.nearest for mistake in found] == ["", "seed", "cuda", "", "as-hosted", ""]


def test_the_error_is_one_clear_text() -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(DESIGN.replace("cuda", "cudda", 1), HERE)
    assert caught.value.message == (
        "quickstart.toml: 1 mistake\n"
        f"  {HERE}:10: baseline.rng.device: found 'cudda'; "
        "expected one of cpu, cuda, mps, xpu, npu, global; or one of several accelerators by number, such as cuda:1 "
        "(did you mean 'cuda'?)"
    )


def test_every_cycle_is_found() -> None:
    links = {"a": "b", "b": "c", "c": "a", "d": "d", "e": "a"}
    text = MINIMAL + "".join(f'[variants.{name}]\nfrom = "{to}"\n' for name, to in links.items())
    found = mistakes_in(text)
    assert len(found) == 2
    assert {mistake.expected for mistake in found} == {"a chain of variants that ends"}
    assert "'d → d'" in {mistake.found for mistake in found}
    [ring] = [mistake.found.strip("'").split(" → ") for mistake in found if mistake.found != "'d → d'"]
    assert ring[0] == ring[-1]
    assert all(links[name] == to for name, to in pairwise(ring))


def test_found_is_short_and_on_one_line() -> None:
    for value in ('"""' + "long\n" * 99 + '"""', '"\\u001b[2J\\u202e"', "[" + "1, " * 99 + "]", "1e300"):
        [mistake] = mistakes_in(f"{MINIMAL}baseline.placement = {value}\n")
        assert len(mistake.found) <= 60
        assert mistake.found.isprintable()


def test_a_prompt_may_be_long_but_not_endless() -> None:
    text = MINIMAL.replace("a lemon", "x" * 20_000)
    assert len(parse_scenario(text, HERE).prompts["lemon"].text or "") == 20_000
    [mistake] = mistakes_in(MINIMAL.replace("a lemon", "x" * 20_001))
    assert mistake.found == "a text of 20,001 characters"


def test_an_empty_file_lacks_everything() -> None:
    assert {mistake.key for mistake in mistakes_in("")} == {"title", "prompts", "baseline", "reference"}


def test_a_token_is_not_repeated() -> None:
    token = "hf_" + "a1B2" * 8
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(f"{MINIMAL}baseline.load.token = '{token}'\n", HERE)
    assert token not in caught.value.message


def test_files_that_are_not_text(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_bytes(MINIMAL.encode() + b"question = '\xff'\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file)
    [mistake] = caught.value.mistakes
    assert (mistake.line, mistake.found, mistake.expected) == (5, "the byte 0xff", "a text in UTF-8")

    file.write_bytes(MINIMAL.encode() + b"#" * MAX_BYTES)
    with pytest.raises(ScenarioError, match="at most 1,000,000 bytes"):
        load_scenario(file)


@pytest.mark.parametrize("name", ["missing.toml", ".", "nul\0.toml"])
def test_files_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpacediffError, match="cannot be read") as caught:
        load_scenario(tmp_path / name)
    assert caught.value.hint
