"""The Web API: arguments by every way, tokens, channels, messages, threads, paging."""

import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from emulators.slack import SlackEmulator
from emulators.slack.state import BOT_SCOPES
from tests.emulators.slack.conftest import Json, button

METADATA = {"event_type": "case", "event_payload": {"key": "k1"}}


def client_of(slack: SlackEmulator, token: str) -> AsyncWebClient:
    return AsyncWebClient(token=token, base_url=slack.api_url)


async def refusal(awaitable: Any) -> Json:
    """Return the answer of a call that must be refused."""
    with pytest.raises(SlackApiError) as caught:
        await awaitable
    answer: Json = caught.value.response.data
    return answer


@pytest.mark.parametrize("how", ["query", "form", "json", "get"])
async def test_arguments_come_by_query_form_and_json(slack: SlackEmulator, http: aiohttp.ClientSession, how: str) -> None:
    given = {"channel": slack.pics, "text": "hi", "blocks": json.dumps(button())}
    sent: Json = {"query": {"params": given}, "form": {"data": given}, "json": {"json": given}, "get": {"params": given}}[how]
    headers = {"Authorization": f"Bearer {slack.bot_token}"}

    verb = "GET" if how == "get" else "POST"
    async with http.request(verb, slack.api_url + "chat.postMessage", headers=headers, **sent) as response:
        answer = await response.json()

    assert answer["ok"] is True
    assert answer["message"]["blocks"][0]["elements"][0]["action_id"] == "case_delete"


async def test_the_vendors_client_knows_itself_and_its_scopes(slack: SlackEmulator, client: AsyncWebClient) -> None:
    answer = await client.auth_test()

    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == (slack.team, slack.bot, "B0BOT")
    assert "files:read" in answer.headers["x-oauth-scopes"].split(",")


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("xoxb-nobody", "invalid_auth"),
        ("xoxb-revoked", "token_revoked"),
        ("xoxb-inactive", "account_inactive"),
        ("xapp-emulated-app", "not_allowed_token_type"),
    ],
)
async def test_a_token_says_by_its_name_how_it_fails(slack: SlackEmulator, token: str, error: str) -> None:
    answer = await refusal(client_of(slack, token).users_info(user=slack.ann))

    assert answer["error"] == error


async def test_a_token_with_two_of_the_scopes_passes_the_test_and_lacks_the_rest(slack: SlackEmulator) -> None:
    client = client_of(slack, "xoxb-two-scopes")

    tested, answer = await client.auth_test(), await refusal(client.files_info(file="F1"))

    assert tested.headers["x-oauth-scopes"] == "chat:write,commands"
    assert answer == {"ok": False, "error": "missing_scope", "needed": "files:read", "provided": "chat:write,commands"}


async def test_a_scope_depends_on_the_kind_of_the_channel(slack: SlackEmulator) -> None:
    await slack.grant("xoxb-public", ["channels:read"])
    client = client_of(slack, "xoxb-public")

    public, private = await client.conversations_info(channel=slack.pics), client.conversations_info(channel=slack.moderators)

    assert public["channel"]["is_member"] is True
    assert (await refusal(private))["needed"] == "groups:read"


async def test_people_and_channels_can_be_looked_up(slack: SlackEmulator, client: AsyncWebClient) -> None:
    await slack.grant(slack.bot_token, [*client_scopes(slack), "team:read", "im:write"])

    olga, users = await client.users_info(user=slack.olga), await client.users_list()
    channels = await client.conversations_list(types="public_channel,private_channel")
    members = await client.conversations_members(channel=slack.moderators)
    team, direct = await client.team_info(), await client.conversations_open(users=slack.ann)

    assert (olga["user"]["is_admin"], olga["user"]["is_owner"]) == (True, True)
    assert [user["name"] for user in users["members"]] == ["olga", "ann", "bob", "mo", "flashbulb"]
    assert [channel["name"] for channel in channels["channels"]] == ["general", "pics", "moderators"]
    assert (members["members"], team["team"]["id"]) == ([slack.olga, slack.mo, slack.bot], slack.team)
    assert direct["channel"]["id"] == await slack.direct(slack.ann)


