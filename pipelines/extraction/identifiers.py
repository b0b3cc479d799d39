"""Bring identifiers into one notation: account and tax numbers, phones, addresses, countries, currencies, ticks.

Each function returns what was read, None where nothing was, and a sentence where there is something to say. A number whose
check digits do not hold stays what it is, with a warning: documents do print such numbers.
"""

import re
from typing import Final

from stdnum import bic as stdnum_bic
from stdnum import iban as stdnum_iban
from stdnum.ch import uid
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError
from stdnum.in_ import gstin
from stdnum.no import orgnr
from stdnum.util import get_cc_module

from pipelines.extraction.amounts import plain_characters
from pipelines.extraction.countries import Country, country_named, country_of
from pipelines.extraction.currencies import CURRENCIES, signs_in

Read = tuple[str | None, str]

CHECK_DIGITS: Final = "Its check digits do not hold: compare it with the document."
HIDDEN: Final = "Part of it is hidden, so that it cannot be read."
SEVERAL: Final = "There are several in it. Enter the one that is meant."
NO_PHONE: Final = "It is not one phone number."
NO_CODE: Final = "It has no country code, and none follows from the document."

CROSS: Final = "A cross may mean that it is ticked, or that it is not."

# As long as the longest, and as short as that of Norway.
_IBAN: Final = re.compile(r"(?<![A-Z0-9])[A-Z]{2}\d{2}(?:[ .-]?[A-Z0-9]){11,30}(?![A-Z0-9])")
_BIC: Final = re.compile(r"(?<![A-Z0-9])[A-Z]{4} ?[A-Z]{2} ?[A-Z0-9]{2}(?: ?[A-Z0-9]{3})?(?![A-Z0-9])")
_EMAIL: Final = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,63}")
_HIDDEN: Final = re.compile(r"[*•●#]{2,}|X{4,}|…")

_VAT_PREFIXES: Final = "AT ATU BE BG CY CZ DE DK EE EL ES FI FR GB GR HR HU IE IT LT LU LV MT NL NO PL PT RO SE SI SK XI CHE"
_PREFIXED: Final = re.compile(rf"({'|'.join(reversed(_VAT_PREFIXES.split()))})[.-]?(?:[A-Z]{{0,3}}\d[A-Z0-9.+*/-]*)?")
# What stands behind Swiss and Norwegian numbers.
_VAT_SUFFIXES: Final = ("MWST", "TVA", "IVA", "TPV", "MVA")
_VAT_FORM: Final = re.compile(r"[A-Z0-9+*]{5,20}")

_EXTENSION: Final = re.compile(r"(?<![^\W\d_])(?:ext|extension|durchwahl|dw|poste|x)[ .:]{0,3}(\d{1,6})$", re.IGNORECASE)
_PHONE: Final = re.compile(r"[+(]?[+\d][\d +()./-]*")
_PHONE_DIGITS: Final = range(5, 16)  # at most 15, ITU-T E.164; some service numbers have five

# In English, German, French, Spanish, Portuguese, Italian, Dutch.
_YES: Final = "|yes|y|true|x|1|on|ja|j|oui|o|si|sí|s|sim|sì|wahr|vrai|verdadero|vero|waar|checked|ticked|selected|"
_NO: Final = "|no|n|false|0|off|nein|nee|non|não|nao|falsch|faux|falso|onwaar|unchecked|unticked|none|"
_TICKED: Final = "✓✔☑☒✅⊠■"
_EMPTY: Final = "☐□◻▢○⬜"
_CROSSES: Final = "✗✘❌✖×"


def iban(raw: str) -> Read:
    """Read an account number, without blanks."""
    text = plain_characters(raw).upper()
    if _HIDDEN.search(text):
        return None, HIDDEN
    found = {_without_what_follows(match[0].split()) for match in _IBAN.finditer(text)}
    if len(found) != 1:
        return None, SEVERAL if found else "It is not an IBAN."
    number = found.pop()
    return number, "" if stdnum_iban.is_valid(number) else CHECK_DIGITS


