"""What disguises a text is undone beside it, and ordinary writing is left alone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.content import TextPart
from pipelines.moderation.folding import folded, with_folded
from tests.fakes import an_image_part


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        pytest.param("I hаtе you", "I hate you", id="cyrillic-in-a-latin-word"),
        pytest.param("hαte", "hate", id="greek-in-a-latin-word"),
        pytest.param("ΗΑΤΕ them all, my friends", "HATE them all, my friends", id="wholly-greek-word-in-a-latin-text"),
        pytest.param("ＦＬＡＳＨ bulb", "FLASH bulb", id="full-width"),
        pytest.param("𝐇𝐚𝐭𝐞 𝓱𝓪𝓽𝓮", "Hate hate", id="mathematical"),
        pytest.param("ʜᴀᴛᴇ", "hate", id="small-capitals"),
        pytest.param("Ⓗⓐⓣⓔ 🅗🅐🅣🅔 🅷🅰🆃🅴", "Hate HATE HATE", id="in-circles-and-squares"),
        pytest.param("🇭🇦🇹🇪 🇭 🇦 🇹 🇪", "HATE H A T E", id="emoji-letters"),
        pytest.param("h\u200ba\u2060t\u00ade\ufe0fd", "hated", id="invisible-between"),
        pytest.param("invoice\u202efdp.exe", "invoiceexe.pdf", id="turned-around"),
        pytest.param("hi" + "".join(chr(0xE0000 + ord(each)) for each in " kill"), "hi kill", id="tag-characters"),
        pytest.param("h\u0336a\u0336t\u0336e\u0336", "hate", id="struck-through"),
        pytest.param("h" + "\u0301\u0302\u0303\u0304" * 9 + "ate", "hate", id="piled-up-marks"),
        pytest.param("h\u200bаte", "hate", id="two-disguises-at-once"),
    ],
)
def test_a_disguised_text_is_read_as_people_read_it(text: str, reads: str) -> None:
    assert folded(text) == reads


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("plain words, 123", id="ascii"),
        pytest.param("Привет, как дела? Сор, хор, USB-кабель и QRкод", id="russian"),
        pytest.param("Το ελληνικό κείμενο", id="greek"),
        pytest.param("مرحبا بالعالم، می\u200cخواهم", id="arabic-and-persian-with-joiners"),
        pytest.param("क्\u200dष नमस्ते दुनिया", id="hindi-with-joiners"),
        pytest.param("שָׁלוֹם עוֹלָם", id="hebrew-with-vowels"),
        pytest.param("中文，测试！（好）", id="chinese"),
        pytest.param("こんにちは、ｶﾀｶﾅ", id="japanese"),
        pytest.param("สวัสดีครับ ที่นี่", id="thai"),
        pytest.param("Tiếng Việt, phở, Ångström, naïve, ıstanbul, ß", id="accents"),
        pytest.param("e\u0301te\u0301", id="accents-apart"),
        pytest.param("… “ﬁne” ½ №5 20 ℃ ™ – m² H₂O", id="typographic"),
        pytest.param("❤️love 👨‍👩‍👧 👍🏽 1️⃣ first", id="emoji"),
        pytest.param("🇩🇪 🇫🇷 \U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", id="flags"),
        pytest.param("5 kΩ, 3 µm, β-carotene", id="units"),
    ],
)
def test_ordinary_writing_is_no_disguise(text: str) -> None:
    assert folded(text) is None


@pytest.mark.parametrize(
    "unit", ["\u0300", "\u200b", "a\u200b", "а", "аb", "\u202e", "\U0001f1e6", "\U000e0041", "é", "Ａ", "\U0001f3f4"]
)
def test_long_hostile_texts_are_folded_in_little_time(unit: str) -> None:
    text = "Z" + (unit * 12_000)[:12_000]

    began = time.thread_time()
    with_folded((TextPart(id="text:0", text=text, role="message"),))

    assert time.thread_time() - began < 0.5


def test_marks_piled_upon_a_letter_are_cut_in_what_was_written_too() -> None:
    raw, plain = with_folded((TextPart(id="text:0", text="Z" + "\u0300" * 10_000 + "algo", role="message"),))

    assert isinstance(raw, TextPart)
    assert isinstance(plain, TextPart)
    assert (len(raw.text), plain.text) == (8, "Zalgo")


@pytest.mark.parametrize("role", ["message", "file_name", "code", "metadata", "document"])
def test_the_folded_text_stands_beside_the_raw_one_whatever_it_was(role: str) -> None:
    raw = TextPart(id="file:0/x", text="hаte", role=role, note="page 3 of 50")  # type: ignore[arg-type]
    picture = an_image_part()

    first, second, third = with_folded((raw, picture))

    assert (first, third) == (raw, picture)
    assert isinstance(second, TextPart)
    assert (second.id, second.text, second.role) == ("file:0/x/folded", "hate", role)
    assert second.note == "page 3 of 50; the same text without what disguises it"


@given(st.text(max_size=60))
def test_folding_never_fails_and_says_something_new_or_nothing(text: str) -> None:
    reads = folded(text)

    assert reads is None or reads != text


@given(st.text(st.characters(max_codepoint=0x24F, exclude_characters="\u00ad"), max_size=60))
def test_latin_text_is_left_alone(text: str) -> None:
    assert folded(text) is None


def test_plain_text_costs_next_to_nothing() -> None:
    part = (TextPart(id="text:0", text="plain words, " * 150, role="message"),)

    began = time.perf_counter()
    for _ in range(1_000):
        with_folded(part)

    assert (time.perf_counter() - began) / 1_000 < 50e-6
