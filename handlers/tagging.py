"""Tagging: by command, from a message's menu, and where we are mentioned with a picture."""

import asyncio
from collections.abc import Mapping

from handlers.answers import Notice, Tagged
from handlers.attachments import asked_about
from handlers.effects import AnyEffect, Notify, Plan, Post
from handlers.events import CommandUsed, Event, Place
from handlers.ports import Services
from pipelines.content import Attachment, Content, Intake
from pipelines.errors import UserError
from pipelines.ports import Reply
from pipelines.tagging import Tags, tag


async def on_tag(event: CommandUsed, services: Services) -> Plan:
    """Tag the command's pictures, the one at its address, those of the message it is about, or of the newest with a file."""
    none = "There is no picture here to tag. Post one here and write /tag again."
    attachments, message = await asked_about(event, event.argument, services, otherwise=none)
    place = event.place.in_thread_of(message) if message else event.place
    intake = await services.media.intake(Content(attachments=attachments))
    effects = await tag_pictures(
        event, pictures=dict(enumerate(attachments)), intake=intake, place=place, message=message, services=services
    )
    return Plan(effects=effects)


async def tag_pictures(
    event: Event,
    *,
    pictures: Mapping[int, Attachment],
    intake: Intake,
    place: Place,
    message: str,
    services: Services,
) -> tuple[AnyEffect, ...]:
    """Return an answer for each picture, in order, and a private word about each file that is none.

    `pictures` are by their position in `intake`.

    Raises: what the model's reply raises (`Unavailable`, `Refused`, `BadAnswer`) when there is no answer for any of them.
    """
    outcomes = await asyncio.gather(*(_tag_one(intake.of(position), services) for position in pictures))
    replies = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    spent = [call for reply in replies for call in reply.calls]
    await services.ledger.record(event.place.tenant, event=event.key, task="tagging", calls=spent)
    if replies and not any(reply.output for reply in replies):
        replies[0].value()
    effects: list[AnyEffect] = []
    answers: list[Tagged] = []
    seen: list[Attachment] = []
    for (position, attachment), outcome in zip(pictures.items(), outcomes, strict=True):
        if isinstance(outcome, str) or outcome.output is None:
            words = outcome if isinstance(outcome, str) else "One of the pictures could not be tagged. Try again later."
            effects.append(Notify.author_of(event, f"tag{position}", Notice(text=words), place=place))
        else:
            seen.append(attachment)
            answers.append(tagged(outcome.output, attachment, engine=outcome.engine))
            effects.append(
                Post(
                    key=f"{event.key}#tag{position}", place=place, answer=answers[-1], about=message or None, reply=event.reply
                )
            )
    await services.results.save_tags(event.place, event=event.key, message=message, tagged=answers, attachments=seen)
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
