"""The vendors' own clients and pydantic-ai work against the emulator, unmodified."""

import json
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import openai
import pytest
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, NativeOutput, PromptedOutput, ToolOutput, UploadedFile
from pydantic_ai.exceptions import ContentFilterError, ModelRateLimitError
from pydantic_ai.models import Model
from pydantic_ai.models.google import GoogleModel, GoogleModelSettings
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.google_cloud import GoogleCloudProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

from emulators.gemini import ModelEmulator
from emulators.wire import Blob
from tests.emulators.questions import ANSWER, ANTHROPIC, MODEL, OPENAI, PICTURE, SCHEMA, TEXT

# The bare google-genai client derives its own session class, which aiohttp discourages.
ITS_SESSION = "ignore:Inheritance class AiohttpClientSession:DeprecationWarning"


class Verdict(BaseModel):
    choice: str
    confidence: float


RIGHT = Verdict(choice="allow", confidence=0.9)


@pytest.fixture
async def google(emulator: ModelEmulator) -> AsyncIterator[Any]:
    client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=emulator.base_url))
    async with client.aio as asynchronous:
        yield asynchronous
    client.close()


TOKEN = Credentials("k")  # type: ignore[no-untyped-call]


@pytest.mark.filterwarnings(ITS_SESSION)
class TestGoogle:
    async def test_generate_content(self, emulator: ModelEmulator, google: Any) -> None:
        emulator.answers.append(ANSWER)

        answered = await google.models.generate_content(
            model=MODEL,
            contents=["verdict?", types.Part.from_bytes(data=PICTURE, mime_type="image/jpeg")],
            config=types.GenerateContentConfig(
                system_instruction="Moderate.",
                response_mime_type="application/json",
                response_json_schema=SCHEMA,
                thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW),
            ),
        )

        assert json.loads(answered.text) == ANSWER
        assert answered.candidates[0].finish_reason is types.FinishReason.STOP
        assert (answered.model_version, answered.usage_metadata.thoughts_token_count) == (MODEL, 64)
        (asked,) = emulator.requests
        assert (asked.instructions, asked.thinking, asked.schema) == ("Moderate.", "LOW", SCHEMA)
        assert asked.parts == ("verdict?", Blob(data=PICTURE, media_type="image/jpeg"))
        assert asked.headers["x-goog-api-key"] == "k"

    async def test_stream(self, emulator: ModelEmulator, google: Any) -> None:
        emulator.answers.append("two halves of it")

        chunks = [chunk async for chunk in await google.models.generate_content_stream(model=MODEL, contents="verdict?")]

        assert [chunk.text for chunk in chunks] == ["two halv", "es of it"]
        assert chunks[-1].candidates[0].finish_reason is types.FinishReason.STOP

    async def test_a_stream_ends_as_the_fault_wants(self, emulator: ModelEmulator, google: Any) -> None:
        emulator.answers.append("eight ch")
        emulator.fault("finish-safety-cut")

        chunks = [chunk async for chunk in await google.models.generate_content_stream(model=MODEL, contents="verdict?")]

        assert "".join(chunk.text for chunk in chunks) == "eigh"
        assert chunks[-1].candidates[0].finish_reason is types.FinishReason.SAFETY

    async def test_count_tokens(self, google: Any) -> None:
        counted = await google.models.count_tokens(
            model=MODEL, contents=["12345678", types.Part.from_bytes(data=PICTURE, mime_type="image/jpeg")]
        )

        assert counted.total_tokens == 2 + 1120

    async def test_files(self, emulator: ModelEmulator, google: Any) -> None:
        emulator.answers.append("a document")

        uploaded = await google.files.upload(file=BytesIO(b"%PDF-1.7 cats"), config={"mime_type": "application/pdf"})
        ready = await google.files.get(name=uploaded.name)
        await google.models.generate_content(model=MODEL, contents=["what?", ready])
        listed = [file.name async for file in await google.files.list()]
        await google.files.delete(name=uploaded.name)

        assert (uploaded.state, ready.state) == (types.FileState.PROCESSING, types.FileState.ACTIVE)
        assert (ready.size_bytes, listed) == (13, [uploaded.name])
        assert emulator.requests[0].parts[1] == Blob(data=b"%PDF-1.7 cats", media_type="application/pdf")
        assert emulator.files == {}

    async def test_models(self, google: Any) -> None:
        names = [model.name async for model in await google.models.list()]

        assert f"models/{MODEL}" in names
        assert (await google.models.get(model=MODEL)).input_token_limit == 1_048_576

    async def test_an_error_is_typed(self, emulator: ModelEmulator, google: Any) -> None:
        emulator.fault("http-400-key")

        with pytest.raises(errors.ClientError) as error:
            await google.models.generate_content(model=MODEL, contents="verdict?")

        assert (error.value.code, error.value.status) == (400, "INVALID_ARGUMENT")

    async def test_a_short_timeout_meets_the_shortest_deadline(self, emulator: ModelEmulator, google: Any) -> None:
        emulator.answers.append("fine")
        short = types.GenerateContentConfig(http_options=types.HttpOptions(timeout=5_000))

        with pytest.raises(errors.ClientError, match="Minimum allowed deadline is 10s"):
            await google.models.generate_content(model=MODEL, contents="verdict?", config=short)

    @pytest.mark.parametrize(
        "how",
        [
            pytest.param({"api_key": "k"}, id="express"),
            pytest.param({"project": "p", "location": "global", "credentials": TOKEN}, id="project"),
        ],
    )
    async def test_vertex(self, emulator: ModelEmulator, how: dict[str, Any]) -> None:
        emulator.answers.append("fine")

        client = genai.Client(vertexai=True, http_options=types.HttpOptions(base_url=emulator.base_url), **how)
        async with client.aio as asynchronous:
            answered = await asynchronous.models.generate_content(model=MODEL, contents="verdict?")
        client.close()

        assert answered.text == "fine"
        assert emulator.requests[0].model == MODEL


