"""Nothing in the environment decides whom we ask: only what the composition root hands in."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from emulators.gemini import ModelEmulator
from pipelines.models.clients import Clients
from pipelines.models.profiles import Profile, Providers
from tests.models.asking import FLASH, HAIKU, NANO, OLLAMA, a_question, accounts, asking

# Where this process connects to, and which names it looks up, while a test listens. An audit hook stays for good.
_contacts: list[tuple[str, Any]] | None = None


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if _contacts is None:
        return
    if event == "socket.connect":
        _contacts.append(("connect", arguments[1]))
    elif event == "socket.getaddrinfo":
        _contacts.append(("look up", arguments[0]))


sys.addaudithook(_listen)


@pytest.fixture
async def decoy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[bytes]]:
    """Point every variable that the vendors' libraries know at a server that only takes notes."""
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    addresses = ("GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL", "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL")
    for name in (*addresses, "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, url)
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.setenv(name, "stray-key")
    for name in ("GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_ENTERPRISE"):
        monkeypatch.setenv(name, "true")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "stray-project")
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "mars-east1")
    for name in ("OPENAI_LOG", "ANTHROPIC_LOG"):
        monkeypatch.setenv(name, "debug")
    yield heard
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("model", [FLASH, HAIKU, NANO, OLLAMA])
async def test_stray_variables_neither_redirect_a_question_nor_lend_their_keys(
    model: str, first: ModelEmulator, decoy: list[bytes]
) -> None:
    provider = model.split(":")[0]

    async with asking(model, providers=accounts(**{provider: first})) as models:
        reply = await models.ask(a_question())

    assert (reply.outcome, len(first.requests), decoy) == ("ok", 1, [])
    assert "stray" not in str(first.requests[0].headers)
    assert f"key-of-{provider}" in str(first.requests[0].headers)


@pytest.mark.parametrize(
    ("model", "fields", "address"),
    [
        pytest.param(FLASH, {"gemini_api_key": "k"}, "https://generativelanguage.googleapis.com", id="ai-studio"),
        pytest.param(FLASH, {"google_cloud_project": "p"}, "https://aiplatform.googleapis.com", id="vertex-global"),
        pytest.param(
            FLASH,
            {"google_cloud_project": "p", "google_cloud_location": "europe-west4"},
            "https://europe-west4-aiplatform.googleapis.com",
            id="vertex-region",
        ),
        pytest.param(
            FLASH,
            {"google_cloud_project": "p", "google_cloud_location": "eu"},
            "https://aiplatform.eu.rep.googleapis.com",
            id="vertex-union",
        ),
        pytest.param(HAIKU, {"anthropic_api_key": "k"}, "https://api.anthropic.com", id="anthropic"),
        pytest.param(NANO, {"openai_api_key": "k"}, "https://api.openai.com/v1", id="openai"),
    ],
)
@pytest.mark.usefixtures("decoy")
async def test_without_an_address_it_is_the_vendors_own(model: str, fields: dict[str, str], address: str) -> None:
    keys = {name: SecretStr(value) if name.endswith("key") else value for name, value in fields.items()}
    clients = Clients(Providers.model_validate(keys))

    made = await clients.model(model, Profile())
    await clients.close()

    assert str(made.base_url).rstrip("/") == address


async def test_only_the_configured_addresses_are_contacted_and_no_name_is_looked_up(
    first: ModelEmulator, second: ModelEmulator
) -> None:
    global _contacts
    first.fault("http-503")
    providers = accounts(gemini=first, anthropic=second)
    configured = {int(emulator.base_url.rsplit(":", 1)[1]) for emulator in (first, second)}

    _contacts = []
    try:
        async with asking(FLASH, HAIKU, providers=providers) as models:
            reply = await models.ask(a_question())
        contacts = _contacts
    finally:
        _contacts = None

    assert reply.outcome == "ok"
    assert {address[1] for what, address in contacts if what == "connect"} == configured
    assert {host for what, host in contacts if what == "look up"} <= {"127.0.0.1", b"127.0.0.1"}
