"""Bodies captured from the SDKs, or printed by the vendors, as they stand: they are read and written without a loss."""

from typing import Any

import aiohttp
import pytest

from emulators import google
from emulators.gemini import ModelEmulator
from emulators.google_files import FILES_URL
from emulators.wire import Blob
from tests.emulators.questions import GEMINI, MODEL, OPENAI, PICTURE, PICTURE_PLAIN, PICTURE_URLSAFE, address

# What pydantic-ai 2.68 with google-genai 2.34 puts on the wire: names in mixed case, urlsafe base64.
CAPTURED: dict[str, Any] = {
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "verdict?"},
                {
                    "mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"},
                    "inlineData": {"data": "_9j_4D4-Pj8_", "mime_type": "image/jpeg"},
                },
                {"fileData": {"file_uri": f"{FILES_URL}/files/abc", "mime_type": "application/pdf"}},
            ],
        }
    ],
    "systemInstruction": {"role": "user", "parts": [{"text": "Moderate."}]},
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
    "serviceTier": "flex",
    "generationConfig": {
        "maxOutputTokens": 512,
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object", "properties": {"snake_case": {"type": "string"}}},
        "responseModalities": ["TEXT"],
        "thinkingConfig": {"thinking_level": "MINIMAL", "include_thoughts": True},
    },
}

ANSWERED: dict[str, Any] = {
    "candidates": [
        {"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [{"text": '{"action": "allow"}'}]}}
    ],
    "usageMetadata": {
        "promptTokenCount": 1123,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 64,
        "totalTokenCount": 1192,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}, {"modality": "IMAGE", "tokenCount": 1120}],
    },
    "modelVersion": "gemini-3-flash-preview",
    "responseId": "r1",
}

BLOCKED: dict[str, Any] = {
    "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
    "usageMetadata": {"promptTokenCount": 1125, "totalTokenCount": 1125},
}

OVER_QUOTA: dict[str, Any] = {
    "error": {
        "code": 429,
        "status": "RESOURCE_EXHAUSTED",
        "message": "You exceeded your current quota. Please retry in 45.8s.",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [
                    {
                        "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
                        "quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
                        "quotaValue": "10",
                    }
                ],
            },
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "45.837906927s"},
        ],
    }
}


async def test_a_captured_request_is_decoded_in_full(emulator: ModelEmulator, http: aiohttp.ClientSession) -> None:
    emulator.files["files/abc"] = Blob(data=b"%PDF-1.7", media_type="application/pdf")
    emulator.answers.append("fine")

    async with http.post(address(emulator, "gemini"), json=CAPTURED, headers={"x-goog-api-key": "k"}) as response:
        assert response.status == 200

    (asked,) = emulator.requests
    assert (asked.dialect, asked.model, asked.instructions, asked.thinking) == ("gemini", MODEL, "Moderate.", "MINIMAL")
    assert asked.parts == (
        "verdict?",
        Blob(data=b"\xff\xd8\xff\xe0>>>?\x3f", media_type="image/jpeg", resolution="MEDIA_RESOLUTION_LOW"),
        Blob(data=b"%PDF-1.7", media_type="application/pdf"),
    )
    assert asked.schema == CAPTURED["generationConfig"]["responseJsonSchema"]
    assert asked.body == CAPTURED
    assert asked.headers["x-goog-api-key"] == "k"


@pytest.mark.parametrize("spell", [pytest.param(str, id="as-it-is"), pytest.param(google.snake_case, id="all-in-snake-case")])
async def test_every_field_may_be_spelt_both_ways(emulator: ModelEmulator, http: aiohttp.ClientSession, spell: Any) -> None:
    emulator.files["files/abc"] = Blob(data=b"%PDF-1.7", media_type="application/pdf")
    emulator.answers.append("fine")

    async with http.post(address(emulator, "gemini"), json=_spelt(CAPTURED, spell)) as response:
        assert response.status == 200

    (asked,) = emulator.requests
    assert (asked.instructions, asked.thinking, len(asked.parts)) == ("Moderate.", "MINIMAL", 3)
    assert isinstance(asked.parts[1], Blob)
    assert asked.parts[1].resolution == "MEDIA_RESOLUTION_LOW"


async def test_a_complete_answer_has_the_vendors_form(emulator: ModelEmulator, http: aiohttp.ClientSession) -> None:
    emulator.answers.append({"action": "allow"})
    config = {"thinkingConfig": {"thinkingLevel": "low"}}
    body = {"contents": [{"parts": [GEMINI["contents"][0]["parts"][1], {"text": "0123456789"}]}], "generationConfig": config}

    async with http.post(address(emulator, "gemini"), json=body) as response:
        answered = await response.json()

    assert answered == ANSWERED


