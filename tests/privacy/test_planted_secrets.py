"""Planted secrets and names, searched for in every file that an audit writes, and in everything that it prints."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from spacediff.clip import write_preview
from support import fresh_process
from support.clips import moving_ball
from support.gradio_servers import space_app

TOKEN = "hf_PlantedPlantedPlantedPlanted1234"  # noqa: S105 - planted to be looked for
SECRET = "planted-secret-value-0815"  # noqa: S105 - the same
USER, HOST = "adaplanted", "planted-box-7"
FOREIGN = "ghs_PlantedPlantedPlanted5678"
"""No token of the Hub: a scenario with one of those is refused."""
ESCAPED = TOKEN.replace("_", "%5F")
PLANTED = (TOKEN.removeprefix("hf_"), FOREIGN, SECRET, USER, HOST)
PROGRAM = f"""
import platform, sys
platform.node = lambda: "{HOST}"
from spacediff.cli.commands import main
raise SystemExit(main(sys.argv[1:]))
"""
FORMATS = ("html", "md", "junit", "zip", "summary", "issue", "json")


def scenario(home: Path) -> str:
    return f"""
# GITHUB_TOKEN={FOREIGN} spacediff audit {home}/mine.toml, or https://{USER}:{SECRET}@{HOST}.lan/?token={quote(SECRET)}
title = "audited on {HOST} with {SECRET}"
question = "who is at {USER}@{HOST} with Bearer {FOREIGN}? {ESCAPED}, {quote(str(home), safe="")}."
[prompts.lemon]
text = "a lemon in {home}/pictures, {SECRET}"
seed = 42
[baseline]
model = {{ id = "builtin:tiny-cogvideox-random" }}
call = {{ num_inference_steps = 1, num_frames = 9, negative_prompt = "{home}/{HOST}" }}
placement = "cpu"
[variants.gone]
about = "{SECRET}, {FOREIGN}"
model.id = "{home}/models/{HOST}"
[variants.refused]
scheduler.timestep_spacing = "{SECRET} {home}/x"
[reference.video]
file = "{home}/hosted.mp4"
[scale]
seeds = 1
rerun = false
"""


def asked(url: str, home: Path) -> str:
    """A scenario whose Space answers with what it was sent: the prompt, as the message of an error."""
    return f"""
# sent with {ESCAPED}
title = "asked with {FOREIGN}"
[prompts.planted]
text = "{ESCAPED} {FOREIGN} {SECRET} {home}/x of {USER}@{HOST}, https://{USER}:{SECRET}@{HOST}.lan"
seed = 42
[baseline]
model = {{ id = "builtin:tiny-cogvideox" }}
call = {{ num_inference_steps = 1, num_frames = 9 }}
placement = "cpu"
[reference.space]
id = "{url}"
endpoint = "/fails"
inputs = {{ prompt = "{{prompt}}", seed_value = "{{seed}}" }}
outputs = {{ video = 0 }}
[scale]
seeds = 1
rerun = false
"""


def contents(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Every file with its bytes, and every part of every ZIP among them."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                yield str(path), path.read_bytes()
                if zipfile.is_zipfile(path):
                    with zipfile.ZipFile(path) as archive:
                        yield from ((f"{path}/{name}", archive.read(name)) for name in archive.namelist())


@pytest.mark.slow
@pytest.mark.long
def test_no_planted_secret_is_written_or_printed(tmp_path: Path) -> None:
    home, work = tmp_path / "home" / USER, tmp_path / "work"
    home.mkdir(parents=True)
    work.mkdir()
    (home / "models" / HOST).mkdir(parents=True)
    write_preview(moving_ball(2), home / "hosted.mp4")
    (home / "mine.toml").write_text(scenario(home))
    found, formats, files, answered = (home / "audits" / name for name in ("found", "formats", "files", "answered"))
    page = tmp_path / "job-page.md"
    environment = {
        **os.environ,
        "HOME": str(home),
        "USER": USER,
        "LOGNAME": USER,
        "HF_TOKEN": TOKEN,
        "MY_API_KEY": SECRET,
        "GITHUB_STEP_SUMMARY": str(page),
    }

    def spacediff(*words: str | Path) -> str:
        done = fresh_process.spacediff(*words, env=environment, cwd=work, program=PROGRAM)
        assert done.returncode in {0, 1, 3}, done.stderr
        return done.stdout + done.stderr

    mine = home / "mine.toml"
    said = {
        "audit": spacediff("audit", mine, "--out", found),
        "approve": spacediff("approve", mine, "--out", found),
        "again": spacediff("audit", mine, "--out", found, "--against", found),
        "report": spacediff("report", found, "--out", formats, *(w for name in FORMATS for w in ("--format", name))),
        "compare": spacediff("compare", home / "hosted.mp4", home / "hosted.mp4", "--out", files),
    }
    (served := tmp_path / "served").mkdir()
    write_preview(moving_ball(2), served / "clip.mp4")
    with space_app(served, "http://127.0.0.1:9") as app:
        (home / "asked.toml").write_text(asked(app.url, home))
        said["answered"] = spacediff("audit", home / "asked.toml", "--out", answered)
    for text in (said["audit"], said["answered"], (answered / "audit.json").read_text()):
        assert "[redacted]" in text, "what was planted did reach the outputs"
    assert "[redacted] [redacted] [redacted] ~/x of [user]@[host]" in said["answered"], (
        "the answer of the Space is shown"
    )
    assert "~/audits/found/report.html" in said["audit"], "the folder is shown relative to the home folder"
    assert sum(1 for _ in contents(formats)) >= len(FORMATS) + 4
    (accepted,) = home.glob("*.accepted.json")
    texts = [*said.items(), ("job page", page.read_text()), ("accepted", accepted.read_text())]
    searched = [*((name, text.encode()) for name, text in texts), *contents(work, home / "audits")]
    for where, content in searched:
        for planted in PLANTED:
            assert planted.encode() not in content, f"{planted} in {where}"
        for spelling in (str(home), quote(str(home), safe="")):
            assert spelling.encode() not in content, where


def test_the_search_finds_a_planted_secret(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deep.txt", f"{SECRET} " * 50)
    assert [where for where, content in contents(tmp_path) if SECRET.encode() in content] == [
        f"{tmp_path / 'a.zip'}/deep.txt"
    ]
