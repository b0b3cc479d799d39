"""conversations.*, users.*, team.* and auth.*: looking around."""

import base64
from collections.abc import Callable, Sequence
from itertools import islice, takewhile
from typing import TypeVar

from emulators.slack.arguments import flag, needed, number
from emulators.slack.parts import Parts
from emulators.slack.state import APP, BOT_ID, TEAM, TEAM_DOMAIN, ApiError, Channel, Json, Token

# Items of a page. Source: https://docs.slack.dev/reference/methods/conversations.history and conversations.replies
HISTORY_LIMIT, HISTORY_MAX = 100, 999
REPLIES_LIMIT, REPLIES_MAX = 1000, 1000
LIST_LIMIT, LIST_MAX = 100, 1000
Item = TypeVar("Item")
KINDS = {"public_channel": "channel", "private_channel": "group", "im": "im"}


async def auth_test(slack: Parts, caller: Token, given: Json) -> Json:
    user = slack.workspace.users[caller.user]
    answer = {
        "url": f"https://{TEAM_DOMAIN}.slack.com/",
        "team": TEAM_DOMAIN,
        "user": user.name,
        "team_id": TEAM,
        "user_id": user.id,
        "is_enterprise_install": False,
    }
    return answer | ({"bot_id": BOT_ID} if caller.kind == "bot" else {})


async def team_info(slack: Parts, caller: Token, given: Json) -> Json:
    url = f"https://{TEAM_DOMAIN}.slack.com/"
    return {"team": {"id": TEAM, "name": TEAM_DOMAIN, "domain": TEAM_DOMAIN, "url": url, "email_domain": "", "icon": {}}}


async def bots_info(slack: Parts, caller: Token, given: Json) -> Json:
    bot = str(given.get("bot") or BOT_ID)
    if bot not in slack.workspace.bots:
        raise ApiError("bot_not_found")
    user = {"user_id": caller.user} if bot == BOT_ID else {}
    return {"bot": {"id": bot, "deleted": False, "name": slack.workspace.bots[bot], "app_id": APP, "icons": {}} | user}


async def users_info(slack: Parts, caller: Token, given: Json) -> Json:
    return {"user": slack.workspace.user(needed(given, "user", "user_not_found")).shown()}


async def users_list(slack: Parts, caller: Token, given: Json) -> Json:
    users = list(slack.workspace.users.values())
    page, cursor = _page(users, given, number(given, "limit", LIST_MAX))
    return {"members": [user.shown() for user in page], "cache_ts": 0, "response_metadata": {"next_cursor": cursor}}


async def info(slack: Parts, caller: Token, given: Json) -> Json:
    channel = slack.workspace.channel(needed(given, "channel", "channel_not_found"), caller.user)
    shown = channel.shown(caller.user)
    if flag(given, "include_num_members"):
        shown["num_members"] = len(channel.members)
    return {"channel": shown}


async def list_(slack: Parts, caller: Token, given: Json) -> Json:
    return _listed(slack, caller, given, joined_only=False)


async def of_user(slack: Parts, caller: Token, given: Json) -> Json:
    return _listed(slack, caller, given, joined_only=True)


def _listed(slack: Parts, caller: Token, given: Json, *, joined_only: bool) -> Json:
    kinds = [KINDS.get(kind.strip()) for kind in str(given.get("types") or "public_channel").split(",")]
    channels = [
        channel
        for channel in slack.workspace.channels.values()
        if channel.kind in kinds and (caller.user in channel.members or (channel.kind == "channel" and not joined_only))
        if not (channel.is_archived and flag(given, "exclude_archived"))
    ]
    page, cursor = _page(channels, given, min(number(given, "limit", LIST_LIMIT), LIST_MAX))
    shown = [channel.shown(caller.user) | {"num_members": len(channel.members)} for channel in page]
    return {"channels": shown, "response_metadata": {"next_cursor": cursor}}


