"""The Web API: who calls, whether they may, and which method answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from emulators.slack import chat_methods as chat
from emulators.slack import conversation_methods as conversations
from emulators.slack import file_methods as files
from emulators.slack import view_methods as views
from emulators.slack.parts import Parts
from emulators.slack.state import ApiError, Json, Kind, Token, Workspace

Answer = Callable[[Parts, Token, Json], Awaitable[Json]]

# Scopes by the kind of the channel that is asked for.
READ: dict[Kind, str] = {"channel": "channels:read", "group": "groups:read", "im": "im:read"}
HISTORY: dict[Kind, str] = {"channel": "channels:history", "group": "groups:history", "im": "im:history"}
LISTED: dict[str, Kind] = {"public_channel": "channel", "private_channel": "group", "im": "im"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method. Any of `scopes` is enough; `by_kind` are scopes that depend on the channel."""

    answer: Answer
    scopes: tuple[str, ...] = ()
    by_kind: dict[Kind, str] | None = None
    app_level: bool = False


# Scopes: https://docs.slack.dev/reference/methods, each method's page.
METHODS: dict[str, Method] = {
    "apps.connections.open": Method(answer=views.open_connection, scopes=("connections:write",), app_level=True),
    "assistant.threads.setStatus": Method(answer=chat.set_status, scopes=("chat:write", "assistant:write")),
    "assistant.threads.setSuggestedPrompts": Method(answer=chat.set_suggested_prompts, scopes=("assistant:write",)),
    "auth.test": Method(answer=conversations.auth_test),
    "bots.info": Method(answer=conversations.bots_info, scopes=("users:read",)),
    "chat.delete": Method(answer=chat.delete, scopes=("chat:write",)),
    "chat.getPermalink": Method(answer=chat.get_permalink),
    "chat.postEphemeral": Method(answer=chat.post_ephemeral, scopes=("chat:write",)),
    "chat.postMessage": Method(answer=chat.post_message, scopes=("chat:write",)),
    "chat.update": Method(answer=chat.update, scopes=("chat:write",)),
    "conversations.history": Method(answer=conversations.history, by_kind=HISTORY),
    "conversations.info": Method(answer=conversations.info, by_kind=READ),
    "conversations.join": Method(answer=conversations.join, scopes=("channels:join",)),
    "conversations.list": Method(answer=conversations.list_, by_kind=READ),
    "conversations.members": Method(answer=conversations.members, by_kind=READ),
    "conversations.open": Method(
        answer=conversations.open_, scopes=("im:write", "mpim:write", "channels:manage", "groups:write")
    ),
    "conversations.replies": Method(answer=conversations.replies, by_kind=HISTORY),
    "files.completeUploadExternal": Method(answer=files.complete_upload, scopes=("files:write",)),
    "files.delete": Method(answer=files.delete, scopes=("files:write",)),
    "files.getUploadURLExternal": Method(answer=files.get_upload_url, scopes=("files:write",)),
    "files.info": Method(answer=files.info, scopes=("files:read",)),
    "reactions.add": Method(answer=chat.add_reaction, scopes=("reactions:write",)),
    "reactions.remove": Method(answer=chat.remove_reaction, scopes=("reactions:write",)),
    "team.info": Method(answer=conversations.team_info, scopes=("team:read",)),
    "users.conversations": Method(answer=conversations.of_user, by_kind=READ),
    "users.info": Method(answer=conversations.users_info, scopes=("users:read",)),
    "users.list": Method(answer=conversations.users_list, scopes=("users:read",)),
    "views.open": Method(answer=views.open_),
    "views.publish": Method(answer=views.publish),
    "views.push": Method(answer=views.push),
    "views.update": Method(answer=views.update),
}


def token_of(workspace: Workspace, authorization: str, given: Json) -> Token | None:
    """Return the token of a call, from its header or its arguments."""
    value = authorization.removeprefix("Bearer ").strip() or str(given.get("token") or "")
    return workspace.tokens.get(value)


async def answer(slack: Parts, name: str, token: Token | None, given: Json, *, anonymous: bool) -> Json:
    """Do what a call asks for. Raises: `ApiError`."""
    method = METHODS.get(name)
    if method is None:
        raise ApiError("unknown_method", req_method=name)
    if token is None:
        raise ApiError("not_authed" if anonymous else "invalid_auth")
    if token.error:
        raise ApiError(token.error)
    if method.app_level != (token.kind == "app") and name != "auth.test":
        raise ApiError("not_allowed_token_type")
    if switch := slack.faults.take_at("error", name):
        raise _missing(",".join(method.scopes), token) if switch.name == "missing_scope" else ApiError(switch.name)
    _admit(slack.workspace, method, token, given)
    return await method.answer(slack, token, given)


def _admit(workspace: Workspace, method: Method, token: Token, given: Json) -> None:
    """Refuse a token that lacks the scope. Raises: `ApiError` `missing_scope`."""
    if method.scopes and not token.scopes.intersection(method.scopes):
        raise _missing(",".join(method.scopes), token)
    if method.by_kind is None:
        return
    needed = [method.by_kind[kind] for kind in _kinds(workspace, given)]
    if lacking := [scope for scope in needed if scope not in token.scopes]:
        raise _missing(",".join(lacking), token)


def _kinds(workspace: Workspace, given: Json) -> list[Kind]:
    """Return the kinds of channel that a call is about."""
    if "channel" not in given:
        names = str(given.get("types") or "public_channel").split(",")
        return [LISTED[name.strip()] for name in names if name.strip() in LISTED]
    channel = workspace.channels.get(str(given["channel"]))
    return [channel.kind] if channel else []


def _missing(needed: str, token: Token) -> ApiError:
    return ApiError("missing_scope", needed=needed, provided=",".join(sorted(token.scopes)))
