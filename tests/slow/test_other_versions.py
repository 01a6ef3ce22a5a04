"""Runs under other releases of diffusers, in environments that uv builds from the registry, and one real change.

diffusers 0.37 changed the noise levels of `UniPCMultistepScheduler` with `use_flow_sigmas` (it begins at 1 and divides
from there to 1/1000, where 0.36 began at 0.999), so the same scheduler gives another clip from then on.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
from pathlib import Path

import pytest

from spacediff.api import compare_versions, run_audit
from spacediff.progress import SilentListener
from spacediff.record import AuditRecord, Fact, Stage, Standing, VersionsRecord
from spacediff.run import Run
from spacediff.tiny.portable import portable_checkpoint
from spacediff.wording import fix_code, sentence, versions_text
from support.hub_stand_in import Space, hub_stand_in
from support.needs_uv import skip_without_releases

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

HERE = importlib.metadata.version("diffusers")
OLDEST = "0.33.1"
OLD, NEW, TRANSFORMERS = "0.36.0", "0.37.1", "4.57.3"
"""The last release before the change, one after it, and a version of transformers that both work with."""

SCENARIO = f"""
title = "versions"
[prompts.lemon]
text = "a lemon on the left"
seed = 42
[baseline]
model.id = "builtin:tiny-cogvideox"
call = {{ num_inference_steps = 2, num_frames = 5, guidance_scale = 1.0 }}
scheduler = {{ class = "UniPCMultistepScheduler", use_flow_sigmas = true, prediction_type = "flow_prediction" }}
env = {{ diffusers = "{OLD}", transformers = "{TRANSFORMERS}" }}
[reference]
variant = "baseline"
"""

EXPLAINED = (
    SCENARIO.replace('reference]\nvariant = "baseline"', 'reference]\nvariant = "new"')
    + f"""
[variants.new]
env.diffusers = "{NEW}"
vae.slicing = true
[explain]
from = "baseline"
to = "new"
weights = "none"
tolerance = 0.0
[scale]
seeds = 1
rerun = false
"""
)
"""A version among the suspects, beside a setting that makes no difference to one clip; people see every difference."""

HOSTED = (
    SCENARIO
    + """
[variants.as-hosted]
env.space = "org/space"
[scale]
seeds = 1
rerun = false
"""
)
REQUIREMENTS = f"""
--extra-index-url https://download.pytorch.org/whl/cu121
diffusers=={OLD}
transformers=={TRANSFORMERS}
accelerate
git+https://github.com/org/tools
torch==2.4.0
spaces
"""

INSTALLED = f"""
title = "the installed version"
[prompts.lemon]
text = "a lemon on the left"
seed = 42
[baseline]
model.id = "builtin:tiny-cogvideox"
call = {{ num_inference_steps = 2, num_frames = 5 }}
[variants.same]
env.diffusers = "{HERE}"
[reference]
variant = "baseline"
[scale]
seeds = 1
rerun = false
"""


@pytest.fixture(scope="module", autouse=True)
def _registry() -> None:
    """Skip without uv or a registry."""
    skip_without_releases()


def audited(text: str, folder: Path, listener: SilentListener | None = None) -> AuditRecord:
    (folder / "s.toml").write_text(text)
    return run_audit(folder / "s.toml", out=folder / "audit", listener=listener).record


class Order(SilentListener):
    """Notes what was said before which run began."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def on_notice(self, notice: Fact) -> None:
        self.events.append(sentence(notice))

    def on_run_started(self, run: Run) -> None:
        self.events.append(run.name)


def test_every_release_in_a_range_is_run_and_the_one_that_changed_the_output_is_named(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SCENARIO)
    found = compare_versions(tmp_path / "s.toml", first="0.36", last=NEW, out=tmp_path / "audit").versions
    assert [(each.version, each.measured, each.changed) for each in found.releases] == [
        (OLD, True, None),
        ("0.37.0", True, True),
        (NEW, True, False),
    ]
    (change,) = found.changes
    assert (change.before, change.stage, change.step) == (OLD, Stage.STEP, 1)
    assert {each.name for each in change.moved} == {"accelerate", "peft"}, "transformers is pinned"
    assert versions_text(found) == "The output changes at diffusers 0.37.0."
    assert VersionsRecord.model_validate_json((tmp_path / "audit" / "versions.json").read_text("utf-8")) == found


def test_the_installed_version_in_an_environment_of_its_own_gives_the_same_clip_bit_for_bit(tmp_path: Path) -> None:
    record = audited(INSTALLED, tmp_path)
    run, here = record.run("lemon", "same"), record.run("lemon", "baseline")
    assert run.clip
    assert here.clip
    assert run.clip.digest == here.clip.digest
    assert run.described.startswith(f"generated with diffusers {HERE}")
    (trace,) = [each for each in record.traces if each.candidate == "same"]
    assert trace.stage is Stage.NOWHERE


