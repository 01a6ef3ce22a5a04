"""The environment of a Space: what its files ask for, what is installed of that, and what is said of the rest."""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.environments import hosted as module
from spacediff.environments import wanted as wanted_module
from spacediff.environments.announced import spaces_installed
from spacediff.environments.hosted import HostedEnvironment, chosen_of, hosted_environment
from spacediff.environments.hosted_facts import differing_facts, installed_fact
from spacediff.environments.locking import Lock, lock_of
from spacediff.environments.pythons import Interpreter
from spacediff.environments.wanted import of_space, wanted_of
from spacediff.errors import EnvironmentUnavailable, NotMeasuredError, SpaceNotFound
from spacediff.hub.asking import SpaceOnHub
from spacediff.hub.requirement_lines import Refusal
from spacediff.progress import SilentListener
from spacediff.record import FactKind, Role
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.wording import sentence, sentences
from support.hub_stand_in import Space, hub_stand_in
from support.needs_uv import NEEDS_UV
from support.wheel_index import wheel_index

OTHER = "3.10" if sys.version_info[:2] != (3, 10) else "3.12"
"""A Python that this one is not."""
FACTS = {
    "sdk": "gradio",
    "sdk version": "1.5",
    "python": OTHER,
    "last modified": "2025-08-01T18:00:00+00:00",
    "running commit": "2e" * 20,
}
REQUIREMENTS = """\
--extra-index-url https://download.pytorch.org/whl/cu121
git+https://github.com/huggingface/diffusers
transformers==1.0
spaces
torch==2.4.0
torchvision
xformers==0.0.27
accelerate
"""


def asked(monkeypatch: pytest.MonkeyPatch, requirements: str = REQUIREMENTS, **facts: str) -> HostedEnvironment:
    """Read a Space as the Hub describes it; an underscore in a fact's name stands for a space."""
    files = {"requirements.txt": requirements}
    named = {**FACTS, **{name.replace("_", " "): value for name, value in facts.items()}}
    return read(monkeypatch, files, named)


def forget() -> None:
    module._asked.cache_clear()
    module._FAILURES.forget()


def read(monkeypatch: pytest.MonkeyPatch, files: dict[str, str], facts: dict[str, str]) -> HostedEnvironment:
    space = SpaceOnHub("org/space", "2e" * 20, "app.py", frozenset(files), facts)
    forget()
    monkeypatch.setattr(module, "space_on_hub", lambda _: space)
    monkeypatch.setattr(module, "small_file", lambda _, name, **__: files[name].encode() if files[name] else None)
    return hosted_environment("org/space")


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    forget()


def test_what_a_space_installs_is_read_from_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    hosted = asked(monkeypatch)
    assert hosted.lines == (
        "transformers==1.0",
        "spaces",
        "torch==2.4.0",
        "torchvision",
        "xformers==0.0.27",
        "accelerate",
    )
    assert [each.reason for each in hosted.refused] == [Refusal.INDEX, Refusal.VERSION_CONTROL]
    assert (hosted.app, hosted.python, hosted.torch) == ("gradio==1.5", OTHER, "torch==2.4.0")
    assert hosted.moment == "2025-08-01T18:00:00Z"


def test_lines_before_the_others_give_way_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"pre-requirements.txt": "pip>=24\nnumpy==1\n", "requirements.txt": "numpy==2\n", "packages.txt": "ffmpeg"}
    hosted = read(monkeypatch, files, FACTS)
    assert hosted.lines == ("pip>=24", "numpy==2")
    assert [(each.line, each.reason) for each in hosted.refused] == [("packages.txt", Refusal.SYSTEM)]
    assert [each.reason for each in chosen_of(hosted).left_out] == [Refusal.SYSTEM, Refusal.INSTALLER, Refusal.APP]


@pytest.mark.parametrize(
    ("files", "facts", "words"),
    [
        ({"requirements.txt": "numpy"}, {**FACTS, "sdk": "docker"}, "its SDK is docker"),
        ({"requirements.txt": "numpy"}, {}, "its SDK is unknown"),
        ({"app.py": "x"}, FACTS, "it has no requirements.txt"),
        ({"requirements.txt": ""}, FACTS, "requirements.txt of Space org/space is unavailable"),
    ],
)
def test_a_space_whose_environment_is_unknown_is_refused(
    files: dict[str, str], facts: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EnvironmentUnavailable, match=words):
        read(monkeypatch, files, facts)


def test_hostile_facts_are_no_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    hosted = asked(monkeypatch, sdk_version="4; evil", python="3.10 --x", last_modified="soon")
    assert (hosted.app, hosted.python, hosted.moment) == ("", "", "")
    assert asked(monkeypatch, python="3.1").python == "3.10", "YAML makes a number of it"


