"""Which texts are ids of the Hub."""

from __future__ import annotations

import pytest

from spacediff.hub.ids import is_repository_id


@pytest.mark.parametrize("text", ["org/name", "zai-org/CogVideoX-5B-Space", "a/b", "A_b/c.d", f"o/{'n' * 96}"])
def test_org_and_name_is_an_id(text: str) -> None:
    assert is_repository_id(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "/",
        "org/",
        "/name",
        "a/b/c",
        "../name",
        "./name",
        "org/..",
        "org/.hidden",
        "org/na me",
        "org/name\n",
        "org/name.git",
        "org/a--b",
        "орг/name",
        f"o/{'n' * 97}",
        "https://huggingface.co/spaces/org/name",
        "builtin:tiny-space",
    ],
)
def test_other_texts_are_not_ids(text: str) -> None:
    assert not is_repository_id(text)
