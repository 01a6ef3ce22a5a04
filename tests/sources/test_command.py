"""A program as the reference: real child processes, which fail, hang, start others, or print without end."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from spacediff.api import load_scenario, plan_audit
from spacediff.errors import (
    ProgramFailed,
    ProgramNotStarted,
    ProgramTimedOut,
    ProgramUnusable,
    ProgramWithoutClip,
)
from spacediff.progress import SilentListener
from spacediff.run import Run
from spacediff.sampling import sample_of
from spacediff.sources import Produced, command
from spacediff.sources.command import programs_to_run, run_command
from spacediff.wording import sentence
from support.input_files import picture
from support.listeners import RememberingListener
from support.programs import program, reference_of, scenario_text

GIVES = "import shutil, sys; shutil.copyfile('given.png', sys.argv[-1])\n"
"""The end of a program: it writes its clip."""


POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no sessions of processes")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    picture(1).save(tmp_path / "given.png")
    return tmp_path


def produced(run: Run, folder: Path, progress: Any = None) -> Produced:
    kept = folder / "kept"
    kept.mkdir(exist_ok=True)
    return run_command(run, kept, folder / "audit", progress or SilentListener())


def log_of(folder: Path) -> str:
    return (folder / "audit" / "programs" / "p-reference.log").read_text("utf-8")


def test_the_clip_is_taken_unchanged_with_settings_and_versions(folder: Path) -> None:
    run = program(
        folder,
        f"print('hello'); {GIVES}",
        "{seed}",
        suffix=".png",
        python=sys.executable,
        settings={"call": {"num_inference_steps": 4}},
    )
    found = produced(run, folder)
    assert found.original is not None
    assert found.original.read_bytes() == (folder / "given.png").read_bytes()
    assert found.settings.value("call.num_inference_steps") == 4
    assert found.settings.value("call.width") == 64
    assert found.settings.value("command.run")[-2:] == ["{seed}", "{out}"]
    assert found.hosted["python"] == ".".join(map(str, sys.version_info[:3]))
    assert "numpy" in found.hosted
    assert found.warnings == ()
    assert log_of(folder) == "hello\n"
    assert not (folder / "audit" / "programs" / "p-reference").exists()


@pytest.mark.parametrize(
    "prompt",
    [
        "--out=/etc/x",
        "a \"lemon\" and 'a lime'",
        "two\nlines\tand a tab",
        "$(touch pwned) `touch pwned` ; touch pwned | touch pwned & touch pwned > pwned",
        "{seed} {out} {file:image} %PATH% ~ * ?",
        "un citron pressé 🍋",
    ],
)
def test_a_prompt_arrives_as_one_argument_as_it_is(prompt: str, folder: Path) -> None:
    source = f"import json, sys; json.dump(sys.argv[1:], open('got.json', 'w')); {GIVES}"
    run = program(folder, source, "{prompt}", "--text={prompt}", "{seed}", prompt=prompt, suffix=".png")
    produced(run, folder)
    got = json.loads((folder / "got.json").read_text())
    assert got[:3] == [prompt, f"--text={prompt}", "42"]
    assert not (folder / "pwned").exists()


def test_inputs_environment_and_interpreter_are_given(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / "sub" / "own.py").write_text(
        "import json, os, shutil, sys\n"
        "json.dump([sys.argv[1:-1], os.environ['MODE'], os.getcwd(), shutil.which('python')], open('got.json', 'w'))\n"
        "shutil.copyfile('../given.png', sys.argv[-1])\n"
    )
    text = scenario_text(
        ["python", "own.py", "{file:image}", "{file:frames}", "{out}"],
        more='[prompts.p.inputs]\nimage = "given.png"\nframes = ["given.png", "given.png"]',
        python="bin/python",
        folder="sub",
        env={"MODE": "fast"},
        suffix=".png",
    )
    produced(reference_of(text, folder), folder)
    files, mode, place, found = json.loads((folder / "sub" / "got.json").read_text())
    assert files == [str(folder / "given.png")] * 3
    assert (mode, place, found) == ("fast", str(folder / "sub"), str(folder / "bin" / "python"))


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ("import sys; print('one\\ntwo'); sys.exit(3)", ProgramFailed, "exit code 3.*one | two"),
        ("raise ValueError('no such model')", ProgramFailed, "exit code 1.*ValueError: no such model"),
        ("import os; os.kill(os.getpid(), 9)", ProgramFailed, "signal 9.*printed nothing"),
        ("print('well')", ProgramWithoutClip, "wrote no out.png.*well"),
        ("import sys; open(sys.argv[-1] + '.tmp', 'w').close()", ProgramWithoutClip, "it wrote out.png.tmp"),
        ("import sys; open(sys.argv[-1], 'w').close()", ProgramWithoutClip, "wrote no out.png"),
        ("import sys; open(sys.argv[-1], 'w').write('<html>')", ProgramWithoutClip, "cannot be read.*suffix"),
    ],
)
def test_a_program_without_a_clip_says_why(source: str, error: type[ProgramUnusable], said: str, folder: Path) -> None:
    with pytest.raises(error) as caught:
        produced(program(folder, source, suffix=".png"), folder)
    assert re.search(said, f"{caught.value.message} {caught.value.hint}", re.DOTALL)


FAMILY = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", deaf])
if os.fork() == 0:  # its parent ends at once, so that it is nobody's child any more
    if os.fork() == 0:
        print("orphan", os.getpid(), flush=True)
        time.sleep(600)
    os._exit(0)
os.wait()
open("pids", "w").write(f"{os.getpid()} {child.pid}")
"""
"""A program that ignores the request to end, and its children, of which one has left the family."""


