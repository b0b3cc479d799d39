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
    """The sentences of one language. What it lacks is said in English."""

    def __init__(self, translations: gettext.NullTranslations) -> None:
        self._translations = translations

    def say(self, message: str, **values: object) -> str:
        """Return a sentence with `{name}` replaced by what `values` hold; these are plain text and stay as they are."""
        return self._translations.gettext(message).format_map(values)

    def count(self, one: str, many: str, number: int, **values: object) -> str:
        """Return a sentence about a number, which it holds as `{number}`."""
        return self._translations.ngettext(one, many, number).format_map({"number": f"{number:,}", **values})


@cache
def catalogue(language: str) -> Catalogue:
    """Return the sentences of a language, by its tag of BCP 47; English where there are none (`de-AT` is said in `de`)."""
    base = language.split("-", 1)[0].lower()
    if base == "en" or base not in LANGUAGES:
        return Catalogue(gettext.NullTranslations())
    from babel.messages.mofile import write_mo  # not for those who speak English
    from babel.messages.pofile import read_po

    with (files("pipelines") / "languages" / f"{base}.po").open("rb") as source:
        read = read_po(source, locale=base)
    compiled = BytesIO()
    write_mo(compiled, read)
    compiled.seek(0)
    return Catalogue(gettext.GNUTranslations(compiled))


def message(text: str) -> str:
    """Mark a text that is said later, so that it is looked for in the catalogues."""
    return text
