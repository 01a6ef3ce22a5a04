"""Code pasted into Markdown: which blocks are the script, and what is read of code with small defects."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from spacediff import BlockNotChosen, read_source
from spacediff.reading import Reading, read_pasted

SCRIPT = """
import torch
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16)
video = pipe(prompt="a lemon", num_inference_steps=30, guidance_scale=6.0).frames[0]
"""


def read(text: str, **options: object) -> Reading:
    return read_pasted(textwrap.dedent(text).encode(), "issue.md", **options)  # type: ignore[arg-type]


def steps_of(text: str) -> object:
    return read(text).settings.value("call.num_inference_steps")


def test_the_same_script_twice_is_one_script() -> None:
    assert read(fenced(SCRIPT) + fenced(SCRIPT)).called_at == "issue.md:8"


@pytest.mark.parametrize("end", ["save it somehow", "for i in range(3):"])
def test_prose_after_the_code_is_noted_and_decides_nothing(end: str) -> None:
    after, before = read(fenced(SCRIPT + end)), read(fenced(SCRIPT.replace("video =", "load it first\nvideo =")))
    assert after.undecided == ()
    assert any(note.kind == "not read" for note in after.notes)
    assert before.undecided


def fenced(code: str, opening: str = "```python", closing: str = "```") -> str:
    return f"### Reproduction\n\n{opening}\n{code}\n{closing}\n"


def test_an_issue_is_read_at_its_own_lines() -> None:
    reading = read(
        """
        ### Describe the bug

        <!-- Put your code here:
        ```python
        pipe(num_inference_steps=1)
        ```
        -->
        The Space is better than my machine.

        ### Reproduction

        ```python
        import torch
        from diffusers import CogVideoXPipeline

        pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16)
        pipe.enable_model_cpu_offload()
        ```

        and then

        ```py
        video = pipe(prompt="a lemon", num_inference_steps=50).frames[0]
        ```

        ### Logs

        ```shell
        Traceback (most recent call last):
          File "run.py", line 3, in <module>
        ```
        """
    )
    assert reading.called_at == "issue.md:24"
    assert reading.settings["model.dtype"].where == "issue.md:17"
    assert reading.settings.value("placement") == "model_cpu_offload"
    assert reading.settings.value("call.num_inference_steps") == 50


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("```python", "```"),
        ("```py", "```"),
        ("```Python3", "```"),
        ("```{.python}", "```"),
        ("```python title='run.py'", "```"),
        ("```", "```"),
        ("```text", "```"),
        ("~~~", "~~~"),
        ("~~~py", "~~~"),
        ("````python", "````"),
        ("<details>\n<summary>code</summary>\n\n```python", "```\n</details>"),
        ("<details><summary>code</summary>\n```python", "```\n</details>"),
        ("```python", ""),
    ],
)
def test_a_block_is_found_however_it_is_fenced(opening: str, closing: str) -> None:
    assert steps_of(fenced(SCRIPT, opening, closing)) == 30


@pytest.mark.parametrize("opening", ["```", "```python ", "``` py ", "~~~"])
def test_code_on_the_line_of_the_fence_is_read(opening: str) -> None:
    reading = read(f"It fails:\n\n{opening}{SCRIPT.strip()}\n{opening[:3]}\n")
    assert reading.settings.value("model.dtype") == "bfloat16"
    assert reading.called_at == "issue.md:6"


def test_an_indented_block_a_quoted_block_and_a_block_in_a_list_are_found() -> None:
    assert steps_of("Code:\n\n" + textwrap.indent(SCRIPT, "    ")) == 30
    assert steps_of(textwrap.indent(fenced(SCRIPT), "> ", lambda _: True)) == 30
    assert steps_of("- run this:\n\n" + textwrap.indent(fenced(SCRIPT), "  ")) == 30


SESSION = "\n".join(f">>> {line}" for line in SCRIPT.strip().split("\n")) + "\nLoading pipeline components: 100%\n"


TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 3, in <module>\nRuntimeError: out of memory\n'


@pytest.mark.parametrize(
    "code",
    [
        SESSION,
        SESSION.replace(">>> ", "In [1]: "),
        "!pip install -U diffusers\n%matplotlib inline\n" + SCRIPT,
        textwrap.indent(SCRIPT, "      "),
        SCRIPT.strip().split("\n")[0] + "\n" + textwrap.indent("\n".join(SCRIPT.strip().split("\n")[1:]), "    "),
        SCRIPT.replace('"a lemon"', "\u201ca lemon\u201d").replace("pipe = ", "pipe\u00a0= "),
        SCRIPT.replace("import torch\nfrom diffusers import CogVideoXPipeline\n", ""),
        SCRIPT.replace("import torch", "import torch\nsome words that are no code"),
        SCRIPT + "[rest of the code]\nprint video\n",
        SCRIPT + TRACEBACK,
        SCRIPT + "for frame in video:\n    this is: not code\n",
        SCRIPT + "$ python run.py\nLoading pipeline components...: 100%|####| 5/5 [00:01<00:00]\n",
        SCRIPT.replace("\n", "\r\n"),
    ],
    ids=["session", "notebook session", "magics", "indented", "first line not indented", "typographic", "no imports",
         "prose", "prose at the end", "traceback", "body that is no code", "output", "line ends"],
)  # fmt: skip
def test_small_defects_of_pasted_code_hide_nothing(code: str) -> None:
    reading = read(fenced(code))
    assert reading.settings.value("call.num_inference_steps") == 30
    assert reading.settings.value("model.id") == "THUDM/CogVideoX-5b"


@pytest.mark.parametrize(
    "code",
    [
        SCRIPT.replace("guidance_scale=6.0)", "...)"),
        SCRIPT.replace("guidance_scale=6.0)", "\n    ...\n)"),
        SCRIPT.replace("guidance_scale=6.0)", "\u2026)"),
        SCRIPT.split(" guidance_scale", maxsplit=1)[0],
        SCRIPT.split("=6.0", maxsplit=1)[0],
    ],
)
def test_a_placeholder_or_a_missing_end_leaves_the_call_undecided(code: str) -> None:
    reading = read(fenced(code))
    assert reading.settings.value("call.num_inference_steps") == 30
    assert reading.undecided


def test_code_without_a_fence_is_read_from_its_first_import() -> None:
    assert steps_of(SCRIPT.strip()) == 30
    reading = read("### Describe the bug\n\nIt is worse than the Space.\n" + SCRIPT)
    assert reading.called_at == "issue.md:8"
    assert not read("from time to time import it\nand it is worse, I think; that is all I know about\n").called_at


def test_lines_that_are_not_python_are_named() -> None:
    reading = read(fenced(SCRIPT.replace("import torch", "import torch\nsome words that are no code")))
    [note] = [note for note in reading.notes if note.kind == "not read"]
    assert note.where == "issue.md:6"
    assert note.text in reading.undecided
    assert not read(fenced(SCRIPT + TRACEBACK)).undecided
    assert not [note for note in read(fenced(SCRIPT)).notes if note.kind == "not read"]


NO_CODE = [
    '```python\nTraceback (most recent call last):\n  File "run.py", line 3, in <module>\nValueError: no\n```',
    "```diff\n- pipe(num_inference_steps=3)\n+ pipe(num_inference_steps=4)\n```",
    '```json\n{"num_inference_steps": 3}\n```',
    "```bash\npip install diffusers\npython run.py --steps 3\n```",
    "```\ndiffusers==0.31.0\ntorch==2.5.1\n```",
    "```\nLoading pipeline components...: 100%|####| 5/5 [00:01<00:00]\n```",
]


@pytest.mark.parametrize("block", NO_CODE)
def test_what_is_no_code_is_not_read_and_hides_no_script(block: str) -> None:
    assert steps_of(f"{block}\n\n{fenced(SCRIPT)}\n{block}\n") == 30
    reading = read(block)
    assert not reading.called_at
    assert "no code block of issue.md calls a diffusers pipeline" in reading.notes[0].text


def test_several_scripts_are_listed_and_one_is_chosen() -> None:
    text = fenced(SCRIPT) + "\nand this is fine:\n\n```\nprint(1)\n```\n" + fenced(SCRIPT.replace("=30", "=50"))
    with pytest.raises(BlockNotChosen, match=r"block 1 \(CogVideoXPipeline, issue.md:8\), block 3") as raised:
        read(text)
    assert raised.value.hint == "choose a block"
    assert read(text, block=1).settings.value("call.num_inference_steps") == 30
    assert read(text, block=3).settings.value("call.num_inference_steps") == 50
    line = read(text, block=3).called_at.rpartition(":")[2]
    assert read(text, call=line).settings.value("call.num_inference_steps") == 50
    with pytest.raises(BlockNotChosen, match=r"block 9 of issue\.md has no Python"):
        read(text, block=9)


def test_a_script_that_calls_no_pipeline_is_not_a_candidate() -> None:
    other = "from diffusers import CogVideoXPipeline\nprint(CogVideoXPipeline)\n"
    assert steps_of(fenced(other) + fenced(SCRIPT)) == 30


def test_code_of_a_file_is_never_run_and_files_beside_it_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text("raise SystemExit\nSTEPS = 3\n")
    code = "open('made', 'w')\nfrom settings import STEPS\n" + SCRIPT.replace("=30", "=STEPS")
    (tmp_path / "issue.md").write_text(fenced(code))
    reading = read_source(tmp_path / "issue.md")
    assert reading.settings.value("call.num_inference_steps") != 3
    assert not Path("made").exists()
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "text", ["", "no code", "```", "```python\n```", "> " * 500 + "```", "\0```python\n\0\n```", "`" * 5000]
)
def test_a_file_without_code_gives_a_reason(text: str) -> None:
    reading = read_pasted(text.encode(), "issue.md")
    assert reading.notes[0].kind == "not read"
