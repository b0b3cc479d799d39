"""Tagging: by command, from a message's menu, and where we are mentioned with a picture."""

import asyncio
import re
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from handlers.answers import Notice, Tagged
from handlers.effects import AnyEffect, Notify, Plan, Post
from handlers.events import CommandUsed, Event, Place
from handlers.ports import Services
from pipelines.content import LINK, Attachment, Content, Intake
from pipelines.errors import UserError
from pipelines.ports import Reply
from pipelines.tagging import Tags, tag

_ADDRESS: Final = re.compile(r"<?(?P<url>https?://[^\s<>|]+)(?:\|[^<>]*)?>?", re.IGNORECASE)


async def on_tag(event: CommandUsed, services: Services) -> Plan:
    """Tag the command's pictures, the one at its address, those of the message it is about, or of the newest with a file."""
    attachments, message = event.attachments or _linked(event.argument), event.message
    if not attachments:
        posted = (
            await services.channels.message(event.place, message)
            if message
            else await services.channels.latest_with_files(event.place)
        )
        if posted is None or not posted.content.attachments:
            raise UserError("There is no picture here to tag. Post one here and write /tag again.")
        attachments, message = posted.content.attachments, posted.message
    place = event.place.in_thread_of(message) if message else event.place
    intake = await services.media.intake(Content(attachments=attachments))
    effects = await tag_pictures(
        event, attachments=attachments, intake=intake, place=place, message=message or "", services=services
    )
    return Plan(effects=effects)


def _linked(argument: str) -> tuple[Attachment, ...]:
    """Return the file at the address that stands after the command. Slack may write it as `<https://…|label>`."""
    found = _ADDRESS.fullmatch(argument.strip())
    if found is None:
        return ()
    url = found["url"]
    name = PurePosixPath(urlsplit(url).path).name
    return (Attachment(id="link", url=f"{LINK}{url}", name=name, media_type="", size_bytes=0),)


async def tag_pictures(
    event: Event,
    *,
    attachments: tuple[Attachment, ...],
    intake: Intake,
    place: Place,
    message: str,
    services: Services,
) -> tuple[AnyEffect, ...]:
    """Return an answer for each picture, in order, and a private word about each file that is none.

    Raises: what the model's reply raises (`Unavailable`, `Refused`, `BadAnswer`) when there is no answer for any of them.
    """
    outcomes = await asyncio.gather(*(_tag_one(intake.of(position), services) for position in range(len(attachments))))
    replies = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    spent = [call for reply in replies for call in reply.calls]
    await services.ledger.record(event.place.tenant, event=event.key, task="tagging", calls=spent)
    if replies and not any(reply.output for reply in replies):
        replies[0].value()
    effects: list[AnyEffect] = []
    answers: list[Tagged] = []
    for position, (attachment, outcome) in enumerate(zip(attachments, outcomes, strict=True)):
        if isinstance(outcome, str) or outcome.output is None:
            words = outcome if isinstance(outcome, str) else "One of the pictures could not be tagged. Try again later."
            effects.append(Notify.author_of(event, f"tag{position}", Notice(text=words), place=place))
        else:
            answers.append(tagged(outcome.output, attachment, engine=outcome.engine))
            effects.append(
                Post(
                    key=f"{event.key}#tag{position}", place=place, answer=answers[-1], about=message or None, reply=event.reply
                )
            )
    await services.results.save_tags(event.place, event=event.key, message=message, tagged=answers)
    return tuple(effects)


async def _tag_one(picture: Intake, services: Services) -> Reply[Tags] | str:
    try:
        return await tag(picture, model=services.model)
    except UserError as error:
        return str(error)


def tagged(tags: Tags, attachment: Attachment, *, engine: str) -> Tagged:
    """Return the answer that says `tags`."""
    return Tagged(
        file_name=attachment.name,
        subjects=tuple(tags.subjects),
        style=tags.style,
        mood=tags.mood,
        quality=tuple(tags.technical_quality.model_dump().items()),
        colours=tuple(tags.colours),
        text=tags.text,
        alt_text=tags.alt_text,
        tags=tuple(tags.tags),
        engine=engine,
    )
