"""A policy's own limits: what is beyond them is cut off, and nobody takes the rest for the whole."""

from pipelines.content import Intake, Part, TextPart
from pipelines.moderation.policy import Limits
from pipelines.moderation.tightening import tightened
from tests.fakes import an_image_part


def ids(intake: Intake) -> list[str]:
    return [part.id for part in intake.parts]


def gaps(intake: Intake) -> list[tuple[str, str, str]]:
    return [(gap.place, gap.kind, gap.why) for gap in intake.gaps]


def a_text(id: str, text: str, role: str = "message") -> TextPart:
    return TextPart(id=id, text=text, role=role)  # type: ignore[arg-type]


def test_where_nothing_is_cut_the_same_comes_back() -> None:
    intake = Intake(parts=(a_text("text:0", "hi"), *(an_image_part(f"file:0/frame:{number}") for number in range(16))))

    assert tightened(intake, Limits()) is intake


def test_of_an_animation_some_frames_stay_evenly_spread() -> None:
    intake = Intake(parts=tuple(an_image_part(f"file:0/frame:{number}") for number in range(0, 80, 10)))

    cut = tightened(intake, Limits(frames_judged=2))

    assert ids(cut) == ["file:0/frame:0", "file:0/frame:40"]
    assert gaps(cut) == [("file:0", "partial", "6 frames are beyond what this community's policy has judged.")]


def test_a_page_goes_with_its_tiles_and_its_text_stays() -> None:
    parts: list[Part] = []
    for number in range(2):
        page = f"file:0/page:{number}"
        parts += [an_image_part(page), an_image_part(f"{page}/tile:0"), a_text(f"{page}/text", "words", "document")]

    cut = tightened(Intake(parts=tuple(parts)), Limits(pages_judged=1))

    assert ids(cut) == ["file:0/page:0", "file:0/page:0/tile:0", "file:0/page:0/text", "file:0/page:1/text"]
    assert gaps(cut) == [("file:0", "partial", "1 page is beyond what this community's policy has judged.")]


def test_files_are_counted_each_by_itself_also_inside_others() -> None:
    files = ("file:0", "file:1", "file:1/member:0")
    intake = Intake(parts=tuple(an_image_part(f"{file}/frame:{number}") for file in files for number in range(2)))

    cut = tightened(intake, Limits(frames_judged=1))

    assert ids(cut) == [f"{file}/frame:0" for file in files]
    assert [gap.place for gap in cut.gaps] == list(files)


def test_of_a_long_message_the_beginning_stays() -> None:
    intake = Intake(parts=(a_text("text:0", "a" * 80), a_text("text:1", "b" * 80), a_text("text:2", "c"), an_image_part()))

    cut = tightened(intake, Limits(text_chars=100))

    assert [(part.id, len(part.text)) for part in cut.parts if isinstance(part, TextPart)] == [("text:0", 80), ("text:1", 20)]
    assert gaps(cut) == [("text:0", "partial", "61 characters are beyond what this community's policy has judged.")]