def test_torch_and_what_is_built_for_it_come_from_here_unless_its_version_is_a_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hosted = asked(monkeypatch)
    shared = chosen_of(hosted)
    assert shared.lines == ("transformers==1.0", "accelerate")
    assert shared.beside == ("gradio==1.5", "spaces")
    assert {each.name for each in shared.left_out if each.reason is Refusal.OF_TORCH} == {"torchvision", "xformers"}
    own = of_space(hosted, (("torch", "2.4.0"),))
    assert own.has_own_torch
    assert "torchvision" in own.lines
    assert not of_space(hosted).has_own_torch


def test_requirements_of_a_file_and_of_a_space_exclude_each_other(tmp_path: Path) -> None:
    settings = Settings.of({"env": {"space": "org/space", "requirements": str(tmp_path)}}, Origin.DECLARED)
    with pytest.raises(EnvironmentUnavailable, match=r"env\.requirements and env\.space both"):
        wanted_of(settings)


def test_a_hub_that_does_not_answer_is_asked_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def refuse(space: str) -> SpaceOnHub:
        calls.append(space)
        raise SpaceNotFound("no such Space")

    forget()
    monkeypatch.setattr(module, "space_on_hub", refuse)
    for _ in range(2):
        with pytest.raises(NotMeasuredError, match="no such Space"):
            hosted_environment("org/none")
    assert calls == ["org/none"]
    later = time.monotonic() + 61
    monkeypatch.setattr("time.monotonic", lambda: later)
    with pytest.raises(NotMeasuredError):
        hosted_environment("org/none")
    assert len(calls) == 2, "it may answer a minute later"
    monkeypatch.undo()
    run = run_in("org/none")
    assert list(spaces_installed([run], SilentListener())) == [], "the run itself says it"


def run_in(space: str) -> Run:
    settings = Settings.of({"model": {"id": "org/m"}, "env": {"space": space}}, Origin.DECLARED)
    return Run("as-hosted", Role.VARIANT, Prompt("p", "a lemon", 1), "diffusers", settings)


LOCK = Lock({"diffusers": "1.5", "transformers": "1.0", "accelerate": "1.5", "numpy": "1.5"}, "", "2.13.0+cpu", "")


def test_everything_that_is_not_as_in_the_space_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    said = " ".join(sentences(differing_facts(of_space(asked(monkeypatch)), LOCK)))
    assert (
        "git+https://github.com/huggingface/diffusers (a repository, whose build would run its code; "
        "diffusers 1.5 in its place)"
    ) in said
    assert "--extra-index-url https://download.pytorch.org/whl/cu121 (another index" in said
    assert "xformers==0.0.27 (it is built for the Space's torch)" in said
    assert "spaces (" not in said, "it makes no clip"
    assert "Chosen by the resolver, since org/space names no version that could be installed: numpy 1.5" in said
    assert "the newest of 2025-08-01: accelerate. That is an inference" in said
    assert (
        f"Python {platform.python_version()} is used; org/space has {OTHER}, for which torch would have to be "
        "installed: name one by env.torch."
    ) in said
    assert "torch 2.13.0+cpu of this machine is used, a build without CUDA; org/space asks for torch==2.4.0." in said
    assert "torch==2.4.0. Name one by env.torch to install it." in said
    theirs = replace(LOCK, shared="2.4.0+cu121")
    (torch,) = [each for each in differing_facts(of_space(asked(monkeypatch)), theirs) if each.values.get("installed")]
    assert sentence(torch) == (
        "torch 2.4.0+cu121 of this machine is used, a CUDA build; org/space asks for torch==2.4.0."
    )


def test_another_commit_that_runs_and_an_unknown_date_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    hosted = asked(monkeypatch, running_commit="1f" * 20, last_modified="", python="")
    said = " ".join(sentences(differing_facts(of_space(hosted), LOCK)))
    assert "at 2e2e2e2 were read, and 1f1f1f1 runs there" in said
    assert "the newest of today: accelerate. When the Space was built is unknown." in said
    assert "which one org/space has is not said in its README" in said


def test_the_same_python_is_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    here = platform.python_version()
    for version in (here, here.rpartition(".")[0]):
        facts = differing_facts(of_space(asked(monkeypatch, python=version)), LOCK)
        assert FactKind.HOSTED_PYTHON not in {each.kind for each in facts}


