"""An audit of image-to-video against a Space on loopback: the same picture on both sides, and what is said of it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from spacediff.api import run_audit, write_report
from spacediff.clip import Clip, write_preview
from spacediff.inputs.files import identified
from spacediff.record import AuditRecord
from spacediff.record.file import record_text
from support.gradio_servers import SpaceApp, canary, space_app
from support.input_files import turned_jpeg
from support.tiny_pipelines import checkpoint

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]

SCENARIO = """
title = "image to video"
[prompts.p]
text = "a red cone and a green box meet"
seed = 42
private = PRIVATE
inputs = { image = "holiday of anna.jpg" }
[baseline]
model.id = "CHECKPOINT"
call = { num_inference_steps = 2, height = 64, width = 64, num_frames = 9, max_sequence_length = 32 }
placement = "cpu"
[variants.cropped]
inputs.image = { resize = "cover", size = [64, 64] }
[reference.space]
id = "SPACE"
endpoint = "/take_picture"
inputs = { file = "{file:image}", seed_value = "{seed}" }
[scale]
seeds = 1
rerun = false
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpaceApp]:
    folder = tmp_path_factory.mktemp("hosted")
    frames = np.random.default_rng(0).integers(0, 255, (9, 64, 64, 3), dtype=np.uint8)
    write_preview(Clip(frames, Fraction(8)), folder / "clip.mp4")
    with canary() as (elsewhere, _), space_app(folder, elsewhere) as running:
        yield running


def audited(app: SpaceApp, folder: Path, *, private: bool) -> AuditRecord:
    turned_jpeg(folder / "holiday of anna.jpg")
    text = SCENARIO.replace("SPACE", app.url).replace("CHECKPOINT", checkpoint("cogvideox-1.0-image").as_posix())
    (folder / "s.toml").write_text(text.replace("PRIVATE", str(private).lower()))
    return run_audit(folder / "s.toml", out=folder / "audit").record


def everything_written(record: AuditRecord, folder: Path) -> str:
    """Return the record, the reports and all texts of the ZIP."""
    texts = [record_text(record), (folder / "audit" / "report.html").read_text("utf-8")]
    (packed,) = write_report(folder / "audit", "zip", out=folder / "attached.zip")
    with zipfile.ZipFile(packed.path) as archive:
        texts += [archive.read(name).decode("utf-8", errors="replace") for name in archive.namelist()]
    return "\n".join(texts)


def test_both_sides_get_the_picture_and_the_report_shows_it(app: SpaceApp, tmp_path: Path) -> None:
    record = audited(app, tmp_path, private=False)
    assert [run.reason for run in record.runs if run.failed] == []
    digest = identified("image", tmp_path / "holiday of anna.jpg").files[0].digest
    assert app.seen()["calls"][-1] == ["take_picture", [[digest, "image.jpg"]], 42]
    [shown] = record.prompts[0].inputs
    assert (shown.name, shown.digest, shown.width, shown.height) == ("image", digest, 60, 80)
    assert record.run("p", "cropped").changes["inputs.image.resize"] == "cover"
    clips = {name: record.run("p", name).clip for name in ("baseline", "cropped")}
    assert clips["baseline"] and clips["cropped"] and clips["baseline"].digest != clips["cropped"].digest  # noqa: PT018
    written = everything_written(record.model_copy(update={"scenario": ""}), tmp_path)
    assert digest in written
    assert "holiday of anna" not in record_text(record.model_copy(update={"scenario": ""}))


def test_a_private_prompt_hides_its_picture(app: SpaceApp, tmp_path: Path) -> None:
    record = audited(app, tmp_path, private=True)
    assert [run.reason for run in record.runs if run.failed] == []
    digest = identified("image", tmp_path / "holiday of anna.jpg").files[0].digest
    assert app.seen()["calls"][-1][1] == [[digest, "image.jpg"]]
    written = everything_written(record, tmp_path)
    assert digest[:8] not in written
    assert "anna" not in written
    assert not list((tmp_path / "audit" / "inputs").glob("*"))
    assert record.run("p", "reference").settings["space.inputs.file"].value == "a private file"
    traces = [run.trace for run in record.runs if run.trace]
    assert traces
    assert not any(trace.inputs for trace in traces)
