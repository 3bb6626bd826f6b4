"""Pages stand alone and escape what they show."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from judgekit.report import Page


class Tags(HTMLParser):
    """Collects the tags of a page and checks that they close."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.opened: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.opened.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag


def page(tmp_path: Path) -> str:
    made = Page("Title <&>").heading("<script>alert(1)</script>").text("a < b").quote("line\n<img src=x onerror=y>")
    made.table(("name", "value"), [("<b>", 0.12345), ("x", None)]).intervals(
        [("all", 0.7, 0.6, 0.8), ('"quoted"', 0.5, None, None)], chance=0.5
    )
    return made.save(tmp_path / "page.html").read_text(encoding="utf-8")


def test_everything_is_escaped_and_closed(tmp_path: Path) -> None:
    tags = Tags()
    tags.feed(page(tmp_path))

    assert not {"script", "img", "b"} & set(tags.seen)
    assert tags.opened == []


def test_nothing_is_fetched(tmp_path: Path) -> None:
    text = page(tmp_path)

    assert "http" not in text
    assert "src=" not in text.replace("&lt;img src=x", "")


def test_numbers_and_gaps(tmp_path: Path) -> None:
    text = page(tmp_path)

    assert "0.123" in text
    assert "–" in text
    assert "0.700 [0.600, 0.800]" in text