def test_the_python_of_a_space_is_used_with_a_torch_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch = (("torch", "2.4.0"),)
    found = Interpreter("/there/python", f"{OTHER}.7")
    monkeypatch.setattr(wanted_module, "has_python", lambda version: version == OTHER)
    monkeypatch.setattr(wanted_module, "python_named", lambda _: found)
    used = of_space(asked(monkeypatch), torch)
    assert (used.python, used.python_kept, used.has_own_torch) == (found.version, "", True)
    assert FactKind.HOSTED_PYTHON not in {each.kind for each in differing_facts(used, LOCK)}
    shared = of_space(asked(monkeypatch))
    assert (shared.python, shared.has_own_torch) == ("", False), "its torch is built for this Python"
    named = of_space(asked(monkeypatch), python=found)
    assert (named.python, named.has_own_torch) == (found.version, True)
    assert {"torch==2.4.0", "torchvision"} <= {*named.lines}, "the Space's, since that of here cannot be shared"


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("3.8", "org/space has 3.8, in which a run cannot be watched."),
        ("3.97", "org/space has 3.97, which is not on this machine."),
    ],
)
def test_a_python_that_cannot_be_used_is_said_with_the_reason(
    version: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = of_space(asked(monkeypatch, python=version), (("torch", "2.4.0"),))
    assert wanted.python == ""
    assert words in " ".join(sentences(differing_facts(wanted, LOCK)))


@pytest.mark.parametrize(
    ("nvidia", "build"), [({}, "a build without CUDA"), ({"nvidia-cudnn-cu12": "9"}, "a CUDA build")]
)
def test_an_installed_torch_is_named_with_its_build(
    nvidia: dict[str, str], build: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = of_space(asked(monkeypatch), (("torch", "2.4.0"),))
    lock = replace(LOCK, packages={**LOCK.packages, **nvidia, "torch": "2.4.0"}, shared="")
    (found,) = [each for each in differing_facts(wanted, lock) if each.kind is FactKind.HOSTED_TORCH]
    assert sentence(found) == f"torch 2.4.0 is installed from the index, {build}; org/space asks for torch==2.4.0."


def test_what_is_no_space_has_nothing_to_say() -> None:
    wanted = wanted_of(Settings.of({"env": {"diffusers": "1.5"}}, Origin.DECLARED))
    assert wanted is not None
    assert installed_fact(wanted, LOCK) is None
    assert differing_facts(wanted, LOCK) == []


@NEEDS_UV
def test_a_space_is_resolved_as_of_its_day_and_what_has_no_wheel_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = f"{REQUIREMENTS}source-only\nmissing-package\npillow==2.0\nelsewhere ; sys_platform == 'none'\n"
    asked(monkeypatch, requirements)
    with wheel_index(tmp_path):
        notices = list(spaces_installed([run_in("org/space"), run_in("org/space")], SilentListener()))
        wanted = wanted_of(run_in("org/space").settings)
        assert wanted is not None
        lock = lock_of(wanted, SilentListener())
        assert lock_of(wanted, SilentListener()) == lock, "it is kept"
    assert lock.packages["transformers"] == "1.0"
    assert lock.packages["diffusers"] == "1.5", "the newest of that day, although a newer one is there"
    assert not {"gradio", "spaces", "torch", "torchvision", "elsewhere"} & lock.packages.keys()
    assert lock.left_out == {
        "elsewhere ; sys_platform == 'none'": "marker",
        "source-only": "no-wheel",
        "missing-package": "no-wheel",
        "pillow==2.0": "no-wheel",
    }
    assert [each.kind for each in notices].count(FactKind.HOSTED_INSTALLED) == 1
    said = " ".join(sentences(notices))
    assert said.startswith(
        "As org/space at 2e2e2e2 asks for them, from wheels alone: diffusers 1.5, transformers 1.0, "
    )
    assert "source-only (no wheel for this machine, and a build would run its code)" in said
    assert "pillow==2.0 (no wheel for this machine, and a build would run its code; pillow 1.5 in its place)" in said


@pytest.mark.slow
def test_the_hub_is_asked_for_the_requirements_of_a_space(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    space = Space("http://127.0.0.1:9", files={"app.py": "", "requirements.txt": REQUIREMENTS})
    forget()
    with hub_stand_in({"org/space": space}) as hub:
        for name, value in {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}.items():
            monkeypatch.setenv(name, value)
        hosted = hosted_environment("org/space")
    assert hosted.app == "gradio==4.44.1"
    assert hosted.moment == "2024-12-24T18:00:00Z"
    assert hosted.torch == "torch==2.4.0"


@NEEDS_UV
def test_the_command_lists_what_would_be_installed_and_installs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(monkeypatch, "diffusers==1.0\n--pre\n")
    with wheel_index(tmp_path):
        assert main(["environment", "https://huggingface.co/spaces/org/space", "--json", "-q"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert main(["environment", "org/space", "-q"]) == 0
        shown = capsys.readouterr().out
    versions = {each["name"]: each["version"] for each in found["packages"]}
    assert (versions["diffusers"], versions["transformers"]) == ("1.0", "1.5")
    assert any("--pre (an option of pip)" in each for each in found["differs"])
    assert "would be installed" in shown
    assert "--pre (an option of pip)" in shown
    assert not list((tmp_path / "cache" / "environments").glob("locked-*"))


@pytest.mark.parametrize(
    ("arguments", "words"), [(["here"], "is not a Space of the Hub"), (["o/n", "--torch", "x"], "no version")]
)
def test_what_is_no_space_and_no_version_is_wrong_input(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["environment", *arguments]) == 2
    assert words in " ".join(capsys.readouterr().err.split())
