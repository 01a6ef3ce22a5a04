from __future__ import annotations

from typing import Any

from spacediff.explaining.residual import residual_suspects
from spacediff.record import ComparisonRecord, Role, RunRecord, SettingRecord, Verdict
from spacediff.settings import Origin

HERE = {"torch": "2.13.0+cpu", "diffusers": "0.35.0", "device": "cpu"}


def run(source: Any, hosted: dict[str, str] | None = None, seed: int | None = None, **settings: Any) -> RunRecord:
    return RunRecord(key="", name="r", role=Role.REFERENCE, prompt="p", source=source, measured=True, seed_echoed=seed,
                     hosted=hosted or {}, settings={path.replace("__", "."): SettingRecord(
                         value=value, origin=Origin.DEFAULT, where="somewhere") for path, value in settings.items()},
                     )  # fmt: skip


RIGHT = run("diffusers", rng__seed=42, model__commit="abc")


def test_each_suspect_comes_with_both_values_and_where_they_were_read() -> None:
    space = run("space", {"torch": "==2.4.0", "diffusers": "==0.35.0", "hardware": "zero-a10g"}, 7, space__id="o/n")
    found = residual_suspects(RIGHT, space, None, HERE)
    assert "torch: the host asks for ==2.4.0, here is 2.13.0+cpu (its requirements.txt; this process)" in found
    assert not any(text.startswith("diffusers") for text in found), "the same version is no suspect"
    assert "hardware: zero-a10g there (the Hub's page of the Space), cpu here (torch)" in found
    assert "model revision: nobody says which the host has loaded, abc here (somewhere)" in found
    assert "seed: 7 there (the Space's answer), 42 here (somewhere)" in found
    assert any(text.startswith("prompt rewriting") and "spacediff read o/n" in text for text in found)


def test_a_seed_that_was_followed_is_no_suspect() -> None:
    assert not any(text.startswith("seed") for text in residual_suspects(RIGHT, run("space", seed=42), None, HERE))


def test_what_nobody_says_is_said_so() -> None:
    found = residual_suspects(run("diffusers"), run("video"), None, HERE)
    assert "versions: nobody says which the host runs; here is torch 2.13.0+cpu, diffusers 0.35.0" in found
    assert any("not known here either" in text for text in found)
    assert "prompt: the file does not tell which text it was made from" in found


def test_what_was_made_here_has_nothing_outside() -> None:
    assert residual_suspects(RIGHT, run("diffusers"), None, HERE) == []


def test_post_processing_is_named_where_it_was_seen() -> None:
    seen = ComparisonRecord(prompt="p", reference="r", candidate="c", path="", verdict=Verdict.POST_PROCESSED,
                            evidence=["twice the frames"])  # fmt: skip
    assert "post-processing: twice the frames" in residual_suspects(RIGHT, run("space"), seen, HERE)
    other = seen.model_copy(update={"verdict": Verdict.SETTINGS_DIFFER})
    assert not any("post-processing" in text for text in residual_suspects(RIGHT, run("space"), other, HERE))