async def test_members_come_page_by_page_and_whoever_left_is_not_among_them(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    await slack.leave(slack.moderators, slack.mo)
    await slack.add_user("UEVE", "eve", channels=[slack.moderators])

    first = await client.conversations_members(channel=slack.moderators, limit=2)
    cursor = first["response_metadata"]["next_cursor"]
    second = await client.conversations_members(channel=slack.moderators, limit=2, cursor=cursor)

    assert (first["members"], second["members"]) == ([slack.olga, slack.bot], ["UEVE"])
    assert second["response_metadata"]["next_cursor"] == ""


def client_scopes(slack: SlackEmulator) -> list[str]:
    return sorted(slack.workspace.tokens[slack.bot_token].scopes)


async def test_a_message_lives(slack: SlackEmulator, client: AsyncWebClient) -> None:
    await slack.grant(slack.bot_token, [*BOT_SCOPES, "reactions:write"])
    posted = await client.chat_postMessage(channel=slack.pics, text="a", blocks=button(), metadata=METADATA)
    ts = posted["ts"]
    await client.reactions_add(channel=slack.pics, timestamp=ts, name="eyes")
    link = await client.chat_getPermalink(channel=slack.pics, message_ts=ts)
    await client.chat_update(channel=slack.pics, ts=ts, text="b", blocks=[])
    (edited,) = await slack.messages(slack.pics)
    await client.chat_delete(channel=slack.pics, ts=ts)

    assert link["permalink"].endswith(f"/archives/{slack.pics}/p{ts.replace('.', '')}")
    assert (edited["text"], "blocks" in edited, edited["metadata"]) == ("b", False, METADATA)
    assert edited["reactions"] == [{"name": "eyes", "users": [slack.bot], "count": 1}]
    assert await slack.messages(slack.pics) == []


async def test_metadata_is_shown_to_whoever_asks_for_it(slack: SlackEmulator, client: AsyncWebClient) -> None:
    first = (await client.chat_postMessage(channel=slack.pics, text="a", metadata=METADATA))["ts"]
    await client.chat_postMessage(channel=slack.pics, text="b", thread_ts=first, metadata=METADATA)

    plain = await client.conversations_history(channel=slack.pics)
    whole = await client.conversations_history(channel=slack.pics, include_all_metadata=True)
    thread = await client.conversations_replies(channel=slack.pics, ts=first, include_all_metadata=True)

    assert ["metadata" in message for message in plain["messages"]] == [False]
    assert [message["metadata"] for message in whole["messages"]] == [METADATA]
    assert [message["metadata"] for message in thread["messages"]] == [METADATA, METADATA]


async def test_history_comes_in_pages_newest_first(slack: SlackEmulator, client: AsyncWebClient) -> None:
    ids = [await slack.post(slack.pics, slack.ann, str(number)) for number in range(5)]

    pages = [
        [message["text"] for message in page["messages"]]
        async for page in await client.conversations_history(channel=slack.pics, limit=2)
    ]
    between = await client.conversations_history(channel=slack.pics, oldest=ids[1], latest=ids[3])
    inclusive = await client.conversations_history(channel=slack.pics, oldest=ids[1], latest=ids[3], inclusive=True)

    assert pages == [["4", "3"], ["2", "1"], ["0"]]
    assert [message["text"] for message in between["messages"]] == ["2"]
    assert [message["text"] for message in inclusive["messages"]] == ["3", "2", "1"]


async def test_a_thread_comes_in_pages_oldest_first(slack: SlackEmulator, client: AsyncWebClient) -> None:
    first = await slack.post(slack.pics, slack.ann, "0")
    replies = [await slack.post(slack.pics, slack.bob, str(number), thread=first) for number in range(1, 4)]

    pages = [
        [message["text"] for message in page["messages"]]
        async for page in await client.conversations_replies(channel=slack.pics, ts=first, limit=3)
    ]
    since = await client.conversations_replies(channel=slack.pics, ts=first, oldest=replies[1])

    assert pages == [["0", "1", "2"], ["3"]]
    assert [message["text"] for message in since["messages"]] == ["0", "3"]
    assert since["messages"][0]["reply_count"] == 3


async def test_an_answer_in_a_thread_whose_first_message_is_gone(slack: SlackEmulator, client: AsyncWebClient) -> None:
    lonely, started = [await slack.post(slack.pics, slack.ann, "0") for _ in range(2)]
    await slack.post(slack.pics, slack.bob, "1", thread=started)
    await slack.delete(slack.pics, lonely)
    await slack.delete(slack.pics, started)

    answer = await refusal(client.chat_postMessage(channel=slack.pics, text="a", thread_ts=lonely))
    await client.chat_postMessage(channel=slack.pics, text="2", thread_ts=started)

    assert answer["error"] == "thread_not_found"
    shown = await slack.messages(slack.pics, started)
    assert [(message.get("subtype"), message["text"]) for message in shown] == [
        ("tombstone", "This message was deleted."),
        (None, "1"),
        (None, "2"),
    ]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("removed", "not_in_channel"),
        ("private", "channel_not_found"),
        ("unknown", "channel_not_found"),
        ("archived", "is_archived"),
    ],
)
async def test_where_the_bot_may_not_post(slack: SlackEmulator, client: AsyncWebClient, change: str, error: str) -> None:
    channel = {"private": slack.moderators, "unknown": "C404"}.get(change, slack.pics)
    if change == "archived":
        await slack.archive(channel)
    elif change != "unknown":
        await slack.remove_bot(channel)

    answer = await refusal(client.chat_postMessage(channel=channel, text="a"))

    assert answer["error"] == error


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("chat.postMessage", {"channel": "CPICS"}, "no_text"),
        ("chat.postMessage", {"channel": "CPICS", "text": "a", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ("chat.update", {"channel": "CPICS", "ts": "1.0", "text": "a"}, "message_not_found"),
        ("chat.delete", {"channel": "CPICS", "ts": "1.0"}, "message_not_found"),
        ("chat.postEphemeral", {"channel": "CPICS", "user": "U404", "text": "a"}, "user_not_found"),
        ("chat.postEphemeral", {"channel": "GMODS", "user": "UANN", "text": "a"}, "user_not_in_channel"),
        ("reactions.add", {"channel": "CPICS", "timestamp": "1.0", "name": "eyes"}, "message_not_found"),
        ("conversations.replies", {"channel": "CPICS", "ts": "1.0"}, "thread_not_found"),
        ("users.info", {"user": "U404"}, "user_not_found"),
        ("files.info", {"file": "F404"}, "file_not_found"),
        ("views.open", {"trigger_id": "1.2.x", "view": {"type": "modal", "blocks": []}}, "invalid_arguments"),
        ("nothing.here", {}, "unknown_method"),
    ],
)
async def test_refusals(slack: SlackEmulator, client: AsyncWebClient, method: str, arguments: Json, error: str) -> None:
    await slack.grant(slack.bot_token, [*BOT_SCOPES, "reactions:write"])
    answer = await refusal(client.api_call(method, json=arguments))

    assert answer["error"] == error


