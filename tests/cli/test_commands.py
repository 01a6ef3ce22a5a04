from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.cli.summary import show_summary
from spacediff.clip import write_preview
from spacediff.record import AuditRecord, Role, Verdict, read_record, write_record
from spacediff.record.audit import WarningRecord
from support.clips import moving_ball
from support.fresh_process import FreshProcess, spacediff
from support.paths import ROOT
from support.synthetic_audit import synthetic_audit
from support.synthetic_traces import with_traces

SCENARIO = """
title = "Another"
[prompts.lemon]
text = "a lemon"
seed = 42
[baseline]
model = { id = "builtin:tiny-cogvideox-random" }
[reference.video]
file = "broken.mp4"
"""


COMMANDS = ("audit", "versions", "record", "probe", "compare", "report", "approve",
            "read", "why", "check", "environment", "doctor", "cache", "completion", "init", "schema")  # fmt: skip


def test_help_names_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    commands, _, codes = capsys.readouterr().out.partition("exit codes:")
    assert re.findall(r"^    ([a-z]+)(?: |$)", commands, re.MULTILINE) == list(COMMANDS)
    assert re.findall(r"^  (\d+)  ", codes, re.MULTILINE) == ["0", "1", "2", "3", "70", "130"]


def test_help_imports_nothing_heavy() -> None:
    heavy = (
        "torch",
        "diffusers",
        "transformers",
        "gradio",
        "gradio_client",
        "lpips",
        "pandas",
        "av",
        "cv2",
        "pydantic",
    )
    program = f"""
import sys
from spacediff.cli.commands import main
try:
    main(["--help"])
except SystemExit:
    pass
print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("arguments", [["adit"], ["audit"], ["audit", "a.toml", "--what"], ["compare", "a.mp4"]])
def test_a_wrong_command_line_is_exit_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "wrong.toml"),
        ("title = 'x", "wrong.toml:1"),
        ("title = 'x'\n[prompts.a]\ntext = 'b'\nsed = 1", "wrong.toml:4: prompts.a.sed"),
    ],
)
def test_a_wrong_scenario_is_one_paragraph_and_exit_code_2(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "wrong.toml").write_text(content)
    done = spacediff("audit", tmp_path / "wrong.toml", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b[" not in done.stderr, "colour on a terminal only"
    assert not (tmp_path / "out").exists()


def test_an_unknown_variant_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "scenarios/quickstart.toml", "--only", "dynamic_cfg"]) == 2
    assert "did you mean 'dynamic-cfg'?" in capsys.readouterr().err


def test_comparing_two_files(tmp_path: Path) -> None:
    write_preview(moving_ball(), tmp_path / "a.mp4")
    write_preview(moving_ball(seed=1), tmp_path / "b.mp4")
    shutil.copy(tmp_path / "a.mp4", tmp_path / "copy.mp4")
    for name, verdict in (("copy", Verdict.IDENTICAL), ("b", Verdict.DIFFERS)):
        done = spacediff("compare", tmp_path / "a.mp4", tmp_path / f"{name}.mp4", "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr
        (comparison,) = read_record(tmp_path / name).comparisons
        assert comparison.verdict is verdict
        assert (tmp_path / name / "report.html").is_file()
        assert str(tmp_path) not in (tmp_path / name / "audit.json").read_text()


def test_a_comparison_as_json_prints_the_record_alone(tmp_path: Path) -> None:
    write_preview(moving_ball(2), tmp_path / "a.mp4")
    done = spacediff("compare", tmp_path / "a.mp4", tmp_path / "a.mp4", "--out", tmp_path / "out", "--json", "-q")
    assert done.returncode == 0
    assert done.stderr == ""
    assert AuditRecord.model_validate_json(done.stdout) == read_record(tmp_path / "out")


def test_a_quiet_comparison_says_what_came_out_and_where_the_report_is(tmp_path: Path) -> None:
    write_preview(moving_ball(2), tmp_path / "a.mp4")
    done = spacediff("compare", tmp_path / "a.mp4", tmp_path / "a.mp4", "--out", tmp_path / "out", "-q")
    assert done.stderr == ""
    said, unmeasured, report = done.stdout.splitlines()
    assert said == "a.mp4 equals a.mp4: every pixel is the same."
    assert unmeasured.startswith("not measured: ")
    assert report == f"report: {tmp_path / 'out' / 'report.html'}"


INTO_A_CLOSED_PIPE = """
import os, sys
reading_end, writing_end = os.pipe()
os.close(reading_end)
os.dup2(writing_end, 1)
sys.stdout = open(1, "w", closefd=False)
from spacediff.cli.commands import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_reader_that_goes_away_does_not_change_what_was_measured(tmp_path: Path) -> None:
    write_preview(moving_ball(2), tmp_path / "a.mp4")
    (tmp_path / "other.toml").write_text(SCENARIO)
    (tmp_path / "broken.mp4").write_text("no video")
    expected = {
        ("compare", "a.mp4", "a.mp4", "--out", "out"): 0,
        ("audit", "other.toml", "--out", "unmeasured"): 3,
    }
    running = {words: FreshProcess(*words, cwd=tmp_path, program=INTO_A_CLOSED_PIPE) for words in expected}
    ended = {words: process.ended() for words, process in running.items()}
    assert {words: done.returncode for words, done in ended.items()} == expected
    assert not [done.stderr for done in ended.values() if "Traceback" in done.stderr]
    assert (tmp_path / "out" / "report.html").is_file()
    assert (tmp_path / "unmeasured" / "report.html").is_file()