@pytest.fixture
async def gpt(emulator: ModelEmulator) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key="k", base_url=f"{emulator.base_url}/v1", max_retries=0) as client:
        yield client


class TestOpenAI:
    async def test_json_schema(self, emulator: ModelEmulator, gpt: AsyncOpenAI) -> None:
        emulator.answers.append(ANSWER)

        answered = await gpt.chat.completions.create(**OPENAI)

        assert answered.choices[0].finish_reason == "stop"
        assert json.loads(answered.choices[0].message.content or "") == ANSWER
        assert answered.usage
        assert answered.usage.prompt_tokens == 1120 + 5
        assert emulator.requests[0].headers["authorization"] == "Bearer k"

    async def test_json_object(self, emulator: ModelEmulator, gpt: AsyncOpenAI) -> None:
        emulator.answers.append(ANSWER)

        answered = await gpt.chat.completions.create(**{**OPENAI, "response_format": {"type": "json_object"}})

        assert json.loads(answered.choices[0].message.content or "") == ANSWER
        assert emulator.requests[0].schema is None

    async def test_a_forced_tool_is_called(self, emulator: ModelEmulator, gpt: AsyncOpenAI) -> None:
        emulator.answers.append(ANSWER)
        tool: Any = {"type": "function", "function": {"name": "answer", "parameters": SCHEMA}}
        forced: Any = {"type": "function", "function": {"name": "answer"}}
        asked = {name: OPENAI[name] for name in ("model", "messages")}

        answered = await gpt.chat.completions.create(**asked, tools=[tool], tool_choice=forced)

        (call,) = answered.choices[0].message.tool_calls or []
        assert answered.choices[0].finish_reason == "tool_calls"
        assert (call.function.name, json.loads(call.function.arguments)) == ("answer", ANSWER)
        assert emulator.requests[0].schema == SCHEMA

    async def test_a_forced_tool_is_called_in_a_stream(self, emulator: ModelEmulator, gpt: AsyncOpenAI) -> None:
        emulator.answers.append(ANSWER)
        tool: Any = {"type": "function", "function": {"name": "answer", "parameters": SCHEMA}}
        asked = {name: OPENAI[name] for name in ("model", "messages")}

        chunks = await gpt.chat.completions.create(**asked, tools=[tool], tool_choice="required", stream=True)
        calls = [call async for chunk in chunks for choice in chunk.choices for call in choice.delta.tool_calls or ()]

        assert [(call.index, call.function and call.function.arguments) for call in calls] == [(0, TEXT)]

    async def test_stream(self, emulator: ModelEmulator, gpt: AsyncOpenAI) -> None:
        emulator.answers.append(ANSWER)

        chunks = [chunk async for chunk in await gpt.chat.completions.create(**OPENAI, stream=True)]

        assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices) == TEXT
        assert [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1] == "stop"

    async def test_an_error_is_typed(self, emulator: ModelEmulator, gpt: AsyncOpenAI) -> None:
        emulator.fault("openai-quota")

        with pytest.raises(openai.RateLimitError) as error:
            await gpt.chat.completions.create(**OPENAI)

        assert (error.value.code, len(emulator.requests)) == ("insufficient_quota", 1)


