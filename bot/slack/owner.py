"""Who owns the workspace: cases go there until a channel is set for them."""

from bot.slack.web import Web

# Source: https://docs.slack.dev/reference/methods/users.list (at most 1000; more is asked for page by page)
USERS_PAGE, USERS_PAGES = 1000, 10


class Owner:
    """The workspace's first owner, who is asked for once."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._id: str | None = None

    async def id(self) -> str:
        """Return the owner's id, or nothing where Slack does not say. Raises: as `Web.call`."""
        if self._id is None:
            self._id = await self._find()
        return self._id

    async def _find(self) -> str:
        cursor, owners = None, []
        for _ in range(USERS_PAGES):
            page = await self._web.call("users.list", limit=USERS_PAGE, cursor=cursor)
            for user in page.get("members", ()):
                if user.get("is_primary_owner"):
                    return str(user["id"])
                if user.get("is_owner") and not user.get("deleted"):
                    owners.append(str(user["id"]))
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return owners[0] if owners else ""
