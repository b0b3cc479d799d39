"""What goes out: read from the requests that the emulators received."""

import json
import re
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.oauth2.credentials import Credentials

from emulators.gemini import ModelEmulator
from pipelines.content import ImagePart
from tests.models.asking import (
    FLASH,
    HAIKU,
    NANO,
    OLLAMA,
    PICTURE,
    RIGHT,
    a_picture,
    a_question,
    a_text,
    accounts,
    asking,
    blobs,
    texts,
)


@pytest.mark.parametrize(
    ("model", "settings", "level"),
    [
        pytest.param("gemini-3-flash-preview", {}, "MINIMAL", id="the-lowest"),
        pytest.param("gemini-3.5-flash-lite", {}, "MINIMAL", id="the-lowest-of-lite"),
        pytest.param("gemini-3.8-flash", {}, "LOW", id="minimal-would-be-a-400"),
        pytest.param("gemini-3.1-pro-preview", {}, "LOW", id="pro-thinks-always"),
        pytest.param("gemini-3.1-pro-preview", {"thinking": "medium"}, "MEDIUM", id="as-the-profile-says"),
        pytest.param("gemini-9-flash", {"thinking_levels": {"gemini-9-flash": ["MEDIUM", "HIGH"]}}, "MEDIUM", id="a-new-model"),
    ],
)
async def test_thinking_is_the_lowest_level_that_the_model_knows(
    model: str, settings: dict[str, Any], level: str, first: ModelEmulator
) -> None:
    async with asking(f"gemini:{model}", providers=accounts(gemini=first), profile=settings) as models:
        reply = await models.ask(a_question())

    assert (reply.outcome, first.requests[0].model, first.requests[0].thinking) == ("ok", model, level)


async def test_gemini_gets_schema_limits_resolution_and_no_filter(first: ModelEmulator) -> None:
    async with asking(
        FLASH, providers=accounts(gemini=first), profile={"media_resolution": "low", "max_tokens": 512}
    ) as models:
        await models.ask(a_question())

    asked = first.requests[0]
    config = asked.body["generationConfig"]
    assert asked.schema is not None
    assert set(asked.schema["properties"]) == set(RIGHT)
    assert config["maxOutputTokens"] == 512
    assert {rule["threshold"] for rule in asked.body["safetySettings"]} == {"OFF"}
    assert len(asked.body["safetySettings"]) == 4
    assert blobs(asked)[0].resolution == "MEDIA_RESOLUTION_LOW"
    assert not {"temperature", "topP", "topK", "presencePenalty", "frequencyPenalty"} & set(config)
    assert float(asked.headers["x-server-timeout"]) >= 10


@pytest.mark.parametrize("model", [FLASH, HAIKU, NANO, OLLAMA])
async def test_every_dialect_gets_the_same_bytes_parts_and_instructions(model: str, first: ModelEmulator) -> None:
    async with asking(model, providers=accounts(**{model.split(":")[0]: first})) as models:
        reply = await models.ask(a_question(a_text("good morning"), a_picture(note="frame 17 of 300")))

    asked = first.requests[0]
    assert (reply.outcome, asked.model) == ("ok", model.split(":", 1)[1])
    assert [(blob.data, blob.media_type) for blob in blobs(asked)] == [(PICTURE, "image/jpeg")]
    assert "good morning" in texts(asked)
    assert '<part id="file:0" nonce="0badcafe" role="picture" note="frame 17 of 300">' in texts(asked)
    assert "Judge the parts." in asked.instructions
    assert "good morning" not in asked.instructions
    assert asked.schema is not None


async def test_many_parts_keep_their_order_each_behind_its_own_fence(first: ModelEmulator) -> None:
    frames = [
        ImagePart(id=f"file:0/frame:{n}", data=bytes([n]) * 9, media_type="image/png", width_px=1, height_px=1)
        for n in range(16)
    ]

    async with asking(FLASH, providers=accounts(gemini=first)) as models:
        await models.ask(a_question(a_text(), *frames))

    parts = [part if isinstance(part, str) else part.data for part in first.requests[0].parts]
    pictures = [frame.data for frame in frames]
    assert [part for part in parts if isinstance(part, bytes)] == pictures
    for frame in frames:
        header = parts[parts.index(frame.data) - 1]
        assert isinstance(header, str)
        assert f'id="{frame.id}"' in header


