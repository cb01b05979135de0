"""Text from elsewhere, made harmless, measured and shortened without cutting a character apart."""

from __future__ import annotations

import re
import unicodedata

ELLIPSIS = "…"

# Controls, noncharacters, lone surrogates, and what changes the direction of the text around it
# (Unicode Technical Report 36, "bidirectional text spoofing").
_REPLACED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"
    "\u202a-\u202e\u2066-\u206f\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
# Invisible: direction marks, zero-width spaces, byte order mark, and the tag characters in which
# text can be hidden. ZWJ and ZWNJ stay: emoji and several scripts need them.
_DROPPED = re.compile("[\u061c\u200b\u200e\u200f\u2060-\u2064\ufeff\U000e0000-\U000e007f]")
_NEW_LINE = re.compile("\r\n|[\r\x85\u2028\u2029]")
_SPACES = re.compile(r"\s*[\n\t]\s*")
_ENTITY = re.compile(r"&[a-z]{0,4}$")
_LOOK_BACK = 64


def clean(text: str) -> str:
    """``text`` without characters that hide, reorder or break it; line breaks become ``\\n``.

    Controls and bidi overrides become U+FFFD, so that an attempt stays visible.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _NEW_LINE.sub("\n", text)
    return _DROPPED.sub("", _REPLACED.sub("\ufffd", text))


def one_line(text: str) -> str:
    """``text`` with line breaks and tabs as single spaces."""
    return _SPACES.sub(" ", text) if "\n" in text or "\t" in text else text


def escape(text: str) -> str:
    """``text`` with ``&``, ``<`` and ``>`` as entities: all that Slack's mrkdwn lets one escape."""
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text


def width(text: str) -> int:
    """Length in UTF-16 code units: how Jira, Slack and AWS may count, never less than ``len``."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shorten(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` UTF-16 units, ending in an ellipsis where it was cut.

    Neither a character with its marks nor an ``&amp;`` is cut apart.
    """
    if width(text) <= limit:
        return text
    if limit < 1:
        return ""
    end = _end_within(text, limit - 1)
    return text[: _boundary(text, end)].rstrip() + ELLIPSIS


def _end_within(text: str, units: int) -> int:
    """The greatest index whose prefix has at most ``units`` UTF-16 units."""
    end = min(len(text), units)
    over = width(text[:end]) - units
    while over > 0:
        end -= (over + 1) // 2
        over = width(text[:end]) - units
    return end


def _boundary(text: str, end: int) -> int:
    """The last index up to ``end`` that is between two characters as people see them."""
    entity = _ENTITY.search(text[max(0, end - 5) : end])
    if entity:
        end -= len(entity[0])
    for index in range(end, max(0, end - _LOOK_BACK), -1):
        if not _joined(text, index):
            return index
    # More than 64 marks on one character are none that anyone reads.
    return end if end >= _LOOK_BACK else 0


def _joined(text: str, index: int) -> bool:
    """Whether the characters before and at ``index`` belong together (UAX 29, in the main)."""
    if index >= len(text):
        return False
    before, after = text[index - 1], text[index]
    if after.isascii():
        return False
    if before == "\u200d" or after == "\u200d" or unicodedata.category(after) in {"Mn", "Mc", "Me"}:
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff":  # skin tones
        return True
    return _is_flag(after) and _flags_before(text, index) % 2 == 1


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flags_before(text: str, index: int) -> int:
    count = 0
    while index - count > 0 and _is_flag(text[index - count - 1]):
        count += 1
    return count
