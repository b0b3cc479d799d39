"""What the emulator does besides being Slack: faults of calls, hooks, waiting, the control API, and its cost."""

import asyncio
import base64
import inspect
import sys
import time
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from emulators.discord import DiscordEmulator
from emulators.slack import FAULTS, Call, SlackEmulator
from emulators.slack.control import NAMED
from tests.emulators.slack.conftest import CAT, Bot, Json


async def post(client: AsyncWebClient) -> Any:
    return await client.chat_postMessage(channel="CPICS", text="a")


async def test_too_many_requests_say_when_to_come_back(slack: SlackEmulator, client: AsyncWebClient) -> None:
    slack.fault("ratelimited", method="chat.postMessage", times=1, value=30)

    with pytest.raises(SlackApiError) as caught:
        await post(client)

    response = caught.value.response
    assert (response.status_code, response.headers["Retry-After"], response["error"]) == (429, "30", "ratelimited")
    assert (await post(client))["ok"] is True


async def test_the_vendors_client_comes_back_in_time(slack: SlackEmulator, client: AsyncWebClient) -> None:
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    slack.fault("ratelimited", times=1, value=0)

    assert (await post(client))["ok"] is True
    assert [call.status for call in slack.calls[:1]] == [429]


@pytest.mark.parametrize(
    ("fault", "done"),
    [("error_500", 0), ("error_503", 0), ("html", 0), ("reset", 0), ("lost", 1), ("cut", 1)],
)
async def test_a_call_goes_wrong_before_or_after_it_is_done(slack: SlackEmulator, fault: str, done: int) -> None:
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    slack.fault(fault, method="chat.postMessage", times=1)

    with pytest.raises((SlackApiError, aiohttp.ClientError)):
        await post(client)

    assert len(await slack.messages(slack.pics)) == done


async def test_an_answer_is_slow(slack: SlackEmulator, client: AsyncWebClient) -> None:
    slack.fault("slow", value=0.2)
    began = time.monotonic()

    await post(client)

    assert time.monotonic() - began >= 0.2


async def test_faults_are_counted_and_cleared(slack: SlackEmulator, client: AsyncWebClient) -> None:
    slack.fault("is_archived", times=1)
    slack.fault("restricted_action")

    errors = []
    for _ in range(3):
        with pytest.raises(SlackApiError) as caught:
            await post(client)
        errors.append(caught.value.response["error"])
    slack.clear_faults()

    assert (errors, (await post(client))["ok"]) == (["is_archived", "restricted_action", "restricted_action"], True)
    with pytest.raises(KeyError):
        slack.fault("no such fault")
    assert all(fault.does for fault in FAULTS.values())


@pytest.mark.parametrize(("point", "done"), [("arrived", 0), ("stored", 1)])
async def test_a_hook_aborts_a_call_before_and_after_it_is_done(slack: SlackEmulator, point: Any, done: int) -> None:
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    slack.at(point, "chat.postMessage", lambda call: True)

    with pytest.raises(aiohttp.ClientError):
        await post(client)
    slack.at(point, "chat.postMessage", None)
    await post(client)

    assert len(await slack.messages(slack.pics)) == done + 1


async def test_hooks_are_called_in_order_and_may_be_coroutines(slack: SlackEmulator, client: AsyncWebClient) -> None:
    seen: list[tuple[str, int, int]] = []

    async def look(point: str, call: Call) -> bool:
        seen.append((point, call.status, len(await slack.messages(slack.pics))))
        return False

    for point in ("arrived", "stored", "answered"):
        slack.at(point, "chat.postMessage", lambda call, point=point: look(point, call))
    await post(client)
    await slack.wait_for(lambda: len(seen) == 3)

    assert seen == [("arrived", 0, 0), ("stored", 0, 1), ("answered", 200, 1)]


async def test_a_point_must_exist(slack: SlackEmulator) -> None:
    with pytest.raises(ValueError, match="finished"):
        slack.at("finished", "chat.postMessage", None)


async def test_waiting_in_vain_names_the_last_calls(slack: SlackEmulator, client: AsyncWebClient) -> None:
    await post(client)

    with pytest.raises(TimeoutError, match=r"0\.1 s; the last calls: chat\.postMessage 200"):
        await slack.wait_for(lambda: None, seconds=0.1)


