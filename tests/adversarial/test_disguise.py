"""Words that look like others to a machine than to people."""

import time

import pytest

from pipelines.moderation.policy import Action
from tests.adversarial.way import BAD, Way

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            BAD.replace("A", "\N{CYRILLIC CAPITAL LETTER A}").replace("E", "\N{GREEK CAPITAL LETTER EPSILON}"), id="homoglyphs"
        ),
        pytest.param("\N{ZERO WIDTH SPACE}".join(BAD), id="zero-width"),
        pytest.param("".join(chr(ord(each) + 0xFEE0) for each in BAD), id="full-width"),
        pytest.param(f"\N{RIGHT-TO-LEFT OVERRIDE}{BAD[::-1]}\N{POP DIRECTIONAL FORMATTING}", id="right-to-left-override"),
        pytest.param("hello" + "".join(chr(0xE0000 + ord(each)) for each in BAD), id="tag-characters"),
        pytest.param("".join(each + "\N{COMBINING LONG STROKE OVERLAY}" * 5 for each in BAD), id="combining-marks"),
    ],
)
async def test_a_disguised_text_is_removed(way: Way, text: str) -> None:
    verdict = await way.judged(text=text)

    assert verdict.action is Action.REMOVE


async def test_ten_thousand_combining_marks_end_quickly_and_hide_nothing(way: Way) -> None:
    began = time.monotonic()

    verdict = await way.judged(text="Z" + "\N{COMBINING ACUTE ACCENT}" * 10_000 + f" {BAD}")

    assert verdict.action is Action.REMOVE
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "text", ["How do I kill the process?", "Zoë naïvely ate crème brûlée", "Привет, как дела?", "👩‍👩‍👧 👋🏽"]
)
async def test_ordinary_writing_is_allowed(way: Way, text: str) -> None:
    verdict = await way.judged(text=text)

    assert verdict.decision == "allow"
