"""views.* and apps.connections.open."""

from emulators.slack.arguments import needed
from emulators.slack.parts import Parts
from emulators.slack.state import ApiError, Json, Token


async def open_(slack: Parts, caller: Token, given: Json) -> Json:
    return {"view": slack.views.open(needed(given, "trigger_id"), _view(given))}


async def push(slack: Parts, caller: Token, given: Json) -> Json:
    return {"view": slack.views.push(needed(given, "trigger_id"), _view(given))}


async def update(slack: Parts, caller: Token, given: Json) -> Json:
    view_id, external_id = given.get("view_id"), given.get("external_id")
    if not view_id and not external_id:
        raise ApiError("invalid_arguments")
    view = slack.views.update(_view(given), view_id=view_id, external_id=external_id, hash_=given.get("hash"))
    return {"view": view}


async def publish(slack: Parts, caller: Token, given: Json) -> Json:
    return {"view": slack.views.publish(needed(given, "user_id"), _view(given))}


async def open_connection(slack: Parts, caller: Token, given: Json) -> Json:
    return {"url": slack.sockets.new_url()}


def _view(given: Json) -> Json:
    view = given.get("view")
    if not isinstance(view, dict):
        raise ApiError("invalid_arguments")
    return view
