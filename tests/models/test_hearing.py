"""Sound, put to models that hear and to models that do not."""

from dataclasses import replace

import pytest

from emulators.gemini import ModelEmulator
from emulators.understudy import answer
from pipelines.content import AudioPart, Intake
from pipelines.moderation.judge import judge
from pipelines.moderation.policies import preset
from pipelines.moderation.policy import everywhere
from tests.emulators.understudy_questions import a_text as a_message
from tests.models.asking import FLASH, HAIKU, NANO, OLLAMA, RIGHT, a_picture, a_question, a_text, accounts, asking, blobs, texts

SOUND = AudioPart(id="file:0/sound", data=b"\xff\xf3 not really sound \xfb\xef", media_type="audio/mpeg", duration_s=2.0)
DEAF = [HAIKU, NANO, OLLAMA]


async def test_gemini_gets_the_sound_behind_its_own_fence(first: ModelEmulator) -> None:
    async with asking(FLASH, providers=accounts(gemini=first)) as models:
        await models.warm_up()  # outside of the deadline, for importing a client takes seconds
        reply = await models.ask(a_question(a_text(), a_picture(), SOUND))

    asked = first.requests[0]
    assert reply.outcome == "ok"
    assert [(blob.data, blob.media_type) for blob in blobs(asked)][1:] == [(SOUND.data, "audio/mpeg")]
    assert f'<part id="{SOUND.id}" nonce="0badcafe" role="sound">' in texts(asked)


@pytest.mark.parametrize("model", DEAF)
async def test_whoever_does_not_hear_is_asked_about_the_rest(model: str, first: ModelEmulator) -> None:
    async with asking(model, providers=accounts(**{model.split(":")[0]: first})) as models:
        await models.warm_up()
        reply = await models.ask(a_question(a_text(), a_picture(), SOUND))

    asked = first.requests[0]
    assert reply.outcome == "ok"
    assert [blob.media_type for blob in blobs(asked)] == ["image/jpeg"]
    assert SOUND.id not in texts(asked)


@pytest.mark.parametrize("model", DEAF)
async def test_whoever_does_not_hear_and_says_that_it_did_is_asked_once_more_and_never_believed(
    model: str, first: ModelEmulator
) -> None:
    first.answers += [{**RIGHT, "parts": ["text:0", "file:0", SOUND.id]}] * 2

    async with asking(model, providers=accounts(**{model.split(":")[0]: first})) as models:
        await models.warm_up()
        reply = await models.ask(replace(a_question(a_text(), a_picture(), SOUND), check=lambda _: None))

    assert (reply.outcome, len(first.requests)) == ("bad_answer", 2)


@pytest.mark.parametrize("model", DEAF)
async def test_sound_alone_is_not_put_to_whoever_does_not_hear(model: str, first: ModelEmulator) -> None:
    async with asking(model, providers=accounts(**{model.split(":")[0]: first})) as models:
        await models.warm_up()
        reply = await models.ask(a_question(SOUND))

    assert (reply.outcome, reply.reason, first.requests) == ("unavailable", "does not listen to sound", [])


async def test_sound_goes_on_to_the_next_model_that_hears(first: ModelEmulator, second: ModelEmulator) -> None:
    async with asking(HAIKU, FLASH, providers=accounts(anthropic=first, gemini=second)) as models:
        await models.warm_up()
        reply = await models.ask(a_question(SOUND))

    assert reply.outcome == "ok"
    assert [blob.data for blob in blobs(second.requests[0])] == [SOUND.data]
    assert first.requests == []


async def test_unheard_sound_is_missing_from_the_coverage(first: ModelEmulator) -> None:
    first.answer = answer

    async with asking(HAIKU, providers=accounts(anthropic=first), allow_understudy=True) as models:
        await models.warm_up()
        report, calls = await judge(Intake(parts=(a_message("hello"), SOUND)), policy=everywhere(preset()), model=models)

    assert [call.outcome for call in calls] == ["ok"]
    assert (report.coverage.judged, report.coverage.total) == (1, 2)
    assert [each.cause for each in report.incomplete] == ["partial"]


async def test_gemini_counts_sound_as_such(first: ModelEmulator) -> None:
    async with asking(FLASH, providers=accounts(gemini=first)) as models:
        await models.warm_up()
        silent = await models.ask(a_question())
        heard = await models.ask(a_question(a_text(), a_picture(), replace(SOUND, data=bytes(4000))))

    assert 32 <= heard.calls[0].input_tokens - silent.calls[0].input_tokens <= 64
