"""The bug form of another project, filled in from a record."""

from __future__ import annotations

import re
from pathlib import Path

from markdown_it import MarkdownIt

from spacediff.enclosed import enclose_script
from spacediff.record import AuditRecord, CauseRecord, Standing, SuspectRecord
from spacediff.reporting.bug_form import render_bug_form
from spacediff.reporting.markdown import LIMIT
from support.hostile_audit import hostile

FIELDS = ["Describe the bug", "Reproduction", "Logs", "System Info"]
"""The labels of huggingface/diffusers' .github/ISSUE_TEMPLATE/bug-report.yml at 054a4b68, in its order."""


def fields(form: str) -> dict[str, str]:
    parts = re.split(r"^### (.+)$", form, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_each_field_of_diffusers_form_is_filled_in(record: AuditRecord, folder: Path) -> None:
    found = fields(render_bug_form(record, folder, "diffusers"))
    assert list(found) == FIELDS
    assert "Run: `zai-org/CogVideoX-5b`, `bfloat16`, 50 steps" in found["Describe the bug"]
    assert "pip install torch==2.13.0 diffusers==0.36.0" in found["Reproduction"]
    assert "A hand squeezes half a lemon" in found["Reproduction"]
    assert "`spacediff audit scenarios/cogvideox-lemon.toml`" in found["Reproduction"]
    assert "sequential was not measured: sequential offload needs a CUDA device" in found["Logs"]
    assert "load.use_dynamic_cfg = true was accepted by CogVideoXPipeline.from_pretrained but" in found["Logs"]
    assert "- torch: 2.13.0+cu130\n" in found["System Info"]
    assert "- torch of the Space: 2.8.0\n" in found["System Info"]


def test_the_script_is_the_reproduction_where_there_is_one(record: AuditRecord, tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("pipe = CogVideoXPipeline.from_pretrained(ID)\n")
    enclose_script(tmp_path, tmp_path / "run.py")
    found = fields(render_bug_form(record, tmp_path, "diffusers"))
    assert "```python\npipe = CogVideoXPipeline.from_pretrained(ID)\n```" in found["Reproduction"]


def test_a_private_prompt_is_in_no_field(record: AuditRecord, tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text('prompt = "A hand squeezes"\n')
    enclose_script(tmp_path, tmp_path / "run.py")
    hidden = record.model_copy(update={"prompts": [record.prompts[0].model_copy(update={"private": True})]})
    form = render_bug_form(hidden, tmp_path, "diffusers")
    assert "A hand squeezes" not in form
    assert "The prompt is private" in form
    assert "toml" not in fields(form)["Reproduction"].replace("cogvideox-lemon.toml", "")


def test_texts_of_a_record_format_nothing(record: AuditRecord, folder: Path) -> None:
    evil = "</details> ``` ### Fake <img src=x> @octocat #1"
    form = render_bug_form(hostile(record, evil), folder, "diffusers")
    assert list(fields(form)) == FIELDS
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(form)
    assert rendered.count("<details>") == rendered.count("</details>")
    assert "<img" not in rendered
    assert "@octocat" not in re.sub(r"<code.*?</code>", "", rendered, flags=re.DOTALL)


def test_a_line_of_the_fix_is_whole_or_left_to_the_report(record: AuditRecord, folder: Path) -> None:
    for text, shown in (("two  spaces", True), ("x" * 600, False)):
        changed = SuspectRecord(path="call.negative_prompt", start="", target=text, standing=Standing.CAUSE)
        cause = CauseRecord(prompt="lemon", start="baseline", target="dpm", finished=True, suspects=[changed])
        form = render_bug_form(record.model_copy(update={"cause": cause}), folder, "diffusers")
        assert (f'pipe(..., negative_prompt="{text}")' in form) is shown
        assert ("# a line that is too long for a form" in form) is not shown


def test_whatever_a_record_holds_the_form_fits_into_an_issue(record: AuditRecord, folder: Path) -> None:
    assert len(render_bug_form(hostile(record, "`" * 700), folder, "diffusers")) < LIMIT