@pytest.mark.parametrize(
    ("fault", "status", "expected"),
    [
        pytest.param("block-prohibited-content", 200, BLOCKED, id="blocked"),
        pytest.param("http-429-minute", 429, OVER_QUOTA, id="over-quota"),
    ],
)
async def test_a_refusal_has_the_vendors_form(
    emulator: ModelEmulator, http: aiohttp.ClientSession, fault: str, status: int, expected: dict[str, Any]
) -> None:
    emulator.fault(fault)

    async with http.post(address(emulator, "gemini"), json=GEMINI) as response:
        seen = response.status, await response.json(), response.headers.get("Retry-After")

    assert seen == (status, expected, None)


async def test_a_bad_key_has_the_vendors_reason(http: aiohttp.ClientSession) -> None:
    async with ModelEmulator(key="right") as emulator:
        url = address(emulator, "gemini")
        async with http.post(url, json=GEMINI, headers={"x-goog-api-key": "wrong"}) as response:
            status, error = response.status, (await response.json())["error"]

    assert (status, error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["details"][0]["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    assert error["details"][0]["reason"] == "API_KEY_INVALID"


@pytest.mark.parametrize("data", [pytest.param(PICTURE_URLSAFE, id="urlsafe"), pytest.param(PICTURE_PLAIN, id="plain")])
async def test_both_base64_alphabets_give_the_same_bytes(
    emulator: ModelEmulator, http: aiohttp.ClientSession, data: str
) -> None:
    emulator.answers.append("fine")
    body = {"contents": {"parts": [{"inline_data": {"data": data, "mimeType": "image/jpeg"}}]}}

    async with http.post(address(emulator, "gemini"), json=body) as response:
        assert response.status == 200

    assert emulator.requests[0].parts == (Blob(data=PICTURE, media_type="image/jpeg"),)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(f"v1/models/{MODEL}", id="v1"),
        pytest.param(f"v1beta/models/{MODEL}", id="v1beta"),
        pytest.param(f"v1alpha/models/{MODEL}", id="v1alpha"),
        pytest.param(f"gem/deeper/v1beta/models/{MODEL}", id="under-a-prefix"),
        pytest.param(f"v1beta1/publishers/google/models/{MODEL}", id="vertex-express"),
        pytest.param(f"v1beta1/projects/p/locations/global/publishers/google/models/{MODEL}", id="vertex-project"),
        pytest.param(f"v1/projects/p/locations/us-central1/publishers/google/models/{MODEL}", id="vertex-v1"),
    ],
)
async def test_gemini_answers_on_each_of_its_paths(emulator: ModelEmulator, http: aiohttp.ClientSession, path: str) -> None:
    emulator.answers.append("fine")

    async with http.post(f"{emulator.base_url}/{path}:generateContent", json=GEMINI) as response:
        assert response.status == 200

    assert emulator.requests[0].model == MODEL


async def test_a_file_is_taken_by_resumable_upload(emulator: ModelEmulator, http: aiohttp.ClientSession) -> None:
    announced = {
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": "13",
        "X-Goog-Upload-Header-Content-Type": "application/pdf",
    }
    body = {"file": {"mime_type": "application/pdf", "size_bytes": 13}}
    async with http.post(f"{emulator.base_url}/upload/v1beta/files", json=body, headers=announced) as response:
        where = response.headers["X-Goog-Upload-URL"]
    last = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}
    async with http.post(where, data=b"%PDF-1.7 cats", headers=last) as response:
        uploaded, status = (await response.json())["file"], response.headers["X-Goog-Upload-Status"]
    async with http.get(f"{emulator.base_url}/v1beta/{uploaded['name']}") as response:
        later = await response.json()
    async with http.delete(f"{emulator.base_url}/v1beta/{uploaded['name']}") as response:
        assert response.status == 200
    async with http.get(f"{emulator.base_url}/v1beta/{uploaded['name']}") as response:
        gone = response.status

    assert (status, uploaded["state"], later["state"], gone) == ("final", "PROCESSING", "ACTIVE", 403)
    assert uploaded["uri"].startswith("https://generativelanguage.googleapis.com/v1beta/files/")
    assert (uploaded["mimeType"], uploaded["sizeBytes"]) == ("application/pdf", "13")


async def test_openai_s_data_urls_are_decoded(emulator: ModelEmulator, http: aiohttp.ClientSession) -> None:
    emulator.answers.append("fine")

    async with http.post(address(emulator, "openai"), json=OPENAI) as response:
        assert response.status == 200

    (asked,) = emulator.requests
    assert (asked.dialect, asked.model, asked.instructions) == ("openai", "gpt-4o-mini", "Moderate.")
    assert asked.parts == ("verdict?", Blob(data=PICTURE, media_type="image/jpeg"))


def _spelt(value: Any, spell: Any) -> Any:
    if isinstance(value, list):
        return [_spelt(item, spell) for item in value]
    if isinstance(value, dict):
        return {spell(key): _spelt(item, spell) for key, item in value.items()}
    return value
