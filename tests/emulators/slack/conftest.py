"""An emulated Slack, the vendor's client, a bot made with the vendor's framework, and a plain socket."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from emulators.slack import SlackEmulator

Json = dict[str, Any]


def picture(width: int = 1134, height: int = 362, colour: str = "red") -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(content, "PNG")
    return content.getvalue()


CAT = ("cat.png", picture())


@dataclass
class Bot:
    """An app of the vendor's framework that keeps what it hears; a test may register listeners before `connect`."""

    app: AsyncApp
    slack: SlackEmulator
    events: list[Json] = field(default_factory=list)
    bodies: list[Json] = field(default_factory=list)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def connect(self, **options: Any) -> AsyncSocketModeHandler:
        """Connect by Socket Mode."""
        self._catch_all()
        token = self.slack.environment["SLACK_APP_TOKEN"]
        web_client = AsyncWebClient(token=token, base_url=self.slack.api_url)
        handler = AsyncSocketModeHandler(self.app, token, web_client=web_client, **options)
        await handler.connect_async()
        self.stack.push_async_callback(handler.close_async)
        return handler

    async def listen(self) -> str:
        """Serve a request URL and return it."""
        self._catch_all()

        async def on_request(request: web.Request) -> web.Response:
            return await to_aiohttp_response(await self.app.async_dispatch(await to_bolt_request(request)))

        server = web.Application()
        server.router.add_post("/slack/events", on_request)
        runner = web.AppRunner(server)
        await runner.setup()
        self.stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        return f"http://127.0.0.1:{port}/slack/events"

    def _catch_all(self) -> None:
        async def hear(event: Json, body: Json) -> None:
            self.events.append(event)
            self.bodies.append(body)

        for name in (
            "message",
            "app_mention",
            "file_shared",
            "file_change",
            "file_deleted",
            "member_joined_channel",
            "tokens_revoked",
        ):
            self.app.event(name)(hear)


@pytest.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator(ack_s=2.0, retry_waits_s=(0.0, 0.01, 0.02)) as emulator:
        yield emulator


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def client(slack: SlackEmulator) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)


@pytest.fixture
async def bot(slack: SlackEmulator, client: AsyncWebClient) -> AsyncIterator[Bot]:
    secret = slack.environment["SLACK_SIGNING_SECRET"]
    bot = Bot(app=AsyncApp(client=client, signing_secret=secret, process_before_response=True), slack=slack)
    async with bot.stack:
        yield bot


@dataclass
class Socket:
    """A plain WebSocket that speaks Socket Mode by hand."""

    wire: aiohttp.ClientWebSocketResponse

    async def frame(self) -> Json:
        frame: Json = await self.wire.receive_json(timeout=3)
        return frame

    async def acknowledge(self, frame: Json, payload: Json | None = None) -> None:
        await self.wire.send_json({"envelope_id": frame["envelope_id"]} | ({"payload": payload} if payload else {}))


@pytest.fixture
def socket(slack: SlackEmulator, http: aiohttp.ClientSession) -> Callable[[], Awaitable[Socket]]:
    """Return what opens a socket, whose first frame is still to be read."""

    async def opened() -> Socket:
        headers = {"Authorization": f"Bearer {slack.environment['SLACK_APP_TOKEN']}"}
        async with http.post(slack.api_url + "apps.connections.open", headers=headers) as response:
            url = (await response.json())["url"]
        return Socket(await http.ws_connect(url))

    return opened


def button(action_id: str = "case_delete", value: str = "case-42") -> list[Json]:
    element = {"type": "button", "action_id": action_id, "value": value, "text": {"type": "plain_text", "text": "Delete"}}
    return [{"type": "actions", "block_id": "b", "elements": [element]}]


def modal(**changes: Any) -> Json:
    """Return a form with one field."""
    view = {
        "type": "modal",
        "callback_id": "remix",
        "private_metadata": "m",
        "title": {"type": "plain_text", "text": "Remix"},
        "submit": {"type": "plain_text", "text": "Go"},
        "blocks": [
            {
                "type": "input",
                "block_id": "prompt",
                "label": {"type": "plain_text", "text": "Prompt"},
                "element": {"type": "plain_text_input", "action_id": "value"},
            }
        ],
    }
    return view | changes
