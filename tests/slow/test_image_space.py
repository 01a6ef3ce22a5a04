"""An image Space on loopback, audited end to end: the local pictures, the codec, the cause and the report."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import spacediff
from spacediff.reporting.bundle import render_bundle
from support.image_space import GUIDANCE, SIZE, STEPS, image_space
from support.tiny_pipelines import checkpoint

pytestmark = pytest.mark.slow

SCENARIO = """
title = "An image Space"
prompts.cone = {{ text = "a red cone and a green box meet", seed = 42 }}
scale.seeds = 1
reference.space = {{ id = "{url}", endpoint = "{endpoint}", inputs = {inputs}, outputs = {outputs} }}
explain = {{ from = "baseline", to = "as-hosted", tolerance = 0 }}

[baseline]
model = {{ id = "{model}", dtype = "float32" }}
call = {{ num_inference_steps = {steps}, height = {size}, width = {size}, guidance_scale = 3.0{count} }}
placement = "cpu"

[variants.as-hosted]
call.guidance_scale = {guidance}
rng.device = "cpu"
"""


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with image_space(checkpoint("sd-1.5"), tmp_path_factory.mktemp("space")) as url:
        yield url


def audited(space: str, tmp_path: Path, endpoint: str, outputs: str, count: str = "") -> spacediff.AuditResult:
    scenario = tmp_path / "image.toml"
    scenario.write_text(
        SCENARIO.format(
            url=space,
            endpoint=endpoint,
            inputs='{ prompt = "{prompt}", seed = "{seed}" }',
            outputs=outputs,
            model=checkpoint("sd-1.5").as_posix(),
            steps=STEPS,
            size=SIZE,
            guidance=GUIDANCE,
            count=count,
        )
    )
    return spacediff.run_audit(scenario, out=tmp_path / "audit")


def test_the_cause_of_another_picture_is_found_and_reported(space: str, tmp_path: Path) -> None:
    result = audited(space, tmp_path, "/image", "{ image = 0, seed = 1 }")
    record = result.record
    assert all(run.measured and run.clip and run.clip.medium == "pictures" for run in record.runs)
    hosted = record.run("cone", "reference")
    assert hosted.clip
    assert hosted.clip.encoding.startswith(f"webp RGB {SIZE}x{SIZE}, ")
    matched = result.comparison("as-hosted")
    assert matched.verdict is spacediff.Verdict.CODEC_ONLY
    assert matched.codec_exact is False, "how the Space encoded it is inferred: a WebP file does not say it"
    assert result.comparison("baseline").verdict is not spacediff.Verdict.CODEC_ONLY
    assert record.cause
    assert list(record.cause.sufficient or ()) == ["call.guidance_scale"]
    assert not any("motion" in comparison.measures for comparison in record.comparisons)
    assert not any("fps" in run.settings for run in record.runs)
    page = result.report.read_text("utf-8")
    assert "guidance scale" in page
    assert " fps" not in spacediff.render_report(result, "md")
    with zipfile.ZipFile(io.BytesIO(render_bundle(record, result.folder).content)) as bundle:
        assert "side-by-side.png" in bundle.namelist()


def test_several_pictures_of_a_prompt_meet_those_of_a_gallery(space: str, tmp_path: Path) -> None:
    result = audited(space, tmp_path, "/gallery", "{ gallery = 0 }", ", num_images_per_prompt = 2")
    clip = result.record.run("cone", "as-hosted").clip
    assert clip
    assert clip.frames == 2
    assert result.comparison("as-hosted").verdict is spacediff.Verdict.CODEC_ONLY


def test_other_counts_of_pictures_are_not_compared(space: str, tmp_path: Path) -> None:
    result = audited(space, tmp_path, "/gallery", "{ gallery = 0 }")
    comparison = result.comparison("baseline")
    assert comparison.verdict is spacediff.Verdict.NOT_COMPARABLE
    assert "the reference has 2 pictures, and this run has 1 picture" in str(comparison.evidence)
