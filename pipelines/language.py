"""What we say to members, and why, in the language of a policy.

The message catalogues are gettext's (https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html): the English
sentences stand in the code, a file `languages/*.po` for each other language beside it. They are read as they are, so that
nothing has to be compiled.
"""

import gettext
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Final

LANGUAGES: Final = ("en", "de")


class Catalogue:
    """The sentences of one language. What it lacks is said in English. `thousands` stands between groups of digits."""

    def __init__(self, translations: gettext.NullTranslations, *, thousands: str = ",") -> None:
        self._translations = translations
        self._thousands = thousands

    def say(self, message: str, **values: object) -> str:
        """Return a sentence with `{name}` replaced by what `values` hold; these are plain text and stay as they are."""
        said = self._translations.gettext(message) if message else ""  # else it is the head of the catalogue
        return said.format_map(values) if values else said

    def count(self, one: str, many: str, number: int, **values: object) -> str:
        """Return a sentence about a number, which it holds as `{number}`."""
        said = f"{number:,}".replace(",", self._thousands)
        return self._translations.ngettext(one, many, number).format_map({"number": said, **values})

    def has(self, message: str) -> bool:
        """Whether a sentence is said in this language; English has them all."""
        return type(self._translations) is gettext.NullTranslations or self._translations.gettext(message) != message


ENGLISH: Final = Catalogue(gettext.NullTranslations())


@cache
def catalogue(language: str) -> Catalogue:
    """Return the sentences of a language, by its tag of BCP 47; English where there are none (`de-AT` is said in `de`)."""
    base = language.split("-", 1)[0].lower()
    if base == "en" or base not in LANGUAGES:
        return ENGLISH
    from babel import Locale  # not for those who speak English
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with (files("pipelines") / "languages" / f"{base}.po").open("rb") as source:
        read = read_po(source, locale=base)
    compiled = BytesIO()
    write_mo(compiled, read)
    compiled.seek(0)
    return Catalogue(gettext.GNUTranslations(compiled), thousands=Locale.parse(base).number_symbols["latn"]["group"])


def message(text: str) -> str:
    """Mark a text that is said later, so that it is looked for in the catalogues."""
    return text
