"""Read amounts, numbers and percentages as documents print them, in any of the notations that are in use.

A notation that leaves two readings is decided by the document, or not at all: `1.234` is never guessed.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Final, Literal

from pipelines.extraction.countries import Separator, country_of
from pipelines.extraction.currencies import Sign, minor_units, signs_in

Kind = Literal["amount", "number", "percent"]

LENGTH_MAX: Final = 300  # characters; no value is longer, and strangers' texts must not cost time

# Not NFKC, which makes "12" of "1²" and "11⁄2" of "1½".
_MEANS: Final = str.maketrans(
    dict.fromkeys("’‘ʼ´`′ʹ＇٬", "'")
    | dict.fromkeys("−–—―‒‐‑﹣－", "-")
    | {"·": ".", "．": ".", "，": ",", "：": ":", "（": "(", "）": ")", "％": "%", "٪": "%", "＄": "$", "￥": "¥", "￡": "£"}
)
# Groups behind blanks have three digits each, so that "3 45.00" stays two numbers.
_NUMBER: Final = re.compile(r"\d{1,3}(?: \d{3})+(?:[.,٫]\d+)?(?![.,'٫]?\d)|\d+(?:[.,'٫]\d+)*|(?<![\w.,])[.,]\d+")
_WESTERN: Final = re.compile(r"\d{1,3}(?:\W\d{3})+")
_INDIAN: Final = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}")
_SCALES: Final = {
    "thousand": 3, "tausend": 3, "tsd": 3, "k": 3, "lakh": 5, "lakhs": 5, "lac": 5,
    "million": 6, "millions": 6, "millionen": 6, "millones": 6, "milioni": 6, "mio": 6, "mln": 6, "mn": 6, "m": 6,
    "crore": 7, "crores": 7, "billion": 9, "bn": 9, "milliarde": 9, "milliarden": 9, "milliard": 9, "milliards": 9, "mrd": 9,
    "billionen": 12, "billones": 12, "trillion": 12,
}  # fmt: skip
_WORD: Final = re.compile(r" ?([^\W\d_]+)")
_LETTER: Final = "[A-Za-z\u00c0-\u052f]"  # of scripts that leave blanks between words
_WORDS: Final = ("ALL", "CUP", "PEN", "TOP", "TRY")  # in capitals they need not be currencies

SEVERAL: Final = "There are several numbers in it: {}. Enter the one that is meant."
NONE: Final = "There is no number in it that can be read."


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A number as it was read. `number` keeps the digits that are printed behind the decimal separator; None: it was not read.

    `currency` is ISO 4217, and None where none is printed or where it was not decided. `decimal` is the decimal separator that
    it shows beyond doubt: evidence for the other numbers of the document. `ambiguous`: there are several readings, which
    `notes` name.
    """

    number: Decimal | None = None
    currency: str | None = None
    decimal: Separator | None = None
    ambiguous: bool = False
    notes: tuple[str, ...] = ()

    @property
    def plain(self) -> str | None:
        """Return the number without exponent and grouping, such as `1234.50`."""
        return None if self.number is None else format(self.number, "f")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """A text in plain characters, the numbers in it, and the currencies."""

    text: str
    numbers: tuple[re.Match[str], ...]
    signs: tuple[Sign, ...]


def read_amount(
    raw: str,
    *,
    kind: Kind = "amount",
    decimal: Separator | None = None,
    country: str | None = None,
    currency: str | None = None,
) -> Amount:
    """Read the one number in `raw`, which may have a label, a unit or a currency beside it.

    `decimal` is the document's decimal separator, `country` its issuer's (ISO 3166-1 alpha-2), `currency` the document's; each
    decides only what `raw` leaves open. Of several numbers, an amount is the only one beside a currency. A credit (`CR`) is
    negative and a debit (`DR`) is not, as on invoices.
    """
    if len(raw) > LENGTH_MAX:
        return Amount(notes=(f"It is longer than {LENGTH_MAX} characters, which no number is.",))
    found = _taken_apart(raw, country=country, currency=currency)
    chosen = _chosen(found, kind)
    if len({number[0] for number in chosen}) != 1:
        several = SEVERAL.format(" and ".join(number[0] for number in chosen[:4]))
        return Amount(ambiguous=bool(chosen), notes=(several if chosen else NONE,))
    number = chosen[0]
    sign = _currency_of(found, number)
    meant = sign.currency(country=country, document=currency) if sign else None
    of_document = currency if kind == "amount" and not found.signs else None
    amount = _interpreted(number[0], decimal=decimal, currency=meant or of_document)
    if amount.number is not None:
        amount = _signed(_scaled(amount, found, number, kind), found, number, rupees=country == "IN" or meant == "INR")
    if kind != "amount" or sign is None:
        return replace(amount, currency=of_document)
    notes = () if meant else (f"{sign.text} may be {_or(sign.stands_for)}: neither the document nor its country says which.",)
    return replace(amount, currency=meant, notes=amount.notes + notes)