async def test_a_message_to_one_user_and_a_direct_message(slack: SlackEmulator, client: AsyncWebClient) -> None:
    await client.chat_postEphemeral(channel=slack.pics, user=slack.ann, text="only you")
    await client.chat_postMessage(channel=slack.ann, text="to you")

    seen = await slack.private(slack.ann)

    assert [message["text"] for message in seen] == ["only you", "to you"]
    assert await slack.private(slack.bob) == await slack.messages(slack.pics) == []


async def test_a_status_goes_with_an_answer_or_after_two_minutes(slack: SlackEmulator, client: AsyncWebClient) -> None:
    threads = [await slack.post(slack.pics, slack.ann, "hi") for _ in range(2)]
    for thread in threads:
        await client.assistant_threads_setStatus(channel_id=slack.pics, thread_ts=thread, status="looks")
    before = await slack.status(slack.pics, threads[0])

    await client.chat_postMessage(channel=slack.pics, thread_ts=threads[0], text="done")
    answered, waiting = [await slack.status(slack.pics, thread) for thread in threads]
    await slack.advance_clock(121)

    assert (before, answered, waiting, await slack.status(slack.pics, threads[1])) == ("looks", "", "looks", "")


async def test_a_method_fails_as_the_switch_says(slack: SlackEmulator, client: AsyncWebClient) -> None:
    thread = await slack.post(slack.pics, slack.ann, "hi")
    slack.fault("method_not_supported_for_channel_type", method="assistant.threads.setStatus")

    answer = await refusal(client.assistant_threads_setStatus(channel_id=slack.pics, thread_ts=thread, status="looks"))
    await client.chat_postMessage(channel=slack.pics, text="a")

    assert answer["error"] == "method_not_supported_for_channel_type"


async def test_an_argument_in_the_address_may_not_be_long(client: AsyncWebClient, slack: SlackEmulator) -> None:
    with pytest.raises(SlackApiError) as caught:
        await client.files_completeUploadExternal(files=[{"id": "F1"}], initial_comment="é" * 3000)

    assert (caught.value.response.status_code, slack.calls) == (400, [])


async def test_calls_are_kept_in_order(slack: SlackEmulator, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=slack.pics, text="a")
    await refusal(client.chat_delete(channel=slack.pics, ts="1.0"))
    await slack.wait_for(lambda: slack.calls[-1].status)

    posted, deleted = slack.calls
    assert (posted.method, posted.arguments["text"], posted.status, posted.user) == ("chat.postMessage", "a", 200, slack.bot)
    assert (deleted.method, deleted.error) == ("chat.delete", "message_not_found")