def test_the_oldest_release_loads_the_tiny_checkpoint_whole_and_says_what_it_leaves_out_of_another(
    tmp_path: Path,
) -> None:
    shutil.copytree(portable_checkpoint(), tmp_path / "newer")
    file = tmp_path / "newer" / "vae" / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "from_a_later_version": 3}))
    text = INSTALLED.replace(f'env.diffusers = "{HERE}"', f'env.diffusers = "{OLDEST}"')
    newer = f"[variants.newer]\nenv.diffusers = {OLDEST!r}\nmodel.id = {str(tmp_path / 'newer')!r}\n"
    record = audited(text.replace("[reference]", f"{newer}[reference]"), tmp_path)
    run, other = (record.run("lemon", name) for name in ("same", "newer"))
    assert run.described.startswith(f"generated with diffusers {OLDEST}")
    assert (run.measured, run.warnings, run.ignored) == (True, [], [])
    (said,) = other.warnings
    assert said.startswith("AutoencoderKLCogVideoX does not know these entries of its configuration, and left them out")


def test_a_search_over_versions_finds_that_the_version_is_the_cause_and_not_the_other_setting(tmp_path: Path) -> None:
    cause = audited(EXPLAINED, tmp_path).cause
    assert cause is not None
    standing = {each.path: each.standing for each in cause.suspects}
    assert standing == {"env.diffusers": Standing.CAUSE, "vae.slicing": Standing.NO_EFFECT}
    assert {each.name for each in cause.moved} == {"accelerate", "peft"}
    assert fix_code(cause) == [f"# pip install diffusers=={NEW}"]


def test_a_run_as_in_a_space_has_its_versions_and_says_what_it_has_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = Space(
        "http://127.0.0.1:9",
        files={"app.py": "", "requirements.txt": REQUIREMENTS},
        changed="2026-01-15T00:00:00.000Z",
    )
    with hub_stand_in({"org/space": space}) as hub:
        for name, value in {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}.items():
            monkeypatch.setenv(name, value)
        order = Order()
        record = audited(HOSTED, tmp_path, order)
    listed = next(place for place, each in enumerate(order.events) if each.startswith("As org/space at 2e2e2e2"))
    assert listed < order.events.index("baseline"), "the list comes before anything is installed"
    assert "diffusers 0.36.0, transformers 4.57.3" in order.events[listed]
    baseline, run = (record.run("lemon", name) for name in ("baseline", "as-hosted"))
    assert run.clip
    assert baseline.clip
    assert run.clip.digest == baseline.clip.digest, "the versions that compute are the same"
    assert run.settings["env.diffusers"].value == OLD
    assert run.settings["env.transformers"].value == TRANSFORMERS
    said = " ".join(run.warnings)
    assert "git+https://github.com/org/tools (a repository, whose build would run its code)" in said
    assert "org/space asks for torch==2.4.0" in said
    assert "the newest of 2026-01-15: accelerate. That is an inference" in said


def test_a_file_of_requirements_is_an_environment_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "theirs.txt").write_text(f"diffusers=={OLD}\ntransformers=={TRANSFORMERS}\n")
    text = INSTALLED.replace(f'env.diffusers = "{HERE}"', 'env.requirements = "theirs.txt"')
    run = audited(text, tmp_path).run("lemon", "same")
    assert run.clip
    assert run.settings["env.diffusers"].value == OLD
    assert run.settings["env.transformers"].value == TRANSFORMERS
    assert run.described.startswith("generated with theirs.txt with diffusers")


def test_a_torch_of_its_own_is_installed_and_gives_the_clip_of_the_same_version_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = importlib.metadata.version("torch")
    public, _, build = here.partition("+")
    links = os.environ.get("PIP_FIND_LINKS", "")
    if build != "cpu" or not list(Path(links or tmp_path).glob(f"torch-{here}-*.whl")):
        pytest.skip(
            "no wheel of this CPU build of torch is at hand; that of PyPI takes gigabytes (docs/environments.md)"
        )
    monkeypatch.setenv("UV_FIND_LINKS", links)
    record = audited(INSTALLED.replace(f'env.diffusers = "{HERE}"', f'env.torch = "{public}"'), tmp_path)
    run, usual = record.run("lemon", "same"), record.run("lemon", "baseline")
    assert run.clip
    assert usual.clip
    assert run.clip.digest == usual.clip.digest
    assert "of this environment" not in run.described, "it is not shared"
