"""Inputs next to the prompt, on the page and in Markdown; hidden with a private prompt; nothing else is embedded."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from spacediff.record import AuditRecord, InputRecord
from spacediff.reporting.html import render_html
from spacediff.reporting.inputs import embedded_inputs
from spacediff.reporting.markdown import render_markdown

DIGEST = "ab12" * 16


def with_input(
    record: AuditRecord, folder: Path, *, private: bool = False, preview: str = "inputs/a.png"
) -> AuditRecord:
    (folder / "inputs").mkdir(exist_ok=True)
    Image.new("RGB", (32, 16), (1, 2, 3)).save(folder / "inputs" / "a.png")
    given = InputRecord(name="<kite>", digest=DIGEST, width=832, height=480, preview=preview)
    prompt = record.prompts[0].model_copy(update={"inputs": [given], "private": private})
    return record.model_copy(update={"prompts": [prompt]})


def test_an_input_is_shown_next_to_the_prompt(record: AuditRecord, folder: Path) -> None:
    record = with_input(record, folder)
    page = render_html(record, folder)
    (shown,) = embedded_inputs(record, folder).values()
    assert f'<img src="data:image/png;base64,{shown}"' in page
    assert "&lt;kite&gt;" in page
    assert "832x480, SHA-256 ab12ab12ab12…" in page
    assert "- Input `<kite>`: 832x480, SHA-256 ab12ab12ab12…" in render_markdown(record)


def test_a_private_prompt_hides_its_inputs(record: AuditRecord, folder: Path) -> None:
    record = with_input(record, folder, private=True)
    for text in (render_html(record, folder), render_markdown(record)):
        assert "kite" not in text
        assert "ab12ab12" not in text


def test_a_record_embeds_nothing_but_pictures_of_its_folder(record: AuditRecord, folder: Path) -> None:
    (folder / "inputs").mkdir(exist_ok=True)
    (folder / "inputs" / "text.png").write_text("secret")
    for preview in ("../outside.png", "/etc/hostname", "inputs/text.png", "inputs/missing.png"):
        assert not embedded_inputs(with_input(record, folder, preview=preview), folder)
