"""The text of what others wrote in HTML: no markup leaves this module, so that none reaches a reader's browser.

Expressions rather than the standard library's parser: that one raises on some broken markup, and takes seconds for a
few thousand unfinished tags. Each of these reads a text once.
"""

from __future__ import annotations

import re
from html import unescape

# Content that is code, not text; left open, it goes on to the end.
_CODE = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|template|iframe|noscript|object)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE
)
# Elements at which a reader expects a new line.
_BLOCK = re.compile(r"</?(?:p|div|br|li|ul|ol|tr|table|h[1-6])\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z!?][^<>]*>")
# What a browser could still take for the beginning of one.
_OPENING = re.compile(r"<(?=[a-zA-Z/!?])")
# Control characters, but for the end of a line and the tabulator.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SPACES = re.compile(r"[^\S\n]+")
_EMPTY_LINES = re.compile(r"\n{3,}")


def plain_text(markup: str | None) -> str | None:
    """Return the text of a piece of HTML, or of text without any; None for nothing. Markdown stays as it is written."""
    if not markup:
        return None
    text = _TAG.sub("", _BLOCK.sub("\n", _CODE.sub("", markup)))
    # Once decoded, `&lt;b&gt;` is a tag as well.
    text = _OPENING.sub("< ", _TAG.sub("", _CONTROLS.sub("", unescape(text))))
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip() or None
