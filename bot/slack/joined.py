"""The channels that the bot is in."""

from typing import Any, Final

from bot.slack.web import Web

PAGE: Final = 999  # Source: https://docs.slack.dev/reference/methods/users.conversations (limit)
PAGES: Final = 10


async def joined(web: Web) -> list[dict[str, Any]]:
    """Return the public and private channels that the bot is in: a large workspace has many others that it may know of.

    Raises: `SlackError` where it may not know, `Unavailable`.
    """
    cursor, found = None, []
    for _ in range(PAGES):
        page = await web.call(
            "users.conversations",
            types="public_channel,private_channel",
            exclude_archived=True,
            limit=PAGE,
            cursor=cursor,
        )
        found += page.get("channels", ())
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            break
    return found