def plain_characters(raw: str) -> str:
    """Return `raw` with ASCII digits, blanks, minus signs and apostrophes, and without characters that are not seen."""
    kept = []
    for char in raw:
        category = unicodedata.category(char)
        if category == "Nd":
            kept.append(str(unicodedata.decimal(char)))
        elif category in ("Zs", "Cc", "Zl", "Zp"):
            kept.append(" ")
        elif category != "Cf":
            kept.append(char)
    return re.sub(" {2,}", " ", "".join(kept).translate(_MEANS)).strip()


def _taken_apart(raw: str, *, country: str | None, currency: str | None) -> _Text:
    # The dash in "12.-" and "45,--" stands for no cents, as ":-" does in Sweden.
    text = re.sub(r"(?<=\d)([.,]) ?-{1,2}(?!\d)", r"\g<1>00", plain_characters(raw)).replace(":-", "")
    known = country_of(country)
    own = (currency, known.currency if known else None)
    signs = tuple(sign for sign in signs_in(text) if sign.text not in _WORDS or sign.text in own)
    ends = {sign.end for sign in signs}
    numbers = tuple(number for number in _NUMBER.finditer(text) if _stands_alone(text, number, ends))
    # A word of two letters, such as DH or Ft, is a currency beside a number alone.
    kept = (
        sign for sign in signs if len(sign.text) > 2 or not sign.text.isalpha() or any(_touch(text, sign, n) for n in numbers)
    )
    return _Text(text=text, numbers=numbers, signs=tuple(kept))


def _stands_alone(text: str, number: re.Match[str], ends: set[int]) -> bool:
    """Leave out the digits of "m2", "A4", "1.5e6", "2x3" and "1½"; keep those of "EUR45" and "x3"."""
    before, after = text[: number.start()], text[number.end() :]
    if re.match(rf"{_LETTER}[+-]?\d", after) or (after and unicodedata.category(after[0]) == "No"):
        return False
    return number.start() in ends or not re.search(rf"{_LETTER}$", before) or bool(re.search(r"\b[xX]$", before))


def _chosen(found: _Text, kind: Kind) -> Sequence[re.Match[str]]:
    """Return the numbers that may be meant: one, unless it is not clear which."""
    percentages = [number for number in found.numbers if _is_percentage(found.text, number)]
    if kind == "percent":
        return percentages or found.numbers
    others = [number for number in found.numbers if number not in percentages]
    if kind == "number":
        return others or percentages
    if any(not found.text[one.end() : other.start()].strip(" .,'") for one, other in pairwise(others)):
        return others  # pieces of one number, it may be, as in "12 34,50 €"
    return [number for number in others if len(others) > 1 and _beside(found, number)] or others


def _is_percentage(text: str, number: re.Match[str]) -> bool:
    behind = re.match(r" ?(?:%|percent|per cent|prozent|pour cent|v\.? ?h\.?(?!\w))", text[number.end() :], re.IGNORECASE)
    return bool(behind) or text[: number.start()].endswith("%")


def _touch(text: str, sign: Sign, number: re.Match[str]) -> bool:
    first, last = sorted(((sign.start, sign.end), number.span()))
    return not text[first[1] : last[0]].strip(" -+()[]:")


def _beside(found: _Text, number: re.Match[str]) -> Sign | None:
    """Return the currency that stands right before or behind a number, with nothing but a sign between."""
    return next((sign for sign in found.signs if _touch(found.text, sign, number)), None)


def _currency_of(found: _Text, number: re.Match[str]) -> Sign | None:
    """Return the currency beside the number, else the only one there is."""
    if beside := _beside(found, number):
        return beside
    return found.signs[0] if len({sign.stands_for for sign in found.signs}) == 1 else None


