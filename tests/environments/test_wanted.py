"""What settings ask of an environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.environments.wanted import BUILT_UPON, wanted_of
from spacediff.errors import EnvironmentUnavailable
from spacediff.settings import Origin, Settings


def settings(**env: str) -> Settings:
    return Settings.of({"model": {"id": "org/name"}, "env": env}, Origin.DECLARED)


def test_settings_without_a_version_ask_for_no_environment() -> None:
    assert wanted_of(Settings.of({"model": {"id": "org/name"}}, Origin.DECLARED)) is None


def test_a_version_of_diffusers_brings_its_contemporaries() -> None:
    wanted = wanted_of(settings(diffusers="0.36.0"))
    assert wanted is not None
    assert "diffusers==0.36.0" in wanted.requirements
    assert set(wanted.contemporaries) == set(BUILT_UPON["diffusers"])
    assert set(wanted.contemporaries.values()) == {("diffusers", "0.36.0")}
    assert wanted.named == "diffusers 0.36.0"


def test_a_package_that_is_pinned_itself_is_nobodys_contemporary() -> None:
    wanted = wanted_of(settings(diffusers="0.36.0", transformers="4.50.0"))
    assert wanted is not None
    assert "transformers" not in wanted.contemporaries
    assert wanted.contemporaries["tokenizers"] == ("transformers", "4.50.0"), "it is built for transformers"
    assert wanted.contemporaries["accelerate"] == ("diffusers", "0.36.0")


def test_a_version_of_transformers_leaves_diffusers_as_it_is() -> None:
    wanted = wanted_of(settings(transformers="4.57.0"))
    assert wanted is not None
    assert "diffusers" in wanted.requirements, "any version, of which the installed one is preferred"
    assert "diffusers" not in wanted.contemporaries


def test_torch_is_shared_unless_it_is_asked_for() -> None:
    shared, own = wanted_of(settings(diffusers="0.36.0")), wanted_of(settings(torch="2.9.1"))
    assert shared is not None
    assert own is not None
    assert (shared.has_own_torch, own.has_own_torch) == (False, True)


def test_another_installed_version_or_python_is_another_identity() -> None:
    wanted = wanted_of(settings(diffusers="0.36.0"))
    assert wanted is not None
    here = {"numpy": "2.0"}
    assert wanted.identity(here, "3.11") == wanted.identity(dict(here), "3.11")
    assert (
        len({wanted.identity(here, "3.11"), wanted.identity({"numpy": "2.1"}, "3.11"), wanted.identity(here, "3.12")})
        == 3
    )


def test_a_file_of_requirements_gives_way_to_a_version_that_is_a_setting(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("diffusers==0.35.0  # theirs\nTransformers >= 4.50\n\n# nothing\n")
    wanted = wanted_of(settings(diffusers="0.36.0", requirements=str(file)))
    assert wanted is not None
    assert wanted.lines == ("Transformers >= 4.50",)
    assert wanted.named == "diffusers 0.36.0, requirements.txt"
    assert "transformers" not in wanted.contemporaries


@pytest.mark.parametrize(
    "line",
    [
        "git+https://github.com/huggingface/diffusers", "diffusers @ https://example.org/d.whl", "-e .", "./package",
        "--extra-index-url https://example.org", "-r other.txt", "package.tar.gz @ file:///x", "a b",
    ],
)  # fmt: skip
def test_a_line_that_could_run_code_is_refused_by_its_text(line: str, tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(f"numpy\n{line}\n")
    with pytest.raises(EnvironmentUnavailable, match="names no package of an index") as caught:
        wanted_of(settings(requirements=str(file)))
    assert line in caught.value.message


def test_a_file_of_requirements_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentUnavailable, match=r"none\.txt of env\.requirements cannot be read"):
        wanted_of(settings(requirements=str(tmp_path / "none.txt")))
