"""The REST routes that answer interactions; they carry a token in their path and none in a header."""

from typing import Any

from emulators.discord import shapes
from emulators.discord.rest import Call, routes

Json = dict[str, Any]


@routes.add("POST /interactions/{id}/{token}/callback")
async def answer(emulator: Any, call: Call, interaction: str, token: str) -> Json | None:
    resource: Json = emulator.interactions.respond(interaction, token, call.arguments, call.files)
    return resource if call.query.get("with_response") in ("1", "true") else None


@routes.add("POST /webhooks/{id}/{token}")
async def follow_up(emulator: Any, call: Call, application: str, token: str) -> Json:
    made = emulator.interactions.by_token(application, token)
    return shapes.message(emulator.world, emulator.interactions.follow_up(made, call.arguments, call.files))


@routes.add("GET /webhooks/{id}/{token}/messages/@original")
@routes.add("GET /webhooks/{id}/{token}/messages/{id}")
async def get_answer(emulator: Any, call: Call, application: str, token: str, message: str = "@original") -> Json:
    made = emulator.interactions.by_token(application, token)
    return shapes.message(emulator.world, emulator.interactions.message_of(made, message))


@routes.add("PATCH /webhooks/{id}/{token}/messages/@original")
@routes.add("PATCH /webhooks/{id}/{token}/messages/{id}")
async def edit_answer(emulator: Any, call: Call, application: str, token: str, message: str = "@original") -> Json:
    made = emulator.interactions.by_token(application, token)
    return shapes.message(emulator.world, emulator.interactions.edit(made, message, call.arguments, call.files))


@routes.add("DELETE /webhooks/{id}/{token}/messages/@original")
@routes.add("DELETE /webhooks/{id}/{token}/messages/{id}")
async def delete_answer(emulator: Any, call: Call, application: str, token: str, message: str = "@original") -> None:
    emulator.interactions.delete(emulator.interactions.by_token(application, token), message)