@pytest.mark.slow
def test_reader_that_goes_away_ends_no_command_early(tmp_path: Path) -> None:
    for name, scale in (("run.py", 6.0), ("space.py", 7.0)):
        call = f"pipe(prompt='a lemon', guidance_scale={scale})"
        loaded = "from diffusers import CogVideoXPipeline as P\npipe = P.from_pretrained('a/b')"
        (tmp_path / name).write_text(f"{loaded}\n{call}")
    audit = tmp_path / "audit"
    audit.mkdir()
    write_record(synthetic_audit(audit, frames=1, size=(32, 48)), audit)
    expected = {
        ("--help",): 0,
        ("schema",): 0,
        ("init", "mine"): 0,
        ("read", "run.py"): 0,
        ("read", "run.py", "--format", "json"): 0,
        ("read", "missing.py"): 2,
        ("why", "--script", "run.py", "--space", "space.py", "--plan-only", "--write", "why.toml"): 0,
        ("report", "audit"): 0,
        ("report", "audit", "--format", "json"): 0,
    }
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "harness"), "HF_HUB_OFFLINE": "1"}
    running = {}
    for words in expected:
        reading_end, writing_end = os.pipe()
        os.close(reading_end)
        running[words] = subprocess.Popen(
            [sys.executable, "-m", "spacediff", *words],
            stdout=writing_end,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=environment,
            text=True,
        )
        os.close(writing_end)
    errors = {words: process.communicate()[1] for words, process in running.items()}
    assert {words: process.returncode for words, process in running.items()} == expected, errors
    assert not [text for text in errors.values() if "Traceback" in text or "BrokenPipe" in text]
    assert (tmp_path / "why.toml").is_file()


def test_several_scenarios_get_a_folder_each_and_the_worst_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(SCENARIO.replace("Another", f"Scenario {name}"))
    (tmp_path / "broken.mp4").write_text("no video")
    monkeypatch.chdir(tmp_path)
    assert main(["audit", "one.toml", "two.toml"]) == 3
    printed = capsys.readouterr().out
    assert printed.index("Scenario one") < printed.index("audits/one/report.html") < printed.index("Scenario two")
    assert sorted(path.name for path in (tmp_path / "audits").iterdir()) == ["one", "two"]


def test_one_scenario_that_cannot_go_on_does_not_keep_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(SCENARIO)
    (tmp_path / "broken.mp4").write_text("no video")
    (tmp_path / "audits").mkdir()
    (tmp_path / "audits" / "one").write_text("a file in the place of the folder")
    monkeypatch.chdir(tmp_path)
    assert main(["audit", "one.toml", "two.toml", "--json"]) == 3
    captured = capsys.readouterr()
    assert "error[" in captured.err
    assert [each["title"] for each in json.loads(captured.out)] == ["Another"]
    assert (tmp_path / "audits" / "two" / "report.html").is_file()


def test_two_scenarios_of_one_name_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.toml").write_text(SCENARIO)
    assert main(["audit", str(tmp_path / "a" / "same.toml"), str(tmp_path / "b" / "same.toml")]) == 2
    assert "two scenarios would be audited in audits/same" in " ".join(capsys.readouterr().err.split())


def test_without_ray_the_error_names_the_extra(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.toml").write_text(SCENARIO)
    (tmp_path / "broken.mp4").write_text("no video")
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    assert main(["audit", str(tmp_path / "other.toml"), "--executor", "ray"]) == 2
    assert "pip install 'spacediff[ray]'" in " ".join(capsys.readouterr().err.split())


def test_without_a_gate_none_is_mentioned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.toml").write_text(SCENARIO)
    (tmp_path / "broken.mp4").write_text("no video")
    assert main(["audit", str(tmp_path / "other.toml"), "--out", str(tmp_path / "out")]) == 3
    printed = capsys.readouterr().out
    assert "Nothing was compared" in printed
    assert "Gate" not in printed
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Gate not measured" not in page


def test_a_folder_of_another_audit_is_not_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed, name in enumerate("abc"):
        write_preview(moving_ball(2, seed=seed), tmp_path / f"{name}.mp4")
    scenario = tmp_path / "other.toml"
    scenario.write_text(SCENARIO)
    scenario.with_name("broken.mp4").write_text("no video")
    out = tmp_path / "out"
    first = ["compare", str(tmp_path / "a.mp4"), str(tmp_path / "b.mp4"), "--out", str(out)]
    assert main(first) == 0
    before = {name: (out / name).read_bytes() for name in ("audit.json", "report.html")}
    for other in (
        ["compare", str(tmp_path / "a.mp4"), str(tmp_path / "c.mp4"), "--out", str(out)],
        ["audit", str(scenario), "--out", str(out)],
        ["audit", str(scenario), "--out", str(out), "--fresh"],
    ):
        capsys.readouterr()
        assert main(other) == 2
        assert "holds another audit: 'b.mp4 against a.mp4'" in " ".join(capsys.readouterr().err.split())
        assert {name: (out / name).read_bytes() for name in before} == before
    assert main(first) == 0


def test_the_command_that_repeats_a_comparison_names_its_files_and_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "work").mkdir()
    write_preview(moving_ball(2), tmp_path / "clips" / "a.mp4")
    write_preview(moving_ball(2), tmp_path / "work" / "b.mp4")
    monkeypatch.chdir(tmp_path / "work")
    assert main(["compare", "../clips/a.mp4", str(tmp_path / "work" / "b.mp4"), "--out", "found"]) == 0
    assert read_record(Path("found")).command == "spacediff compare ../clips/a.mp4 b.mp4 --out found"
    assert '<p class="prompt"' not in Path("found/report.html").read_text(), "files have no prompt and no seed"