def _without_what_follows(groups: list[str]) -> str:
    """Join the groups of an account number, without the words behind it, such as the bank's name or code."""
    numbers = [stdnum_iban.compact("".join(groups[:end])) for end in range(len(groups), 0, -1)]
    digits = [number for number, group in zip(numbers, reversed(groups), strict=True) if _has_digit(group)]
    return next(filter(stdnum_iban.is_valid, numbers), digits[0])


def bic(raw: str) -> Read:
    """Read a bank's code, without blanks; it is in capitals, unlike the names of banks."""
    text = plain_characters(raw)
    found = {stdnum_bic.compact(match[0]) for match in _BIC.finditer(text)}
    valid = [code for code in found if stdnum_bic.is_valid(code)]
    return (valid[0], "") if len(valid) == 1 else (None, SEVERAL if valid else "It is not a BIC.")


def vat_id(raw: str, *, country: str | None) -> Read:
    """Read a VAT, GST or tax number, without blanks, points and its label.

    `country`, of the issuer, tells how to check a number that names none.
    """
    text = plain_characters(raw).upper()
    if _HIDDEN.search(text):
        return None, HIDDEN
    words = text.replace(":", " ").split()
    at = [index for index in range(len(words)) if _begins_vat_id(words, index)]
    if len(at) > 1:
        return None, SEVERAL
    begin = at[0] if at else next((i for i, word in enumerate(words) if word[0].isalnum() and _has_digit(word)), len(words))
    number = _compact_vat_id(words[begin:], prefixed=bool(at))
    if not _VAT_FORM.fullmatch(number) or not _has_digit(number):
        return None, "It is not a VAT id or tax number."
    return number, CHECK_DIGITS if _vat_id_holds(number, country) is False else ""


def _has_digit(word: str) -> bool:
    return any(char.isdigit() for char in word)


def _begins_vat_id(words: list[str], index: int) -> bool:
    """Tell whether a word is a country's prefix with the number behind it, and not the word "no" or "de"."""
    match = _PREFIXED.fullmatch(words[index])
    if not match or (match[1] == "NO" and not any(word.endswith("MVA") for word in words[index:])):
        return False
    behind = words[index + 1 : index + 3]
    if match[1] in ("AT", "ES", "FR") and len(behind) == 2 and len(behind[0]) <= 2:
        behind = behind[1:]  # behind the letters that the number begins with
    return _has_digit(words[index]) or (bool(behind) and _has_digit(behind[0]))


def _compact_vat_id(words: list[str], *, prefixed: bool) -> str:
    """Join the words of a number, up to the first that is none of it."""
    kept: list[str] = []
    for word in words:
        beginning = prefixed and len(kept) < 2 and len(word) <= 3
        suffix = word in _VAT_SUFFIXES or (len(word) <= 2 and word.isalpha() and kept[:1] == ["IE"])
        if not (_has_digit(word) or beginning or suffix):
            break
        kept.append(word)
    number = re.sub(r"[^A-Z0-9+*]", "", "".join(kept))
    try:
        return eu_vat.compact(number) if prefixed else number
    except ValidationError:
        return number  # of no member state


def _vat_id_holds(number: str, country: str | None) -> bool | None:
    """Check a number by the country that it names, else the issuer's; None where neither is known."""
    if number.startswith("CHE"):
        return bool(uid.is_valid(number[:12])) and number[12:] in ("", *_VAT_SUFFIXES)
    if number.endswith("MVA") or number.startswith("NO"):
        return bool(orgnr.is_valid(number.removeprefix("NO").removesuffix("MVA")))
    if number.startswith("GB"):
        return _holds_in("GB", number)
    if number[:2].isalpha() and number[:2] in _VAT_PREFIXES.split():
        return bool(eu_vat.is_valid(number))
    if re.fullmatch(r"\d{2}[A-Z]{5}\d{4}[A-Z][A-Z0-9]{3}", number):
        return bool(gstin.is_valid(number))
    if country == "JP" and number.startswith("T"):
        return None  # a registration number, which has check digits only where it is a company's
    return _holds_in(country, number)


def _holds_in(country: str | None, number: str) -> bool | None:
    module = get_cc_module(country.lower(), "vat") if country and country.isascii() and country.isalpha() else None
    return None if module is None else bool(module.is_valid(number))


