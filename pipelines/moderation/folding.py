"""Undo what disguises a text: look-alike letters of other scripts, invisible characters, piled-up marks, text turned around."""

import re
import unicodedata
from dataclasses import replace
from typing import Final

from pipelines.content import Part, TextPart

FOLDED: Final = "/folded"  # ends the id of the part that stands beside a disguised text
NOTE: Final = "the same text without what disguises it"

# --- Look-alikes -------------------------------------------------------------------------------------------------------------

# Letters of other scripts by the Latin letter that they can be taken for.
# Source: https://www.unicode.org/Public/security/15.1.0/confusables.txt, its Cyrillic, Greek, Armenian, Cherokee, Coptic and
# Lisu single letters. Small letters that look like a small capital (к, м, т …) are added.
_FOREIGN: Final = {
    "A": "ΑАᎪꓮ",
    "B": "ΒВᏴꓐ",
    "C": "ⲤСᏟꓚ",
    "D": "Ꭰꓓ",
    "E": "ΕЕᎬꓰ",
    "F": "Ϝꓝ",
    "G": "ԌᏀᏳꓖ",
    "H": "ΗⲎНᎻꓧ",
    "I": "ΙⲒІӀꓲ",
    "J": "ͿЈᎫꓙ",
    "K": "ΚⲔКᏦꓗ",
    "L": "ⳐᏞꓡ",
    "M": "ΜϺⲘМᎷꓟ",
    "N": "ΝⲚꓠ",
    "O": "ΟⲞОՕꓳ",
    "P": "ΡⲢРᏢꓑ",
    "R": "ᎡᏒꓣ",
    "S": "ЅՏᏕᏚꓢ",
    "T": "ΤⲦТᎢꓔ",
    "U": "Սꓴ",
    "V": "ѴᏙꓦ",
    "W": "ԜᎳᏔꓪ",
    "X": "ΧⲬХꓫ",
    "Y": "ΥⲨУҮᎩᎽꓬ",
    "Z": "ΖᏃꓜ",
    "a": "αа",
    "b": "βЬьвᏏ",
    "c": "ⲥсꮯς",
    "d": "ԁᏧꓒ",
    "e": "εеёҽ",
    "f": "ք",
    "g": "ց",
    "h": "һհнᏂ",
    "i": "ιіїꙇꭵᎥ",
    "j": "ϳј",
    "k": "κк",
    "l": "ӏ",
    "m": "м",
    "n": "ηոռ",
    "o": "οσⲟоօ",
    "p": "ρⲣр",
    "q": "ԛգզ",
    "r": "ᴦⲅгꮁ",
    "s": "ѕꮪ",
    "t": "τт",
    "u": "υս",
    "v": "νѵꮩ",
    "w": "ωѡԝաꮃ",
    "x": "χх",
    "y": "γуү",
    "z": "ꮓ",
}
_FOREIGN_LETTERS: Final = "".join(_FOREIGN.values())
_FROM_FOREIGN: Final = {ord(each): latin for latin, letters in _FOREIGN.items() for each in letters}

# Small capitals, and letters in filled circles and squares, which Unicode does not count as forms of the plain ones.
_SMALL_CAPITALS: Final = {
    ord(each): latin for each, latin in zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢɑɡ", "abcdefghijklmnoprstuvwyzag", strict=True)
}
_FILLED: Final = {first + at: chr(ord("A") + at) for first in (0x1F150, 0x1F170) for at in range(26)}
_EMOJI_LETTERS: Final = {0x1F1E6 + at: chr(ord("A") + at) for at in range(26)}
_STYLED: Final = {**_SMALL_CAPITALS, **_FILLED}
# Two of them are a flag; fewer or more are letters.
_EMOJI_WORD: Final = re.compile(
    "(?<![\U0001f1e6-\U0001f1ff])(?:[\U0001f1e6-\U0001f1ff]|[\U0001f1e6-\U0001f1ff]{3,})(?![\U0001f1e6-\U0001f1ff])"
)

# Plain letters and digits in another form: raised, lowered, circled, mathematical, full-width.
_FORMS: Final = (
    "ʰʲʳʷʸˡˢˣᴬ-ᵪₐ-ₜⓐ-ⓩⒶ-Ⓩ⒜-⒵ℂℊ-ℓℕℙ-ℝℤℨℬ-ℱℳℴ０-９Ａ-Ｚａ-ｚ\U0001d400-\U0001d7ff\U0001f110-\U0001f149\U0001f150-\U0001f189"
)
_DRESSED: Final = re.compile(f"[{_FORMS}{''.join(map(chr, _SMALL_CAPITALS))}]")

