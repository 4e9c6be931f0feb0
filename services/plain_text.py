"""The text of what others wrote in HTML: no markup leaves this module, so that none reaches a reader's browser."""

from __future__ import annotations

import re
from html.parser import HTMLParser

# Elements whose content is code, not text.
_CODE = frozenset({"script", "style", "template", "iframe", "noscript", "object"})
# Elements after which a reader expects a new line.
_BLOCKS = frozenset({"p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6"})
_SPACES = re.compile(r"[^\S\n]+")
_EMPTY_LINES = re.compile(r"\n{3,}")
# Control characters, but for the end of a line and the tabulator.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# What is left that a browser would read as a tag again: `&lt;b&gt;` stands for one once it is decoded.
_TAG = re.compile(r"</?[a-zA-Z!?][^<>]*>")
_OPEN = re.compile(r"<(?=[a-zA-Z/!?])")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._code_depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _CODE:
            self._code_depth += 1
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _CODE:
            self._code_depth = max(self._code_depth - 1, 0)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._code_depth:
            self.parts.append(data)


def plain_text(markup: str | None) -> str | None:
    """Return the text of a piece of HTML, or of text without any; None for nothing. Markdown stays as it is written."""
    if not markup:
        return None
    parser = _Text()
    parser.feed(markup)
    parser.close()
    text = _OPEN.sub("< ", _TAG.sub("", _CONTROLS.sub("", "".join(parser.parts))))
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip() or None
