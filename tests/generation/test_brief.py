"""How a wish becomes a brief: what is asked, what of the answer is used, and when nobody is asked."""

from typing import Any

import pytest

from pipelines.content import Gap, Intake
from pipelines.errors import BadAnswer, FlashbulbError, Refused, Unavailable, UserError
from pipelines.generation.brief import Draft, DraftOfPicture, folded, unfolded, with_avoided, write_brief
from pipelines.generation.languages import LANGUAGES
from pipelines.generation.styles import style_named
from pipelines.generation.wish import AVOID_CHARS, PROMPT_CHARS, Brief, Wish
from pipelines.ports import Call, Question, Reply
from tests.fakes import ScriptedModel, a_draft, parts


def drafted(**said: str) -> ScriptedModel:
    return ScriptedModel(answers=[lambda question: a_draft(question, **said)])


async def test_a_wish_is_asked_about_beside_the_instructions_never_in_them() -> None:
    model, calls = drafted(prompt="a grey cat,\n asleep", avoid="Text, blur", mood="calm"), list[Call]()

    brief = await write_brief(Wish(text="a WISHED cat", avoid="text", style="ink"), model=model, calls=calls)

    [question] = model.questions
    assert (question.task, question.shape) == ("brief", Draft)
    assert [(part.id, getattr(part, "text", "")) for part in question.parts] == [("wish", "a WISHED cat"), ("avoid", "text")]
    assert "WISHED" not in question.instructions
    assert style_named("ink").prompt in question.instructions
    assert "$" not in question.instructions
    assert (brief.prompt, brief.avoid, brief.mood, brief.seen) == ("a grey cat, asleep", "text, blur", "calm", "")
    assert [call.model for call in calls] == ["scripted-1"]


async def test_a_picture_is_looked_at_and_told_of() -> None:
    model = drafted(seen="word " * 60, prompt="a cat in ink")

    brief = await write_brief(Wish(operation="restyle", text="in ink"), model=model, source=parts("text:0", "file:0"), calls=[])

    [question] = model.questions
    assert question.shape is DraftOfPicture
    assert [part.id for part in question.parts] == ["file:0", "wish"]
    assert "redrawn" in question.instructions
    assert len(brief.seen.split()) == 60


@pytest.mark.parametrize(
    ("wish", "names"),
    [
        pytest.param(Wish(text="rain"), "finished picture", id="picture"),
        pytest.param(Wish(text="rain", kind="video"), "camera", id="clip"),
        pytest.param(Wish(text="rain", kind="music"), "genre, tempo", id="music"),
    ],
)
async def test_each_kind_is_asked_for_what_its_makers_understand(wish: Wish, names: str) -> None:
    model = ScriptedModel()

    await write_brief(wish, model=model, calls=[])

    assert names in model.questions[0].instructions


@pytest.mark.parametrize(
    ("wish", "prompt"),
    [
        pytest.param(Wish(text="a cat", avoid="text", as_written=True), "a cat", id="as-written"),
        pytest.param(Wish(text="salut", kind="voice", language="french"), "salut", id="spoken-in-a-language-that-was-chosen"),
        pytest.param(Wish(text="salut", kind="voice", as_written=True), "salut", id="spoken-as-written"),
        pytest.param(Wish(operation="upscale"), "", id="larger"),
        pytest.param(Wish(operation="cutout"), "", id="background"),
        pytest.param(Wish(operation="vary", text="a cat"), "a cat", id="varied"),
    ],
)
async def test_nobody_is_asked_where_there_is_nothing_to_think_about(wish: Wish, prompt: str) -> None:
    model = ScriptedModel()

    brief = await write_brief(wish, model=model, source=parts("file:0"), calls=[])

    assert model.questions == []
    assert brief == Brief(prompt=prompt, avoid=wish.avoid)


def spoken_in(language: str) -> ScriptedModel:
    return ScriptedModel([lambda question: {"nonce": question.nonce, "language": language}])


async def test_words_that_are_spoken_are_kept_to_the_end_and_asked_only_for_their_language() -> None:
    words, model, calls = "x " * 900 + "\nend", spoken_in("french"), list[Call]()

    brief = await write_brief(Wish(text=words, kind="voice"), model=model, calls=calls)

    assert brief == Brief(prompt=words, language="french")
    [question] = model.questions
    assert [getattr(part, "text", "") for part in question.parts] == [words]
    assert words not in question.instructions
    assert all(f"`{name}`" in question.instructions for name in LANGUAGES)
    assert len(calls) == 1


async def test_a_language_that_nobody_speaks_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UserError, match="american-english, .*italian.*--language"):
        await write_brief(Wish(text="Guten Abend", kind="voice"), model=spoken_in("other"), calls=[])


