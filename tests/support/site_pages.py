"""The pages of a built site as a reader without a network sees them: links that lead nowhere, and what they fetch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from support.html_page import Page

FETCHED = {"script": "src", "img": "src", "source": "src", "video": "src", "iframe": "src", "link": "href"}


def pages_of(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}


def dead_links(site: Path, pages: dict[Path, Page]) -> Iterator[str]:
    """Yield the links to files or headings of the site that are not there."""
    names = {
        path: {each for _, tag in page.tags for each in (tag.get("id"), tag.get("name"))}
        for path, page in pages.items()
    }
    for path, page in pages.items():
        for attributes in page.named("a"):
            link = attributes.get("href")
            parts = urlsplit(link or "")
            if not link or parts.scheme or parts.netloc or _is_state(path, site, link):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.is_file() or (anchor and target in names and anchor not in names[target]):
                yield f"{path.relative_to(site)}: {link}"


def _is_state(path: Path, site: Path, link: str) -> bool:
    """Whether a link of the report holds what its player shows, which is no heading."""
    return path.parent == site / "sample" and "=" in link


def fetched(pages: dict[Path, Page]) -> Iterator[str]:
    """Yield the addresses that opening a page would ask another server for."""
    for path, page in pages.items():
        for tag, name in FETCHED.items():
            for attributes in page.named(tag):
                address = attributes.get(name) or ""
                if re.match(r"(?:https?:)?//", address) and attributes.get("rel") != "canonical":
                    yield f"{path.name}: {tag} {address}"
        for style in page.raw["style"]:
            yield from (f"{path.name}: style {each}" for each in asked_by_style(style))


def asked_by_style(style: str) -> list[str]:
    return re.findall(r"""(?:url\(\s*|@import\s+)['"]?((?:https?:)?//[^'")\s]+)""", style)
