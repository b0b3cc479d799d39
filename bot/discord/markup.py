"""Text as Discord shows it: what members and models wrote is escaped here, exactly once, and cut to what fits."""

import re
from typing import Final

from bot.words import MORE_MAX, NAME_MAX, left_out, plain

# A backslash before any of these shows the letter itself, wherever it stands.
MARKUP: Final = re.compile(r"[\\`*_~|<>\[\]()#@:+\-]|(?<=\d)\.(?=\s)")
FENCE: Final = re.compile("`(?=``)")  # what would end a block of lines


def escape(text: str, limit: int) -> str:
    """Return a text without markup, mentions and turned letters, in at most `limit` characters of what Discord counts."""
    text = plain(text)
    if len(text) <= limit and length(whole := MARKUP.sub(r"\\\g<0>", text)) <= limit:
        return whole
    kept, used = 0, 0
    for letter in text:
        used += length(letter) + (1 if MARKUP.match(letter) else 0)
        if used > limit - MORE_MAX:
            break
        kept += 1
    return MARKUP.sub(r"\\\g<0>", text[:kept].rstrip()) + left_out(len(text) - kept)


def one_line(text: str, limit: int = NAME_MAX) -> str:
    """Return a name or a reason, which must not begin a line of its own."""
    return escape(" ".join(text.split()), limit)


def verbatim(text: str) -> str:
    """Return lines that keep their columns, as a block that nothing in them can end."""
    return f"```\n{FENCE.sub('`' + chr(0x200B), text)}\n```"


def length(text: str) -> int:
    """Return how long Discord may find a text: whether it counts what lies beyond 16 bits once or twice is not documented."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