async def test_a_language_that_was_not_named_is_no_answer() -> None:
    with pytest.raises(BadAnswer):
        await write_brief(Wish(text="Guten Abend", kind="voice"), model=spoken_in("german"), calls=[])


@pytest.mark.parametrize(
    ("by_member", "by_model", "known"),
    [
        pytest.param("", "blur", True, id="nothing-to-go-over"),
        pytest.param("text, people", "Text, people, blur", True, id="left-as-it-was"),
        pytest.param("no hats,\n ", "No  hats", True, id="but-for-blanks"),
        pytest.param("hats of Ada", "hats of a mathematician, blur", False, id="without-a-name"),
        pytest.param("text, people", "text", False, id="something-left-out"),
    ],
)
async def test_whether_a_model_has_gone_over_what_shall_not_be_seen_is_known_by_its_words(
    by_member: str, by_model: str, known: bool
) -> None:
    brief = await write_brief(Wish(text="a cat", avoid=by_member), model=drafted(avoid=by_model), calls=[])

    assert brief.avoid_is_known is known
    assert brief.avoid.startswith(by_member.strip())


async def test_what_is_too_long_ends_with_a_whole_word() -> None:
    model = drafted(prompt="prompt " * 400, avoid="blur " * 200)

    brief = await write_brief(Wish(text="a cat", avoid="people"), model=model, calls=[])

    assert PROMPT_CHARS - 10 < len(brief.prompt) <= PROMPT_CHARS
    assert brief.prompt.endswith(" prompt")
    assert len(brief.avoid) <= AVOID_CHARS
    assert brief.avoid.startswith("people, blur")


class AskedAgain(ScriptedModel):
    """Is asked once more where the answer breaks the question's rule, as every client does."""

    async def ask(self, question: Question[Any]) -> Reply[Any]:
        reply = await super().ask(question)
        return await super().ask(question) if reply.outcome == "bad_answer" else reply


@pytest.mark.parametrize(("words", "seen", "asked"), [(49, 80, 2), (50, 50, 1), (80, 80, 1), (81, 80, 2)])
async def test_what_a_picture_shows_is_told_in_50_to_80_words(words: int, seen: int, asked: int) -> None:
    """Objected to once; then it is cut, for a brief is worth more than its length."""
    scripts = [lambda question: a_draft(question, seen="word " * words), lambda question: a_draft(question, seen="word " * 200)]
    model = AskedAgain(answers=list(scripts))

    brief = await write_brief(Wish(operation="inspire"), model=model, source=parts("file:0"), calls=[])

    assert (len(brief.seen.split()), len(model.questions)) == (seen, asked)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        pytest.param(lambda question: a_draft(question, prompt=" \n"), BadAnswer, id="an-empty-prompt"),
        pytest.param(lambda question: {**a_draft(question), "nonce": "another"}, BadAnswer, id="about-another-question"),
        pytest.param(
            Reply(outcome="refused", reason="SAFETY", calls=(Call(model="m", outcome="refused"),)), Refused, id="refused"
        ),
        pytest.param(Reply(outcome="unavailable", calls=(Call(model="m", outcome="unavailable"),)), Unavailable, id="away"),
    ],
)
async def test_without_an_answer_there_is_no_brief_and_what_it_cost_is_known(script: Any, error: type[FlashbulbError]) -> None:
    calls: list[Call] = []

    with pytest.raises(error):
        await write_brief(Wish(text="a cat"), model=ScriptedModel(answers=[script]), calls=calls)

    assert len(calls) == 1


async def test_a_source_without_a_picture_is_answered_with_the_reason() -> None:
    source = Intake(gaps=(Gap(place="file:0", kind="unreadable", why="This file is damaged."),))

    with pytest.raises(UserError, match="damaged"):
        await write_brief(Wish(operation="animate", kind="video"), model=ScriptedModel(), source=source, calls=[])


def test_what_shall_not_be_seen_is_folded_into_a_prompt_that_keeps_its_length() -> None:
    assert folded("a cat", "") == "a cat"
    assert folded("a cat", "people, text") == "a cat Without: people, text."
    assert len(folded("word " * 300, "people, text")) <= PROMPT_CHARS
    assert folded("word " * 300, "people, text").endswith("word Without: people, text.")


def test_what_is_judged_is_not_cut_and_what_was_folded_in_can_be_taken_out() -> None:
    long = "word " * 400 + "end"

    assert with_avoided(long, "people") == f"{long} Without: people."
    assert with_avoided("", "people") == "Without: people."
    assert unfolded(folded("a cat", "people"), "people") == "a cat"
    assert unfolded("a cat Without: people.", "text") == "a cat Without: people."
    assert unfolded("a cat", "") == "a cat"