# --- What is not seen --------------------------------------------------------------------------------------------------------

_UNSEEN: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0100-\U000e01ef"
)
_VISIBLE: Final = "[!-~\u00c0-\u024f\u0370-\u052f]"  # of scripts that are written without joiners
_BETWEEN: Final = re.compile(f"(?<={_VISIBLE})[{_UNSEEN}]+(?={_VISIBLE})")
_TURNED: Final = re.compile("\u202e([^\u202c\u202e\n]*)\u202c?")
_FLAG: Final = re.compile("\U0001f3f4[\U000e0030-\U000e007a]{1,7}\U000e007f")  # England, Scotland, Wales …
_TAGS: Final = re.compile("[\U000e0000-\U000e007f]+")

# Marks that are put over letters. Ordinary writing has up to three on one; strokes through letters are never ordinary.
_MARKS: Final = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u06d6-\u06dc\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
)
_ANY_MARKS: Final = re.compile(f"[{_MARKS}]+")
_PILED: Final = re.compile(f"[{_MARKS}]{{4,}}")
_STRUCK: Final = re.compile("[\u0334-\u0338]|(?<![0-9#*\ufe0f])[\u20dd-\u20e4]")

_WORD: Final = re.compile(r"[^\W\d_]+")
_LATIN: Final = re.compile("[A-Za-z]")
_LOOK_ALIKE: Final = re.compile(f"[{_FOREIGN_LETTERS}]")
_NOT_MATCHED: Final = re.compile(f"[^A-Za-z{_FOREIGN_LETTERS}]")
_DISGUISE: Final = re.compile(
    "|".join(each.pattern for each in (_BETWEEN, _TURNED, _TAGS, _PILED, _STRUCK, _EMOJI_WORD, _DRESSED, _LOOK_ALIKE))
)


def with_folded(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return the parts, and beside each disguised text what it reads as. Marks piled upon letters are cut in both."""
    if all(not isinstance(part, TextPart) or part.text.isascii() for part in parts):
        return parts
    return tuple(each for part in parts for each in _both(part))


def _both(part: Part) -> tuple[Part, ...]:
    if not isinstance(part, TextPart) or (plain := folded(part.text)) is None:
        return (part,)
    note = f"{part.note}; {NOTE}" if part.note else NOTE
    beside = replace(part, id=part.id + FOLDED, text=plain, note=note)
    return (replace(part, text=_PILED.sub(lambda found: found[0][:3], part.text)), beside)


def folded(text: str) -> str | None:
    """Return what a disguised text reads as, or None where nothing is disguised.

    Typographic signs, flags, accents and ordinary writing in any script are no disguise. Letters of another script count only
    in words that are Latin as well, or that look wholly Latin in a text that otherwise is.
    """
    if text.isascii() or not _DISGUISE.search(text):
        return None
    seen = _STRUCK.sub("", _PILED.sub("", text))
    seen = _TURNED.sub(lambda found: found[1][::-1], seen)
    seen = _TAGS.sub(_decoded, _FLAG.sub("\U0001f3f4", seen))
    seen = _BETWEEN.sub("", seen)
    plain = _EMOJI_WORD.sub(lambda found: found[0].translate(_EMOJI_LETTERS), seen)
    if _DRESSED.search(plain):
        plain = unicodedata.normalize("NFKC", plain.translate(_STYLED))
    if _LOOK_ALIKE.search(plain):
        plain = _in_one_script(plain)
    if plain == _FLAG.sub("\U0001f3f4", text):
        return None
    plain = unicodedata.normalize("NFKC", plain)
    return _BETWEEN.sub("", plain)


def _decoded(found: re.Match[str]) -> str:
    """Return the ASCII that tag characters stand for, which nobody sees and a model reads."""
    return "".join(chr(ord(each) - 0xE0000) for each in found[0] if "\U000e0020" <= each <= "\U000e007e")


def _in_one_script(text: str) -> str:
    """Write in Latin letters what is there to be taken for them."""
    words = _WORD.findall(text)
    letters = sum(map(len, words))
    latin = sum(len(_LATIN.findall(word)) for word in words)
    mostly_latin = 2 * latin > letters

    def plain(found: re.Match[str]) -> str:
        word = found[0]
        if not _LOOK_ALIKE.search(word):
            return word
        bare = _ANY_MARKS.sub("", unicodedata.normalize("NFD", word))
        if _NOT_MATCHED.search(bare):
            return word
        mixed = bool(_LATIN.search(bare))
        return bare.translate(_FROM_FOREIGN) if mixed or (mostly_latin and len(bare) > 1) else word

    return _WORD.sub(plain, text)