def pids_of(folder: Path) -> list[int]:
    orphan = log_of(folder).split()[1]
    return [int(pid) for pid in [*(folder / "pids").read_text().split(), orphan]]


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@POSIX
def test_the_deadline_ends_a_program_that_refuses_with_all_that_it_started(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_PATIENCE", 0.2)
    run = program(folder, f"{FAMILY}\ntime.sleep(600)", deadline=1.5)
    with pytest.raises(ProgramTimedOut, match=r"had not ended after 1\.5 s"):
        produced(run, folder)
    assert [pid for pid in pids_of(folder) if is_alive(pid)] == []


@POSIX
def test_what_outlives_a_program_is_ended_and_its_clip_is_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_PATIENCE", 0.2)
    found = produced(program(folder, f"{FAMILY}\n{GIVES}", suffix=".png"), folder)
    assert found.clip.frames.shape == (1, 64, 64, 3)
    assert [pid for pid in pids_of(folder) if is_alive(pid)] == []


def test_an_interruption_ends_a_program(folder: Path) -> None:
    class Interrupting(SilentListener):
        def on_status(self, text: str) -> None:
            if text.startswith("at"):
                raise KeyboardInterrupt

    source = "import os, time; print('at', os.getpid(), flush=True); time.sleep(600)"
    with pytest.raises(KeyboardInterrupt):
        produced(program(folder, source), folder, Interrupting())
    assert not is_alive(int(log_of(folder).split()[1]))


def test_endless_output_is_bounded_and_its_end_is_quoted(folder: Path) -> None:
    source = "import sys\nprint('first')\nfor n in range(60000): print(n, 'x' * 40)\nprint('\\x1b[2Jlast')\nsys.exit(1)"
    with pytest.raises(ProgramFailed) as caught:
        produced(program(folder, source), folder)
    assert caught.value.hint.endswith("[2Jlast")
    assert "\x1b" not in caught.value.hint
    assert len(log_of(folder)) < 300_000
    assert log_of(folder).startswith("first\n0 x")
    assert "bytes were left out]" in log_of(folder)


def test_nothing_that_a_program_prints_of_a_private_prompt_is_kept(folder: Path) -> None:
    text = scenario_text([sys.executable, "-c", "print('of a citrus'); raise SystemExit(1)", "{prompt}", "{out}"])
    run = reference_of(text.replace("seed = 42", "seed = 42\nprivate = true"), folder)
    listener = RememberingListener()
    with pytest.raises(ProgramFailed) as caught:
        produced(run, folder, listener)
    assert "citrus" not in caught.value.hint
    assert not any("citrus" in each for each in listener.texts)
    assert not (folder / "audit" / "programs" / "p-reference.log").exists()


@pytest.mark.parametrize(
    ("run", "given", "said"),
    [
        (["no-such-program", "{out}"], {}, "no program no-such-program on the PATH"),
        (["./given.png", "{out}"], {}, "no program ./given.png in .*, or it is not executable"),
        (["./run.bat", "{out}"], {}, "run.bat is a script of the Windows shell"),
        (["./broken", "{out}"], {}, "broken cannot be started"),
        ([sys.executable, "{out}"], {"folder": "elsewhere"}, "there is no folder .*elsewhere"),
    ],
)
def test_a_program_that_cannot_be_started_is_named(
    run: list[str], given: dict[str, Any], said: str, folder: Path
) -> None:
    for name in ("run.bat", "broken"):
        (folder / name).write_bytes(b"\x00\x01")
        (folder / name).chmod(0o755)
    with pytest.raises(ProgramNotStarted, match=said):
        produced(reference_of(scenario_text(run, **given), folder), folder)


def tool(folder: Path, name: str) -> Path:
    """Return a program that notes each call of it and gives its clip."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\nopen('calls', 'a').write('x')\n{GIVES}")
    path.chmod(0o755)
    return path


@POSIX
def test_only_an_interpreter_is_asked_for_its_versions_and_the_program_runs_once(folder: Path) -> None:
    run = [str(tool(folder, "mytool")), "{seed}", "{out}"]
    found = produced(reference_of(scenario_text(run, suffix=".png", python=sys.executable), folder), folder)
    assert "numpy" in found.hosted
    assert produced(reference_of(scenario_text(run, suffix=".png"), folder), folder).hosted == {}
    assert (folder / "calls").read_text() == "xx"


@POSIX
def test_the_versions_are_those_that_the_program_sees(folder: Path) -> None:
    package = folder / "own" / "numpy-9.9.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 9.9\n")
    (folder / "own.py").write_text(GIVES)
    run = [sys.executable, "own.py", "{seed}", "{out}"]
    text = scenario_text(run, suffix=".png", env={"PYTHONPATH": str(package.parent)})
    found = produced(reference_of(text, folder), folder)
    assert found.hosted["numpy"] == "9.9"
    assert found.warnings == ()


@pytest.mark.parametrize("name", ["bin/python", "bin/python3", "bin/python3.12"])
@pytest.mark.parametrize("packages", ["lib/python3.12/site-packages", "local/lib/python3.12/dist-packages"])
def test_another_package_of_the_interpreter_is_another_run(name: str, packages: str, folder: Path) -> None:
    interpreter = folder / name
    interpreter.parent.mkdir()
    interpreter.write_text("")
    interpreter.chmod(0o755)
    (folder / packages / "torch-2.0.dist-info").mkdir(parents=True)
    run = reference_of(scenario_text([name, "{out}"]), folder)
    (folder / packages / "numpy-2.0.dist-info").mkdir()
    other = reference_of(scenario_text([name, "{out}"]), folder)
    by_name = reference_of(scenario_text([Path(name).name, "{out}"], env={"PATH": str(folder / "bin")}), folder)
    assert run.key({}) != other.key({})
    assert by_name.request["interpreter"] == other.request["interpreter"]


@POSIX
def test_an_interpreter_whose_packages_are_not_found_is_named(folder: Path) -> None:
    shim = folder / "python3"
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    shim.chmod(0o755)
    (folder / "own.py").write_text(GIVES)
    run = reference_of(scenario_text(["./python3", "own.py", "{seed}", "{out}"], suffix=".png"), folder)
    found = produced(run, folder)
    assert "no packages were found next to the program's interpreter" in " ".join(found.warnings)
    assert "numpy" in found.hosted


def test_of_a_private_prompt_only_numbers_of_the_declared_settings_are_kept(folder: Path) -> None:
    settings = {"call": {"negative_prompt": "a sour lime", "num_inference_steps": 4}}
    text = scenario_text([sys.executable, "own.py", "{seed}", "{out}"], suffix=".png", settings=settings)
    (folder / "own.py").write_text(GIVES)
    found = produced(reference_of(text.replace("seed = 42", "seed = 42\nprivate = true"), folder), folder)
    assert found.settings.value("call.num_inference_steps") == 4
    assert "lime" not in str([each.value for each in found.settings.values()])
    (folder / "s.toml").write_text(text.replace("seed = 42", "seed = 42\nprivate = true"))
    assert "a sour lime" in plan_audit(load_scenario(folder / "s.toml")).private_texts


def test_the_files_that_a_program_wrote_instead_are_not_named_of_a_private_prompt(folder: Path) -> None:
    (folder / "own.py").write_text("import sys; open(sys.argv[-1] + 'a lemon', 'w').close()")
    text = scenario_text([sys.executable, "own.py", "{out}"]).replace("seed = 42", "seed = 42\nprivate = true")
    with pytest.raises(ProgramWithoutClip) as caught:
        produced(reference_of(text, folder), folder)
    assert "lemon" not in caught.value.message


def test_a_folder_of_our_own_is_not_what_a_program_wrote(folder: Path) -> None:
    with pytest.raises(ProgramWithoutClip) as caught:
        produced(program(folder, "", "{trace}", "{out}", suffix=".png"), folder)
    assert caught.value.message == "the program ended well, but wrote no out.png"


def test_a_program_that_gets_no_seed_is_named(folder: Path) -> None:
    assert "not given the seed" in " ".join(produced(program(folder, GIVES, suffix=".png"), folder).warnings)


def test_the_identity_is_command_scripts_environment_prompt_and_inputs(folder: Path) -> None:
    def key(**given: Any) -> str:
        return program(folder, given.pop("source", GIVES), "--config=c.yaml", "{seed}", **given).key({})

    (folder / "c.yaml").write_text("a")
    first = key()
    assert key(deadline=5.0) == first
    (folder / "notes.txt").write_text("not a script")
    assert key() == first
    others = [key(source=f"{GIVES}#"), key(prompt="a lime"), key(env={"A": "1"}), key(suffix=".png")]
    (folder / "c.yaml").write_text("b")
    others.append(key())
    (folder / "module.py").write_text("x = 1")
    others.append(key())
    others.append(key(python=sys.executable))
    assert len({first, *others}) == len(others) + 1


def test_reading_and_planning_run_nothing(folder: Path) -> None:
    scenario = folder / "s.toml"
    scenario.write_text(scenario_text([sys.executable, "-c", "open('ran', 'w')", "{out}"]))
    plan = plan_audit(load_scenario(scenario))
    assert [run.source for run in plan.runs][:1] == ["command"]
    assert list(programs_to_run(plan.runs[:1], folder / "audit"))
    assert not (folder / "ran").exists()


def test_the_command_line_is_shown_as_it_will_run(folder: Path) -> None:
    run = program(folder, GIVES, "{prompt}", prompt="a b\x1b[2J; rm", env={"A": "x y"})
    (notice,) = programs_to_run([run], folder / "audit")
    out = folder / "audit" / "programs" / "p-reference" / "out.mp4"
    shown = f"A='x y' {sys.executable} own.py 'a b\\x1b[2J; rm' {out} (not through a shell)."
    assert sentence(notice).endswith(f"runs in {folder}: {shown}")


def test_the_command_line_of_a_program_that_runs_several_times_is_shown_once(folder: Path) -> None:
    run = program(folder, GIVES, "{prompt}", "{seed}", prompt="a lemon")
    group = [run, *(replace(sample_of(run, n), prompt=replace(run.prompt, seed=n)) for n in range(2, 7))]
    other = replace(run, request={**run.request, "env": {"A": "1"}})
    shown = [sentence(each) for each in programs_to_run([*group, other], folder / "audit")]
    assert [" 'a lemon' 42 " in each for each in shown] == [True, True]
    assert shown[0].endswith("(not through a shell), and 5 times more with other values of its placeholders.")
    assert shown[1].endswith("(not through a shell).")