@pytest.fixture
async def claude(emulator: ModelEmulator) -> AsyncIterator[Any]:
    from anthropic import AsyncAnthropic  # not above: it takes seconds, of every process that collects tests

    async with AsyncAnthropic(api_key="k", base_url=emulator.base_url, max_retries=0) as client:
        yield client


class TestAnthropic:
    async def test_json_schema(self, emulator: ModelEmulator, claude: Any) -> None:
        emulator.answers.append(ANSWER)

        answered = await claude.messages.create(**ANTHROPIC)

        assert answered.stop_reason == "end_turn"
        assert answered.content[0].type == "text"
        assert json.loads(answered.content[0].text) == ANSWER
        assert answered.usage.input_tokens == 1120 + 5

    async def test_a_forced_tool_is_used(self, emulator: ModelEmulator, claude: Any) -> None:
        emulator.answers.append(ANSWER)
        tool: Any = {"name": "answer", "input_schema": SCHEMA}
        asked = {name: ANTHROPIC[name] for name in ("model", "messages", "max_tokens")}

        answered = await claude.messages.create(**asked, tools=[tool], tool_choice={"type": "tool", "name": "answer"})

        assert answered.stop_reason == "tool_use"
        assert answered.content[0].type == "tool_use"
        assert (answered.content[0].name, answered.content[0].input) == ("answer", ANSWER)
        assert emulator.requests[0].schema == SCHEMA

    async def test_stream(self, emulator: ModelEmulator, claude: Any) -> None:
        emulator.answers.append(ANSWER)

        async with claude.messages.stream(**ANTHROPIC) as stream:
            text = "".join([piece async for piece in stream.text_stream])
            ended = await stream.get_final_message()

        assert text == TEXT
        assert (ended.stop_reason, ended.usage.output_tokens) == ("end_turn", -(-len(TEXT) // 4))

    async def test_a_stream_ends_as_the_fault_wants(self, emulator: ModelEmulator, claude: Any) -> None:
        emulator.fault("anthropic-refusal")

        async with claude.messages.stream(**ANTHROPIC) as stream:
            ended = await stream.get_final_message()

        assert (ended.stop_reason, ended.content) == ("refusal", [])

    async def test_an_error_is_typed(self, emulator: ModelEmulator, claude: Any) -> None:
        from anthropic import APIStatusError

        emulator.fault("anthropic-529")

        with pytest.raises(APIStatusError) as error:
            await claude.messages.create(**ANTHROPIC)

        assert (error.value.status_code, error.value.type) == (529, "overloaded_error")


def model_of(dialect: str, emulator: ModelEmulator, settings: ModelSettings | None = None) -> Model:
    match dialect:
        case "gemini":
            return GoogleModel(MODEL, provider=GoogleProvider(api_key="k", base_url=emulator.base_url), settings=settings)
        case "vertex":
            vertex = GoogleCloudProvider(api_key="k", base_url=emulator.base_url)
            return GoogleModel(MODEL, provider=vertex, settings=settings)
        case "openai":
            gpt = OpenAIProvider(api_key="k", base_url=f"{emulator.base_url}/v1")
            return OpenAIChatModel("gpt-4o-mini", provider=gpt, settings=settings)
        case _:
            from pydantic_ai.models.anthropic import AnthropicModel
            from pydantic_ai.providers.anthropic import AnthropicProvider

            claude = AnthropicProvider(api_key="k", base_url=emulator.base_url)
            return AnthropicModel("claude-haiku-4-5", provider=claude, settings=settings)


async def judge(model: Model, output: Any, *more: Any) -> Any:
    agent: Agent[None, Any] = Agent(output_type=output, instructions="Judge.", retries=1)
    async with model:
        return await agent.run(["verdict?", BinaryContent(PICTURE, media_type="image/jpeg"), *more], model=model)


DIALECTS = ["gemini", "vertex", "openai", "anthropic"]


@pytest.mark.parametrize("dialect", DIALECTS)
class TestPydanticAI:
    @pytest.mark.parametrize(
        "output",
        [
            pytest.param(NativeOutput(Verdict), id="native"),
            pytest.param(ToolOutput(Verdict, name="verdict"), id="tool"),
            pytest.param(PromptedOutput(Verdict), id="prompted"),
        ],
    )
    async def test_a_typed_answer(self, emulator: ModelEmulator, dialect: str, output: Any) -> None:
        emulator.answers.append(RIGHT)

        ran = await judge(model_of(dialect, emulator, ModelSettings(max_tokens=512)), output)

        (asked,) = emulator.requests
        assert ran.output == RIGHT
        calls = isinstance(output, ToolOutput) and dialect in ("openai", "anthropic")  # Gemini ends a call with STOP too
        assert ran.response.finish_reason == ("tool_call" if calls else "stop")
        assert asked.parts == ("verdict?", Blob(data=PICTURE, media_type="image/jpeg"))
        assert asked.instructions.startswith("Judge.")
        if not isinstance(output, PromptedOutput):
            assert set((asked.schema or {})["properties"]) == {"choice", "confidence"}
        assert ran.usage.input_tokens > 1120

    async def test_without_a_token_limit(self, emulator: ModelEmulator, dialect: str) -> None:
        emulator.answers.append(RIGHT)

        ran = await judge(model_of(dialect, emulator), NativeOutput(Verdict))

        assert ran.output == RIGHT
        assert emulator.requests[0].body.get("stream", False) is (dialect == "anthropic")

    async def test_a_re_ask_carries_what_was_wrong(self, emulator: ModelEmulator, dialect: str) -> None:
        emulator.answers.append(RIGHT)
        emulator.fault("schema-violation", times=1)

        ran = await judge(model_of(dialect, emulator, ModelSettings(max_tokens=512)), NativeOutput(Verdict))

        assert (ran.output, len(emulator.requests)) == (RIGHT, 2)
        assert any("Field required" in part for part in emulator.requests[1].parts if isinstance(part, str))

    async def test_a_rate_limit_is_typed(self, emulator: ModelEmulator, dialect: str) -> None:
        emulator.fault("http-429-retry-after")

        with pytest.raises(ModelRateLimitError) as error:
            await judge(model_of(dialect, emulator, ModelSettings(max_tokens=512, max_retries=0)), NativeOutput(Verdict))

        assert (error.value.retry_after, len(emulator.requests)) == (7.0, 1)

    async def test_a_refusal_is_typed(self, emulator: ModelEmulator, dialect: str) -> None:
        refusals = {"openai": "openai-filter", "anthropic": "anthropic-refusal"}
        emulator.fault(refusals.get(dialect, "block-prohibited-content"))

        with pytest.raises(ContentFilterError):
            await judge(model_of(dialect, emulator, ModelSettings(max_tokens=512)), NativeOutput(Verdict))


async def test_pydantic_ai_sends_level_resolution_and_uploaded_file(emulator: ModelEmulator) -> None:
    emulator.answers.append(RIGHT)
    emulator.files["files/abc"] = Blob(data=b"%PDF-1.7", media_type="application/pdf")
    picture = BinaryContent(
        PICTURE, media_type="image/jpeg", vendor_metadata={"media_resolution": {"level": "MEDIA_RESOLUTION_LOW"}}
    )
    document = UploadedFile(
        file_id="https://generativelanguage.googleapis.com/v1beta/files/abc",
        provider_name="google",
        media_type="application/pdf",
    )

    await judge(
        model_of("gemini", emulator, GoogleModelSettings(thinking=False, max_tokens=512)),
        NativeOutput(Verdict),
        picture,
        document,
    )

    (asked,) = emulator.requests
    assert asked.thinking == "MINIMAL"
    assert asked.parts[2:] == (
        Blob(data=PICTURE, media_type="image/jpeg", resolution="MEDIA_RESOLUTION_LOW"),
        Blob(data=b"%PDF-1.7", media_type="application/pdf"),
    )