def test_an_additional_metric_is_listed_after_the_others(tmp_path: Path) -> None:
    write_preview(moving_ball(2), tmp_path / "a.mp4")
    write_preview(moving_ball(2, seed=1), tmp_path / "b.mp4")
    done = spacediff("compare", tmp_path / "a.mp4", tmp_path / "b.mp4", "--metric", "flip", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    record = read_record(tmp_path / "out")
    assert record.command == "spacediff compare .../a.mp4 .../b.mp4 --metric flip"
    assert list(record.comparisons[0].metrics) == ["mae", "psnr", "ssim", "lpips", "flip"]
    assert "FLIP" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no file"),
        (b"broken", "nor is it a picture (PNG, JPEG, WebP, AVIF or GIF)"),
        ("a folder", "give one file; reference.pictures in a scenario takes several pictures"),
    ],
)
def test_comparing_a_file_that_is_not_a_video_is_exit_code_2(
    tmp_path: Path, which: int, content: bytes | str | None, message: str
) -> None:
    files = [tmp_path / "good.mp4", tmp_path / "bad.mp4"]
    write_preview(moving_ball(), files[0])
    if isinstance(content, bytes):
        files[1].write_bytes(content)
    elif content is not None:
        files[1].mkdir()
    done = spacediff("compare", files[which], files[1 - which], "--out", tmp_path / "out")
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content", [None, "", "{}", '{"schema_version": 99}', "[1, 2"])
def test_a_report_without_an_audit_is_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    if content is not None:
        (tmp_path / "audit.json").write_text(content)
    assert main(["report", str(tmp_path)]) == 2
    assert "audit.json" in " ".join(capsys.readouterr().err.split())


def test_init_copies_the_scenarios_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "mine")]) == 0
    quickstart = tmp_path / "mine" / "quickstart.toml"
    quickstart.write_text("edited")
    assert main(["init", str(tmp_path / "mine")]) == 0
    assert quickstart.read_text() == "edited"
    assert "kept" in capsys.readouterr().out


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert {"title", "prompts", "baseline", "reference"} <= set(schema["properties"])


def test_the_doctor_names_what_is_missing() -> None:
    began = time.monotonic()
    done = spacediff("doctor", "--json")
    assert done.returncode == 0, done.stderr
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert checks["torchvision"]["fine"]
    assert {"accelerator", "processor", "libraries"} <= checks.keys()
    assert checks["LPIPS"]["fine"]
    assert time.monotonic() - began < 120


def test_the_summary_is_short_where_runs_have_many_warnings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = synthetic_audit(tmp_path, frames=1, size=(32, 48))
    warnings = [WarningRecord(warning=f"warning {n}", runs=["dpm", "on-gpu"]) for n in range(11)]
    show_summary(record.model_copy(update={"run_warnings": warnings}), tmp_path)
    printed = capsys.readouterr().out
    assert "warning: dpm, on-gpu: warning 7\n         and 3 more, in the report\n" in printed
    assert "warning 8" not in printed


def test_the_summary_says_in_a_line_where_variants_diverge_inside_the_loop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = synthetic_audit(tmp_path, frames=1, size=(32, 48))
    show_summary(record, tmp_path)
    assert "inside the loop" not in capsys.readouterr().out
    show_summary(with_traces(record), tmp_path)
    printed = capsys.readouterr().out
    assert (
        "inside the loop, first divergence from baseline at the text embedding: cpu-noise; at the initial noise: "
        "as-hosted; at step 1: dpm; at step 3: dynamic-cfg; nowhere: on-gpu\n"
    ) in printed
    assert "note: dynamic-cfg-alone" not in printed
    runs = [run.model_copy(update={"role": Role.PROBE}) if run.name == "dpm" else run for run in record.runs]
    show_summary(with_traces(record.model_copy(update={"runs": runs})), tmp_path)
    assert "as-hosted; at step 3: dynamic-cfg; nowhere: on-gpu\n" in capsys.readouterr().out, "a probe is no variant"