def phone(raw: str, *, country: str | None) -> Read:
    """Read a phone number: `+` and digits where it names its country or the issuer's `country` is known, else digits alone."""
    text = plain_characters(raw)
    extension = _EXTENSION.search(text)
    if extension:
        text = text[: extension.start()]
    found = _PHONE.findall(text)
    if len(found) != 1 or found[0].count("+") > 1:
        return None, SEVERAL if found else NO_PHONE
    number, note = _international(found[0].strip(), country_of(country))
    if sum(char.isdigit() for char in number) not in _PHONE_DIGITS:
        return None, NO_PHONE
    return number, note or (f"Its extension {extension[1]} is left out." if extension else "")


def _international(text: str, known: Country | None) -> tuple[str, str]:
    digits = re.sub(r"\D", "", text)
    if text.startswith(("+", "(+")):
        return "+" + re.sub(r"\D", "", text.replace("(0)", "")), ""
    if digits.startswith("00"):
        return "+" + re.sub(r"\D", "", text.replace("(0)", "")).removeprefix("00"), ""
    if known is None:
        return digits, NO_CODE
    code, trunk = known.calling_code, known.trunk
    if code == "1" and digits.startswith("011"):  # dialled to call abroad
        return "+" + digits.removeprefix("011"), ""
    if len(code) == 1:  # North America and Russia have ten digits behind it
        national = digits[1:] if len(digits) == 11 and digits[0] in (code, trunk) else digits
        return (f"+{code}{national}", "") if len(national) == 10 else (digits, NO_CODE)
    if trunk and digits.startswith(trunk):
        return f"+{code}{digits.removeprefix(trunk)}", ""
    # Without a trunk prefix it may begin with the calling code, or be a local number.
    if digits.startswith(code) or (trunk and len(digits) < 10):
        return digits, NO_CODE
    return f"+{code}{digits}", ""


def email(raw: str) -> Read:
    """Read an address as it is written, its domain in small letters."""
    found = {match[0] for match in _EMAIL.finditer(raw.replace("＠", "@").removeprefix("mailto:"))}
    if len(found) != 1:
        return None, SEVERAL if found else "It is not an e-mail address."
    local, _, domain = found.pop().rpartition("@")
    return f"{local}@{domain.lower()}", ""


def country_code(raw: str) -> Read:
    """Read a country by its code or name, alone or at the end of an address."""
    text = plain_characters(raw)
    parts = (text, re.sub(r"\(.*", "", text), re.split(r"[,;:\n]", text)[-1], text.rpartition("(")[2])
    code = next((code for part in parts if (code := country_named(part))), None)
    return code, "" if code else "It is not a country that is known here. Enter its code of two letters."


def currency_code(raw: str, *, country: str | None) -> Read:
    """Read a currency by its code, sign or name; the issuer's `country` decides what a sign such as `$` stands for."""
    text = plain_characters(raw)
    if text.upper() in CURRENCIES:
        return text.upper(), ""
    signs = signs_in(text)
    codes = {sign.stands_for[0] for sign in signs if len(sign.stands_for) == 1}
    document = codes.pop() if len(codes) == 1 else None
    found = {sign.currency(country=country, document=document) for sign in signs}
    if len(found) > 1 or codes:
        return None, SEVERAL
    code = found.pop() if found else None
    if code or not signs:
        return code, "" if code else "It is not a currency that is known here. Enter its code of three letters."
    return None, f"{signs[0].text} stands for several currencies. Enter the code of three letters."


def tick(raw: str) -> Read:
    """Read whether a box is ticked: `true` or `false`. A word of consent counts as well."""
    text = re.sub(r"[\[(] ?[xX✓✔✗✘] ?[\])]", "☒", plain_characters(raw))
    text = re.sub(r"\[ ?\]|\( ?\)", "☐", text)
    marks = [char for char in text if char in _TICKED + _EMPTY]
    if len(marks) == 1:
        return "true" if marks[0] in _TICKED else "false", ""
    word = text.casefold().strip(" .:!")
    if word and not marks and f"|{word}|" in _YES + _NO:
        return "true" if f"|{word}|" in _YES else "false", ""
    if word and word in _CROSSES:
        return None, CROSS
    return None, SEVERAL if marks else "It does not say whether it is ticked."