@pytest.fixture
def control(slack: SlackEmulator, http: aiohttp.ClientSession) -> Any:
    """Return what calls a verb of the control API."""

    async def call(verb: str, **arguments: Any) -> tuple[int, Json]:
        async with http.post(f"{slack.origin}/control/{verb}", json=arguments) as response:
            return response.status, await response.json()

    return call


async def test_other_processes_drive_it(
    slack: SlackEmulator, http: aiohttp.ClientSession, client: AsyncWebClient, control: Any
) -> None:
    file = {"name": CAT[0], "base64": base64.b64encode(CAT[1]).decode()}
    _, posted = await control("post", channel=slack.pics, user=slack.ann, text="look", files=[file])
    await client.chat_postMessage(channel=slack.pics, text="nice", thread_ts=posted["result"])
    _, thread = await control("messages", channel=slack.pics, thread=posted["result"])
    await control("fault", name="is_archived", method="chat.postMessage", times=1)
    with pytest.raises(SlackApiError, match="is_archived"):
        await post(client)
    async with http.get(f"{slack.origin}/control/calls", params={"after": "1"}) as response:
        calls = await response.json()

    assert [message["text"] for message in thread["result"]] == ["look", "nice"]
    assert thread["result"][0]["files"][0]["size"] == len(CAT[1])
    assert [(call["method"], call["error"]) for call in calls["calls"]] == [("chat.postMessage", "is_archived")]
    assert calls["next"] == 2
    async with http.get(f"{slack.origin}/control/ids") as response:
        known = await response.json()
    assert known == {"ids": {name: getattr(slack, name) for name in NAMED}, "environment": slack.environment}
    async with http.get(f"{slack.origin}/control/faults") as response:
        assert set(await response.json()) == set(FAULTS)


async def test_settings_are_changed_from_outside(slack: SlackEmulator, bot: Bot, control: Any) -> None:
    await control("settings", http_url=await bot.listen(), ack_s=2, retry_waits_s=[0])

    await control("post", channel=slack.pics, user=slack.ann, text="hi")

    await slack.wait_for(lambda: slack.deliveries[0].acknowledged)
    assert [event["text"] for event in bot.events] == ["hi"]


@pytest.mark.parametrize(
    ("verb", "arguments", "status", "said"),
    [
        ("nothing", {}, 404, "nothing"),
        ("post", {"channel": "C404", "user": "UANN"}, 400, "channel_not_found"),
        ("post", {}, 400, "TypeError"),
        ("drop", {"kind": "politely"}, 400, "politely"),
        ("fault", {"name": "unknown"}, 400, "unknown"),
    ],
)
async def test_what_cannot_be_done_is_said(control: Any, verb: str, arguments: Json, status: int, said: str) -> None:
    answered, body = await control(verb, **arguments)

    assert (answered, said in body["error"]) == (status, True)


async def test_a_process_is_killed_when_its_call_arrives(slack: SlackEmulator, client: AsyncWebClient, control: Any) -> None:
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(60)")
    await control("kill_at", point="stored", method="chat.postMessage", pid=child.pid)

    client.retry_handlers.clear()
    with pytest.raises(aiohttp.ClientError):
        await post(client)

    assert await asyncio.wait_for(child.wait(), 5) == -9
    assert (len(await slack.messages(slack.pics)), (await post(client))["ok"]) == (1, True)


async def test_it_serves_this_machine_only() -> None:
    with pytest.raises(ValueError, match="loopback"):
        SlackEmulator(host="0.0.0.0")


async def test_without_a_journal_nothing_is_kept() -> None:
    async with SlackEmulator(journal=False) as slack:
        await post(AsyncWebClient(token=slack.bot_token, base_url=slack.api_url))

        assert (slack.calls, slack.deliveries) == ([], [])


async def test_tokens_do_not_show() -> None:
    async with SlackEmulator() as slack:
        assert slack.bot_token not in repr(slack.workspace.tokens[slack.bot_token])


@pytest.mark.parametrize(
    "verb", ["post", "edit", "delete", "messages", "private", "command", "shortcut", "press", "form", "submit", "drop"]
)
def test_both_chats_take_the_same_arguments(verb: str) -> None:
    def needed(chat: type) -> set[str]:
        kinds = inspect.signature(getattr(chat, verb)).parameters.values()
        return {each.name for each in kinds if each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD}

    assert needed(SlackEmulator) == needed(DiscordEmulator)