def _interpreted(digits: str, *, decimal: Separator | None, currency: str | None) -> Amount:
    """Tell the decimal separator from those that group."""
    if "٫" in digits:
        return _joined(digits.replace(",", "'"), "٫")
    separators = [char for char in digits if not char.isdigit()]
    points = [char for char in separators if char in ".,"]
    if not points:
        return _joined(digits, None)
    last = points[-1]
    whole, _, part = digits.rpartition(last)
    if len(separators) > 1:
        # 1.234,56 or 1'234.50: the last is the decimal separator when it stands there once and others group.
        return _joined(digits, last if points.count(last) == 1 else None, proves=True)
    if len(part) != 3 or len(whole) > 3 or whole.startswith("0") or not whole:
        return _joined(digits, last, proves=True)
    if minor_units(currency) == 0:
        return _joined(digits, None, proves=True)  # such as ¥1,234, which has no smaller unit
    if decimal is None:
        note = f"{digits} may be {whole}{part} or {whole}.{part}: no other number of the document shows which."
        return Amount(ambiguous=True, notes=(note,))
    return _joined(digits, last if last == decimal else None)


def _joined(digits: str, decimal: str | None, *, proves: bool = False) -> Amount:
    """Drop what groups, if it groups as numbers are grouped; else it is no number, but perhaps a date."""
    whole, _, part = digits.rpartition(decimal) if decimal else (digits, "", "0")
    grouping = {char for char in whole if not char.isdigit()}
    grouped = len(grouping) == 1 and (_WESTERN.fullmatch(whole) or _INDIAN.fullmatch(whole))
    if not part.isdigit() or (grouping and not grouped):
        return Amount(notes=(f"{digits} is not written like a number.",))
    plain = re.sub(r"\D", "", whole) or "0"
    number = Decimal(f"{plain}.{part}" if decimal else plain)
    return Amount(number=number, decimal=_proof(decimal, grouping) if proves else None)


def _proof(decimal: str | None, grouping: set[str]) -> Separator | None:
    """Return the decimal separator that follows from either."""
    if decimal == "." or (decimal is None and grouping == {","}):
        return "."
    return "," if decimal == "," or (decimal is None and grouping == {"."}) else None


def _scaled(amount: Amount, found: _Text, number: re.Match[str], kind: Kind) -> Amount:
    """Multiply by a word such as "million"; a bare "m" or "k" counts beside a currency alone, or it would be metres."""
    word = _WORD.match(found.text, number.end())
    power = _SCALES.get(word[1].lower()) if word else None
    if word is None or power is None or (len(word[1]) == 1 and not (kind == "amount" and found.signs)):
        return amount
    return replace(amount, number=Decimal(format(Decimal(f"{amount.plain}e{power}"), "f")))


def _signed(amount: Amount, found: _Text, number: re.Match[str], *, rupees: bool) -> Amount:
    """Make it negative where a minus, parentheses or `CR` say so."""
    start, end = number.span()
    before, left, right, after = found.text[:start], "", "", found.text[end:]
    if sign := _beside(found, number):
        if sign.end <= start:
            before, left = found.text[: sign.start], found.text[sign.end : start]
        else:
            right, after = found.text[end : sign.start], found.text[sign.end :]
    if re.match(r"\W{0,2}CR\b", after, re.IGNORECASE) or re.search(r"\bCR\W{0,2}$", before):
        if rupees:
            note = "Cr may be a credit, or a crore, which is ten million. Enter the amount that is meant."
            return Amount(ambiguous=True, notes=(note,))
        return _negative(amount, "CR is a credit: it counts as negative.")
    if re.search(r"\w- ?$|\w - $", before) and "-" not in left:
        note = "The dash before the number may be a minus or not. Enter the amount that is meant."
        return Amount(ambiguous=True, notes=(note,))
    minus = "-" in left or re.search(r"-[ (]*$", before) or "-" in right or re.match(r"-(?!\w)| -$", after)
    in_parentheses = re.search(r"\([ -]*$", before + left) and re.match(r"[ -]*\)", right + after)
    return _negative(amount) if minus or in_parentheses else amount


def _negative(amount: Amount, *notes: str) -> Amount:
    """Return it below zero; nothing stays nothing."""
    if not amount.number:
        return amount
    # Not a minus, which would round to the 28 digits of the context.
    return replace(amount, number=amount.number.copy_negate(), notes=amount.notes + notes)


def _or(codes: Sequence[str]) -> str:
    return f"{', '.join(codes[:3])} or another" if len(codes) > 4 else " or ".join((", ".join(codes[:-1]), codes[-1]))
