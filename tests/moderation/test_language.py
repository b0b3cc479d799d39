"""What we say to members, in other languages: every sentence of the code is there, and nothing else."""

import ast
import string
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

import pipelines.language
from pipelines.language import ENGLISH, LANGUAGES, catalogue
from pipelines.moderation.decide import in_words
from pipelines.moderation.report import Finding, label_of

ROOT = Path(pipelines.language.__file__).parents[1]
FOLDERS = ("bot", "handlers", "pipelines")
OTHERS = [each for each in LANGUAGES if each != "en"]
# By name, and whether it is a method: how many texts come first, out of how many arguments without a name. Others have methods
# that are called the same, such as `Channels.message`.
SAYING = {("say", True): (1, 1), ("say", False): (1, 1), ("count", True): (2, 3), ("message", False): (1, 1)}
Said = tuple[str, ...]


@pytest.fixture(scope="module")
def sentences() -> set[Said]:
    """Return what the code says through a catalogue: one text, or one for one and one for many."""
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    nodes = (node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    return {said for node in nodes if isinstance(node, ast.Call) for said in _said(node)}


def _said(call: ast.Call) -> Iterator[Said]:
    attribute = isinstance(call.func, ast.Attribute)
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    texts, given = SAYING.get((name, attribute), (0, 0))
    found = [each.value for each in call.args[:texts] if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if texts and len(call.args) == given and len(found) == texts:
        yield tuple(found)


def translations(language: str) -> Catalog:
    with (files("pipelines") / "languages" / f"{language}.po").open("rb") as source:
        return read_po(source, locale=language)


def texts_of(value: object) -> Said:
    return (value,) if isinstance(value, str) else tuple(value)  # type: ignore[arg-type]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_sentences_of_the_code_are_found(sentences: set[Said]) -> None:
    assert ("This is what you wrote:",) in sentences
    assert ("{number} day", "{number} days") in sentences
    assert ("harassment",) in sentences
    assert len(sentences) > 100


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_is_translated_and_nothing_else(sentences: set[Said], language: str) -> None:
    known = {texts_of(each.id): texts_of(each.string) for each in translations(language) if each.id}

    assert {each for each in sentences if not all(known.get(each, ("",)))} == set(), "not translated"
    assert set(known) - sentences == set(), "translated, and said nowhere"


@pytest.mark.parametrize("language", OTHERS)
def test_no_translation_is_doubtful_or_put_aside(language: str) -> None:
    read = translations(language)

    assert [each.id for each in read if each.id and each.fuzzy] == []
    assert list(read.obsolete) == []


@pytest.mark.parametrize("language", OTHERS)
def test_translations_have_the_placeholders_of_the_sentences(language: str) -> None:
    for each in translations(language):
        if each.id:
            wanted = set[str]().union(*map(placeholders, texts_of(each.id)))
            many = placeholders(texts_of(each.string)[-1])
            assert many == wanted, each.id
            assert placeholders(texts_of(each.string)[0]) in (wanted, wanted - {"number"}), each.id


@pytest.mark.parametrize("language", OTHERS)
def test_there_is_a_form_for_each_number(language: str) -> None:
    read = translations(language)

    assert {len(texts_of(each.string)) for each in read if isinstance(each.id, tuple)} == {read.num_plurals}


def test_a_sentence_about_a_number_has_the_form_for_it() -> None:
    words = catalogue("de")

    said = [words.count("{number} day", "{number} days", number) for number in (0, 1, 2, 1_440)]

    assert said == ["0 Tage", "1 Tag", "2 Tage", "1.440 Tage"]
    assert ENGLISH.count("{number} day", "{number} days", 1) == "1 day"


@pytest.mark.parametrize("tag", ["de", "de-AT", "DE", "de-CH"])
def test_a_variant_of_a_language_is_said_in_the_language(tag: str) -> None:
    assert catalogue(tag).say("This is what you wrote:") == "Das haben Sie geschrieben:"


@pytest.mark.parametrize("tag", ["en", "en-GB", "fr", "pt-BR", "xx", "../de", ""])
def test_an_unknown_language_is_said_in_english(tag: str) -> None:
    assert catalogue(tag).say("This is what you wrote:") == "This is what you wrote:"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("value", ["{case}", "{", "}", "{0.__class__}", "%s", "<b>&"])
def test_a_value_stays_as_it_is(language: str, value: str) -> None:
    assert catalogue(language).say("Case {case}", case=value).endswith(f" {value}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_without_values_may_hold_braces(language: str) -> None:
    assert catalogue(language).say("It is {damaged.") == "It is {damaged."


def test_a_language_says_what_it_lacks_in_english_and_knows_that() -> None:
    words = catalogue("de")

    assert words.say("3 pages of 50 were not looked at.") == "3 pages of 50 were not looked at."
    assert [words.has(each) for each in ("3 pages of 50 were not looked at.", "Some parts were not judged.")] == [False, True]
    assert ENGLISH.has("3 pages of 50 were not looked at.")


@pytest.mark.parametrize(
    ("finding", "english", "german"),
    [
        pytest.param(
            Finding(category="harassment", severity=2, confidence=0.735),
            "Harassment: moderate, 74% sure.",
            "Belästigung: mittel, zu 74 % sicher.",
            id="plain",
        ),
        pytest.param(
            Finding(category="violence", kind="threat", severity=4, confidence=1),
            "Violence, threat: critical, 100% sure.",
            "Gewalt, Drohung: kritisch, zu 100 % sicher.",
            id="of-a-kind",
        ),
        pytest.param(
            Finding(category="own:spoilers", kind="{odd}", severity=1, confidence=0.5),
            "Spoilers, {odd}: mild, 50% sure.",
            "Spoilers, {odd}: leicht, zu 50 % sicher.",
            id="a-category-of-their-own",
        ),
    ],
)
def test_a_finding_is_said_in_both_languages(finding: Finding, english: str, german: str) -> None:
    assert (in_words(finding), in_words(finding, catalogue("de"))) == (english, german)


def test_a_label_is_said_in_both_languages() -> None:
    assert (label_of("self_harm"), label_of("self_harm", catalogue("de"))) == ("self-harm", "Selbstverletzung")
