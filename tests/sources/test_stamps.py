"""The fingerprints of local files that make a run another one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spacediff.hub.commits import commit_of, kept_commit
from spacediff.record import Role
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.sources.local.stamps import stamp, stamp_of
from spacediff.tiny.checkpoint import RANDOM
from spacediff.worker.identity import key_of
from support.hub_stand_in import HubStandIn, Model, hub_stand_in


def settings(**tables: Any) -> Settings:
    return Settings.of({"model": {"id": "org/name"}, **tables}, Origin.DECLARED)


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    """Forget what the Hub answered, for this test and for those after it."""
    commit_of.cache_clear()
    yield
    commit_of.cache_clear()


def test_changed_files_change_the_fingerprint_of_a_folder(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    stamps = []
    for content in (b"a", b"bb", b"ccc"):
        weights.write_bytes(content)
        stamps.append(stamp(str(tmp_path)))
    assert all(one != other for one, other in itertools.pairwise(stamps))


@pytest.mark.parametrize("name", ["org/name", "", "/no/such/folder", "x" * 5000])
def test_what_is_not_here_has_no_fingerprint(name: str) -> None:
    assert stamp(name) == ""


@pytest.mark.parametrize(
    "table",
    [
        {"components": {"vae": {"id": "{}"}}},
        {"components": {"transformer": {"file": "{}/w.gguf"}}},
        {"lora": {"lightning": {"id": "{}"}}},
        {"lora": {"lightning": {"id": "{}/w.gguf"}}},
        {"ip_adapter": {"id": "{}", "weight_name": ["w.gguf"]}},
        {"load": {"custom_pipeline": "{}"}},
    ],
)
def test_whatever_table_names_a_local_file_its_change_makes_another_run(table: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "w.gguf"
    file.write_bytes(b"a")
    asked = settings(**_filled(table, tmp_path.as_posix()))
    before = _key(asked)
    assert _key(asked) == before
    file.write_bytes(b"bb")
    assert _key(asked) != before


def test_the_files_of_a_feeding_run_are_part_of_the_identity(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    file.write_bytes(b"a")
    run = replace(_run(settings()), fed_by=settings(lora={"a": {"id": str(file)}}))
    before = key_of(run, {})
    file.write_bytes(b"bb")
    assert key_of(run, {}) != before


@pytest.mark.parametrize(
    ("table", "package"),
    [
        ({"lora": {"a": {"id": "org/a"}}}, "peft"),
        ({"components": {"transformer": {"file": "w.gguf", "id": "org/a"}}}, "gguf"),
        ({"components": {"transformer": {"quantization": {"backend": "torchao"}}}}, "torchao"),
        ({"numerics": {"attention": "diffusers:flash"}}, "flash-attn"),
    ],
)
def test_the_version_of_a_package_counts_for_the_runs_that_use_it(table: dict[str, Any], package: str) -> None:
    using, other = _run(settings(**table)), _run(settings())
    assert key_of(using, {package: "1"}) != key_of(using, {package: "2"})
    assert key_of(other, {package: "1"}) == key_of(other, {package: "2"}) == key_of(other, {})


def test_packages_that_clean_prompts_count_except_for_our_own_checkpoints() -> None:
    ours = _run(settings(model={"id": RANDOM.id}))
    assert key_of(ours, {"ftfy": "1"}) == key_of(ours, {})
    assert key_of(_run(settings()), {"ftfy": "1"}) != key_of(_run(settings()), {})


@pytest.fixture(scope="module")
def hub() -> Iterator[HubStandIn]:
    with hub_stand_in({}) as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", running.url)
        yield running


@pytest.mark.parametrize(
    "table",
    [
        {"model": {"id": "org/moves"}},
        {"model": {"id": "org/moves", "revision": "main"}},
        {"components": {"vae": {"id": "org/moves"}}},
        {"lora": {"lightning": {"id": "org/moves"}}},
        {"textual_inversion": {"cat": {"id": "org/moves"}}},
        {"ip_adapter": {"id": "org/moves"}},
    ],
)
def test_a_repository_that_moved_on_makes_another_run(table: dict[str, Any], hub: HubStandIn) -> None:
    hub.models["org/moves"] = Model()
    commit_of.cache_clear()
    asked = settings(**table)
    before = _key(asked)
    hub.models["org/moves"].sha = "3f" * 20
    assert _key(asked) == before, "the Hub is asked once in an audit"
    commit_of.cache_clear()
    assert _key(asked) != before


def test_a_named_commit_is_not_asked_for() -> None:
    assert commit_of("org/name", "ab" * 20) == kept_commit("org/name", "ab" * 20) == "ab" * 20


def test_without_the_hub_the_commit_is_that_of_the_kept_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    commit_of.cache_clear()
    assert commit_of("org/name") == ""
    (tmp_path / "models--org--name" / "refs").mkdir(parents=True)
    (tmp_path / "models--org--name" / "refs" / "main").write_text("cd" * 20)
    commit_of.cache_clear()
    assert commit_of("org/name") == "cd" * 20


def test_a_checkpoint_alone_keeps_the_fingerprint_that_earlier_audits_have(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text("{}")
    assert stamp_of(settings(model={"id": str(tmp_path)})) == stamp(str(tmp_path)) != ""
    assert stamp_of(settings(model={"id": RANDOM.id}, call={"image": "/a/b"})) == RANDOM.stamp


def _filled(value: Any, folder: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, folder) for key, inner in value.items()}
    return value.replace("{}", folder) if isinstance(value, str) else value


def _run(asked: Settings) -> Run:
    return Run("baseline", Role.BASELINE, Prompt("p", "text", 1), "diffusers", asked)


def _key(asked: Settings) -> str:
    return key_of(_run(asked), {})