@pytest.mark.parametrize("model", [FLASH, HAIKU, NANO, OLLAMA])
async def test_the_key_travels_in_a_header_alone(model: str, first: ModelEmulator) -> None:
    provider = model.split(":")[0]

    async with asking(model, providers=accounts(**{provider: first})) as models:
        await models.ask(a_question())

    asked = first.requests[0]
    holding = [name for name, value in asked.headers.items() if f"key-of-{provider}" in value]
    assert holding in (["x-goog-api-key"], ["authorization"], ["x-api-key"])
    assert f"key-of-{provider}" not in json.dumps(asked.body)


async def test_an_unknown_anthropic_model_answers_through_a_tool(first: ModelEmulator) -> None:
    async with asking("anthropic:claude-next-1", providers=accounts(anthropic=first)) as models:
        reply = await models.ask(a_question())

    assert reply.outcome == "ok"
    assert "output_config" not in first.requests[0].body
    assert first.requests[0].body["tools"]


async def test_fall_backs_get_their_own_names_for_the_token_limit(first: ModelEmulator, second: ModelEmulator) -> None:
    first.fault("http-503")

    async with asking(NANO, OLLAMA, providers=accounts(openai=first, local=second), profile={"max_tokens": 300}) as models:
        await models.ask(a_question())

    assert first.requests[0].body["max_completion_tokens"] == 300
    assert second.requests[0].body["max_tokens"] == 300
    assert not first.requests[0].body.get("stream")
    assert "reasoning_effort" not in second.requests[0].body


async def test_a_local_server_without_a_key_never_sees_another_providers(first: ModelEmulator, second: ModelEmulator) -> None:
    first.fault("http-503")
    providers = accounts(openai=first, local=second).model_copy(update={"local_api_key": None})

    async with asking(NANO, OLLAMA, providers=providers) as models:
        reply = await models.ask(a_question())

    assert reply.outcome == "ok"
    assert "key-of-openai" not in json.dumps(second.requests[0].headers)


async def test_vertex_ai_is_asked_in_the_project_and_place(first: ModelEmulator) -> None:
    providers = accounts(gemini=first).model_copy(
        update={
            "gemini_api_key": None,
            "google_cloud_project": "bakery",
            "google_credentials": Credentials(token="token-of-bakery"),  # type: ignore[no-untyped-call]
        }
    )

    async with asking(FLASH, providers=providers) as models:
        reply = await models.ask(a_question())

    asked = first.requests[0]
    assert (reply.outcome, asked.model) == ("ok", "gemini-3-flash-preview")
    assert asked.headers["authorization"] == "Bearer token-of-bakery"
    assert "x-goog-api-key" not in asked.headers


async def test_credentials_that_google_does_not_renew_are_an_outage(second: ModelEmulator) -> None:
    providers = accounts(anthropic=second).model_copy(
        update={"google_cloud_project": "bakery", "google_credentials": AnonymousCredentials()}  # type: ignore[no-untyped-call]
    )

    async with asking(FLASH, HAIKU, providers=providers) as models:
        reply = await models.ask(a_question())

    assert (reply.outcome, reply.calls[0].note, len(second.requests)) == ("ok", "key_refused", 1)


async def test_a_re_ask_says_what_was_wrong_and_nothing_of_it_becomes_an_instruction(first: ModelEmulator) -> None:
    first.answers.append({**RIGHT, "parts": ["text:0"]})

    async with asking(FLASH, providers=accounts(gemini=first)) as models:
        reply = await models.ask(a_question(a_text("CANARY")))

    again = first.requests[1]
    assert reply.outcome == "ok"
    assert re.search(r"`parts` must name every part", json.dumps(again.body["contents"]))
    assert again.instructions.endswith(first.requests[0].instructions)
    assert "CANARY" not in again.instructions