async def members(slack: Parts, caller: Token, given: Json) -> Json:
    channel = slack.workspace.channel(needed(given, "channel", "channel_not_found"), caller.user)
    page, cursor = _page(channel.members, given, min(number(given, "limit", LIST_LIMIT), LIST_MAX))
    return {"members": list(page), "response_metadata": {"next_cursor": cursor}}


async def open_(slack: Parts, caller: Token, given: Json) -> Json:
    if given.get("channel"):
        channel = slack.workspace.channel(str(given["channel"]), caller.user)
    else:
        users = needed(given, "users", "users_list_not_supplied").split(",")
        if len(users) > 1:
            raise ApiError("method_not_supported_for_channel_type")
        channel = slack.workspace.direct(slack.workspace.user(users[0]).id, caller.user)
    return {"channel": channel.shown(caller.user) if flag(given, "return_im") else {"id": channel.id}}


async def join(slack: Parts, caller: Token, given: Json) -> Json:
    channel = slack.workspace.channel(needed(given, "channel", "channel_not_found"), caller.user)
    if channel.is_archived:
        raise ApiError("is_archived")
    if caller.user not in channel.members:
        channel.members.append(caller.user)
    return {"channel": channel.shown(caller.user)}


async def history(slack: Parts, caller: Token, given: Json) -> Json:
    channel = _member_of(slack, caller, given)
    within, oldest = _within(given), str(given.get("oldest") or "0")
    limit = min(number(given, "limit", HISTORY_LIMIT), HISTORY_MAX)
    newest_first = (
        message
        for ts, message in takewhile(lambda item: float(item[0]) >= float(oldest), reversed(channel.messages.items()))
        if within(ts) and (message.get("thread_ts", ts) == ts or message.get("subtype") == "thread_broadcast")
    )
    # No more than this page needs: a long history must not cost more.
    page, cursor = _page(list(islice(newest_first, _start(given) + limit + 1)), given, limit)
    return _messages(slack, given, page, cursor) | {"pin_count": 0}


async def replies(slack: Parts, caller: Token, given: Json) -> Json:
    channel = _member_of(slack, caller, given)
    ts = needed(given, "ts", "thread_not_found")
    first = channel.messages.get(ts)
    if first is None:
        raise ApiError("thread_not_found")
    within = _within(given)
    # The first message comes whatever the bounds are; of an answer, only that answer comes.
    thread = [first, *(channel.messages[reply] for reply in channel.replies.get(ts, ()) if within(reply))]
    page, cursor = _page(thread, given, min(number(given, "limit", REPLIES_LIMIT), REPLIES_MAX))
    return _messages(slack, given, page, cursor)


def _member_of(slack: Parts, caller: Token, given: Json) -> Channel:
    channel = slack.workspace.channel(needed(given, "channel", "channel_not_found"), caller.user)
    if caller.user not in channel.members:
        raise ApiError("not_in_channel")
    return channel


def _messages(slack: Parts, given: Json, page: Sequence[Json], cursor: str) -> Json:
    metadata = flag(given, "include_all_metadata")
    answer: Json = {
        "messages": [slack.messages.shown(message, metadata=metadata) for message in page],
        "has_more": bool(cursor),
    }
    return answer | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})


def _within(given: Json) -> Callable[[str], bool]:
    """Return what tells whether a `ts` lies between `oldest` and `latest`; on them only where `inclusive` is set."""
    oldest, latest = str(given.get("oldest") or "0"), str(given.get("latest") or "9999999999.999999")
    bounds = (oldest, latest) if flag(given, "inclusive") else ()
    return lambda ts: float(oldest) < float(ts) < float(latest) or ts in bounds


def _page(items: Sequence[Item], given: Json, limit: int) -> tuple[Sequence[Item], str]:
    """Return a page and the cursor of the next, empty at the end."""
    start = _start(given)
    end = start + max(1, limit)
    cursor = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return items[start:end], cursor


def _start(given: Json) -> int:
    """Return how many items the pages before had."""
    try:
        return int(base64.b64decode(str(given.get("cursor") or "bmV4dDow")).decode().removeprefix("next:"))
    except ValueError:
        raise ApiError("invalid_cursor") from None
