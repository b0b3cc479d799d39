"""What an author wrote in the last seconds, and how little of it is kept."""

from dataclasses import replace
from typing import Any

import pytest

from bot import earlier
from bot.earlier import EarlierMessages
from handlers.events import MessagePosted
from pipelines.content import AudioPart, Intake, Part, TextPart
from tests.fakes import GENERAL, MO, a_message, an_image_part


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


CLOCK = Clock()


@pytest.fixture
def kept() -> EarlierMessages:
    CLOCK.now = 100.0
    return EarlierMessages(monotonic=CLOCK)


def message(id: str, **changes: Any) -> MessagePosted:
    return a_message().model_copy(update={"message": id, "key": f"test:{id}", **changes})


def text(said: str = "hello", **changes: Any) -> TextPart:
    return replace(TextPart(id="text:0", text=said, role="message"), **changes)


def note(kept: EarlierMessages, id: str, *parts: Part, **changes: Any) -> None:
    kept.note(message(id, **changes), Intake(parts=parts or (text(id),)))


def before(kept: EarlierMessages, **changes: Any) -> list[str]:
    return [part.text if isinstance(part, TextPart) else part.id for part in kept.before(message("new", **changes))]


def test_earlier_messages_come_oldest_first_with_their_age(kept: EarlierMessages) -> None:
    note(kept, "a", text("I h"), an_image_part())
    CLOCK.now += 4.2
    note(kept, "b", text("ate"))
    CLOCK.now += 1

    parts = kept.before(message("new"))

    assert [(part.id, part.note) for part in parts] == [
        ("earlier:0/text:0", "sent by the same author 5 s before"),
        ("earlier:0/file:0", "sent by the same author 5 s before"),
        ("earlier:1/text:0", "sent by the same author 1 s before"),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"author": MO}, id="another-author"),
        pytest.param({"place": GENERAL.model_copy(update={"channel": "random"})}, id="another-channel"),
        pytest.param({"place": GENERAL.model_copy(update={"workspace": "w2"})}, id="another-workspace"),
    ],
)
def test_others_messages_are_not_theirs(kept: EarlierMessages, changes: dict[str, Any]) -> None:
    note(kept, "a")

    assert before(kept, **changes) == []
    assert before(kept) == ["a"]


def test_only_the_last_five_of_the_last_seconds_count(kept: EarlierMessages) -> None:
    for number in range(7):
        note(kept, str(number))
    assert before(kept) == ["2", "3", "4", "5", "6"]

    CLOCK.now += earlier.WITHIN_S + 0.1
    assert before(kept) == []


def test_an_edit_takes_the_place_of_what_it_was_and_is_not_before_itself(kept: EarlierMessages) -> None:
    note(kept, "a", text("I h"))
    note(kept, "b", text("x"))
    note(kept, "a", text("I love"), edit=1)

    assert before(kept) == ["x", "I love"]
    assert [part.id for part in kept.before(message("a", edit=2))] == ["earlier:0/text:0"]


def test_long_texts_sound_tiles_and_many_pictures_are_left_out(kept: EarlierMessages) -> None:
    pictures = [an_image_part(f"file:{at}") for at in range(5)]
    tile = an_image_part("file:0/tile:0")
    sound = AudioPart(id="file:9/sound", data=b"x", media_type="audio/mpeg", duration_s=1)

    note(kept, "a", text("x" * 501), tile, sound, *pictures, text("y" * 500, id="text:1"))

    assert before(kept) == ["earlier:0/file:0", "earlier:0/file:1", "earlier:0/file:2", "y" * 500]


def test_over_a_bound_whoever_was_silent_longest_is_forgotten(kept: EarlierMessages, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [MO.model_copy(update={"id": str(number)}) for number in range(4)]
    monkeypatch.setattr(earlier, "AUTHORS", 3)
    for person in people:
        note(kept, person.id, author=person)
    assert [before(kept, author=person) for person in people] == [[], ["1"], ["2"], ["3"]]

    monkeypatch.setattr(earlier, "BYTES", 10)
    note(kept, "more", text("x" * 9), author=people[1])
    assert [before(kept, author=person) for person in people] == [[], ["1", "x" * 9], [], []]


def test_what_is_too_old_takes_no_memory(kept: EarlierMessages) -> None:
    for number in range(50):
        note(kept, str(number), author=MO.model_copy(update={"id": str(number)}))
    CLOCK.now += earlier.WITHIN_S + 1

    note(kept, "new")

    assert (len(kept._noted), kept._bytes) == (1, 3)
