"""The folder that the site is built of: the pages of docs/ and of the root, and those that are drawn from code.

The pages are those that a repository's host shows. Their links are kept, but for those that leave docs/: a page of the
root is copied beside the others, any other file goes into `files/` and is offered for download.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_LINK = re.compile(r"(\]\()([^)\s]+)(\))")
_NAMED = re.compile(r"^(- )\[[\w.-]+\.md\]\(", re.MULTILINE)
"""A link that is named after its file; Sphinx puts in the title of the page."""
_FENCE = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
_FILES = "files"


@dataclass(frozen=True)
class GeneratedPage:
    """A page that is drawn from code while the site is built, and is in no repository.

    Attributes:
        name: Its file, such as `keys.md`.
        about: What it holds, for the index.
        text: The page as Markdown.
        section: The heading of docs/index.md under which it is listed.
    """

    name: str
    about: str
    text: str
    section: str = "Reference"


def assemble(folder: Path, generated: Iterable[GeneratedPage]) -> None:
    """Write all pages, with their pictures and the files they link to, into an empty folder.

    Raises:
        ValueError: A link leads to no file of the repository, or a generated page names no section of the index.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pages = list(generated)
    for page in [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))]:
        text = _relinked(page, folder)
        if page.name == "index.md":
            text = with_navigation(text, pages)
        (folder / page.name).write_text(text, "utf-8")
    for each in pages:
        (folder / each.name).write_text(each.text, "utf-8")


def with_navigation(index: str, generated: Iterable[GeneratedPage]) -> str:
    """Add to each section of the index the pages drawn from code and the navigation that its links describe."""
    pages = list(generated)
    beginning, *sections = re.split(r"^(?=## )", index, flags=re.MULTILINE)
    captions = [section.partition("\n")[0].removeprefix("## ") for section in sections]
    if missing := {page.section for page in pages} - set(captions):
        raise ValueError(f"docs/index.md has no section {', '.join(sorted(missing))}")
    texts = [beginning]
    for caption, section in zip(captions, sections, strict=True):
        drawn = [page for page in pages if page.section == caption]
        text = section.rstrip() + "".join(f"\n- [{each.name}]({each.name}): {each.about}" for each in drawn)
        text = _NAMED.sub(r"\1[](", text)
        listed = dict.fromkeys(re.findall(r"^- \[.*?\]\(([^)#]+\.md)\)", text, re.MULTILINE))
        names = "\n".join(name.removesuffix(".md") for name in listed)
        texts.append(f"{text}\n\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{names}\n```\n\n")
    return "".join(texts)


def _relinked(page: Path, folder: Path) -> str:
    """Return the text of a page with links that lead to the same place from the folder, where their files are put."""
    texts = _FENCE.split(page.read_text("utf-8"))
    return "".join(text if text.startswith("```") else "".join(_moved(text, page, folder)) for text in texts)


def _moved(text: str, page: Path, folder: Path) -> Iterator[str]:
    end = 0
    for found in _LINK.finditer(text):
        yield text[end : found.start(2)]
        yield _target(found[2], page, folder)
        end = found.end(2)
    yield text[end:]


def _target(link: str, page: Path, folder: Path) -> str:
    """Return where a link leads in the folder; copies the file unless it is a page."""
    path, mark, anchor = link.partition("#")
    if not path or re.match(r"[a-z]+:", path):
        return link
    file = (page.parent / path).resolve()
    if not file.is_file() or not file.is_relative_to(ROOT):
        raise ValueError(f"{page.relative_to(ROOT)} links to {path}, which is no file of the repository")
    inside = file.relative_to(ROOT)
    if file.suffix == ".md" and inside.parent in {Path(), Path("docs")}:
        return f"{file.name}{mark}{anchor}"
    target = Path(file.name) if file.suffix == ".png" else Path(_FILES) / inside
    (folder / target).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, folder / target)
    return target.as_posix()
