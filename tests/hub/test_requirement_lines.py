"""The lines of a file of requirements: what names a package of an index, and why everything else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacediff.hub.requirement_lines import LONGEST, MOST_LINES, Refusal, name_of, requirement_lines


def test_lines_are_split_into_packages_and_the_rest() -> None:
    text = "torch==2.9.1 \\\n  --hash=sha256:00\nftfy ; python_version > '3.8'\npeft[extra]>=0.1,<1\ngit+https://x/y\n"
    found = requirement_lines(text)
    assert found.taken == ("torch==2.9.1", "ftfy ; python_version > '3.8'", "peft[extra]>=0.1,<1")
    assert [each.line for each in found.refused] == ["git+https://x/y"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("--extra-index-url https://evil.example/simple", Refusal.INDEX),
        ("--index-url=https://evil.example/simple", Refusal.INDEX),
        ("-i https://evil.example/simple", Refusal.INDEX),
        ("-f https://evil.example/wheels", Refusal.INDEX),
        ("-fwheels", Refusal.INDEX),
        ("--find-links ./wheels", Refusal.INDEX),
        ("-r other.txt", Refusal.INCLUDE),
        ("-rother.txt", Refusal.INCLUDE),
        ("--constraint c.txt", Refusal.INCLUDE),
        ("-e .", Refusal.EDITABLE),
        ("--editable=git+https://github.com/x/y", Refusal.EDITABLE),
        ("--pre", Refusal.OPTION),
        ("--no-binary :all:", Refusal.OPTION),
        ("numpy --global-option=build", Refusal.OPTION),
        ("numpy==1.0 --config-settings=x=y", Refusal.OPTION),
        ("git+https://github.com/huggingface/diffusers", Refusal.VERSION_CONTROL),
        ("diffusers @ git+ssh://git@github.com/huggingface/diffusers@main", Refusal.VERSION_CONTROL),
        ("HG+https://x/y", Refusal.VERSION_CONTROL),
        ("https://evil.example/numpy-9-py3-none-any.whl", Refusal.ADDRESS),
        ("numpy @ https://evil.example/numpy-9-py3-none-any.whl", Refusal.ADDRESS),
        ("numpy @file:/etc/x", Refusal.ADDRESS),
        ("file:./x", Refusal.ADDRESS),
        ("./package", Refusal.PATH),
        ("../x", Refusal.PATH),
        ("/etc/x", Refusal.PATH),
        ("folder\\package", Refusal.PATH),
        ("numpy-1.0-py3-none-any.whl", Refusal.PATH),
        ("package.tar.gz", Refusal.PATH),
        ("numpy==${VERSION}", Refusal.VARIABLE),
        ("${PACKAGE}", Refusal.VARIABLE),
        ("a b", Refusal.UNREADABLE),
        ('torch==2.4; os_name ~= "posix"', Refusal.UNREADABLE),
        ('torch==2.4; sys_platform === "linux"', Refusal.UNREADABLE),
        ("nump\N{CYRILLIC SMALL LETTER U}==1", Refusal.UNREADABLE),
        ("numpy==1\x1b[31m", Refusal.UNREADABLE),
        ("numpy=1.0", Refusal.UNREADABLE),
        ("x" * (LONGEST + 1), Refusal.TOO_LONG),
    ],
)
def test_a_line_that_could_run_code_or_ask_others_is_refused_with_its_reason(line: str, reason: Refusal) -> None:
    found = requirement_lines(f"tqdm\n{line}\n")
    assert found.taken == ("tqdm",)
    (refused,) = found.refused
    assert refused.reason is reason
    assert refused.line.isprintable()
    assert len(refused.line) < LONGEST


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("git+https://github.com/huggingface/diffusers.git@main", "diffusers"),
        ("git+https://github.com/huggingface/diffusers.git", "diffusers"),
        ("git+https://github.com/x/y#egg=Diffusers", "diffusers"),
        ("diffusers @ git+https://github.com/x/y", "diffusers"),
        ("Diffusers[torch] @ https://example.org/d.whl", "diffusers"),
        ("-e .", ""),
    ],
)
def test_the_package_that_a_refused_line_means_is_known_where_the_line_says_it(line: str, name: str) -> None:
    assert requirement_lines(line).refused[0].name == name


def test_more_lines_than_any_space_has_are_counted_and_not_read() -> None:
    found = requirement_lines("tqdm\n" * (MOST_LINES + 7))
    assert len(found.taken) == MOST_LINES
    assert [(each.line, each.reason) for each in found.refused] == [("7 more lines", Refusal.TOO_MANY)]


@pytest.mark.timeout(20)
def test_long_spaces_are_read_at_once() -> None:
    line = f"a{' ' * 390}x"
    assert len(requirement_lines(f"{line}\n" * MOST_LINES).refused) == MOST_LINES


def test_comments_and_empty_lines_are_nothing() -> None:
    assert requirement_lines("# torch==1\n\n   \ntqdm # bars\r\n").taken == ("tqdm",)


@given(st.text(max_size=200))
def test_whatever_is_taken_is_a_name_with_versions_and_a_marker(text: str) -> None:
    for line in requirement_lines(text).taken:
        assert line.isascii()
        assert line.isprintable()
        assert not line.startswith("-")
        assert "://" not in line
        assert name_of(line).replace("-", "").isalnum()
