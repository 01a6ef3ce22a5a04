"""What a scenario may say of a program."""

from __future__ import annotations

from typing import Any

import pytest

from support.programs import scenario_text
from support.scenarios import mistakes_in

RUN = ["python", "generate.py", "{out}"]


@pytest.mark.parametrize(
    ("run", "given", "key", "expected"),
    [
        (["python", "generate.py"], {}, "run", "the file that the program writes its clip to"),
        ([], {}, "run", "a list"),
        (["{prompt}", "{out}"], {}, "run.0", "without a placeholder"),
        (["python", "--text={promt}", "{out}"], {}, "run.1", "one of {prompt}, {seed}, {out}"),
        (["python", "{file:image}", "{out}"], {}, "run.1", "an input of every prompt"),
        (RUN, {"suffix": ".txt"}, "suffix", "one of .mp4"),
        (RUN, {"deadline": 0}, "deadline", "above 0"),
        (RUN, {"env": {"A-B": "1"}}, "env.A-B", "the name of an environment variable"),
        (RUN, {"settings": {"cal": {"num_inference_steps": 1}}}, "settings.cal", "one of the tables of a baseline"),
        (RUN, {"shell": True}, "shell", "one of the keys run, folder, python"),
    ],
)
def test_mistakes_are_named(run: list[str], given: dict[str, Any], key: str, expected: str) -> None:
    (mistake,) = mistakes_in(scenario_text(run, **given))
    assert mistake.key == f"reference.command.{key}"
    assert expected in mistake.expected
    assert mistake.line > 0


def test_an_input_that_the_program_does_not_get_is_named() -> None:
    text = scenario_text(RUN, more='[prompts.p.inputs]\nimage = "a.png"')
    (mistake,) = mistakes_in(text)
    assert mistake.found == "an input that the program does not get"
    assert "reference.command.run" in mistake.expected
