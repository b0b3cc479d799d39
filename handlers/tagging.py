"""Tagging: by command, from a message's menu, where we are mentioned with a picture, and unasked where a channel wants that."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from handlers.answers import Notice, Tagged
from handlers.attachments import asked_about
from handlers.effects import AnyEffect, Notify, Plan, Post, React
from handlers.events import CommandUsed, Event, MessagePosted, Place
from handlers.ports.services import Services
from handlers.reactions import reactions_to
from pipelines.content import Attachment, Content, Intake
from pipelines.errors import UserError
from pipelines.limits import ATTACHMENTS_JUDGED
from pipelines.media.kinds import KINDS, SHOWN
from pipelines.moderation.policy import Tagging
from pipelines.ports import Reply
from pipelines.tagging import Tags, tag

_PICTURES: Final = frozenset(kind.media_types[0] for kind in KINDS.values() if kind.family in SHOWN and kind.media_types)


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
    outcomes = await _tag_each(event, pictures, intake, services)
    replies = [outcome for outcome in outcomes if not isinstance(outcome, str)]
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


async def tag_unasked(event: MessagePosted, intake: Intake, wanted: Tagging, services: Services) -> tuple[AnyEffect, ...]:
    """Return what a channel wants said below its pictures: their alt texts, reactions that fit their tags, or nothing.

    Nobody has asked, so nothing is said about what cannot be tagged.
    """
    pictures = {at: each for at, each in enumerate(event.attachments[:ATTACHMENTS_JUDGED]) if _is_picture(intake, at)}
    outcomes = await _tag_each(event, pictures, intake, services)
    answers: list[Tagged] = []
    seen: list[Attachment] = []
    for attachment, outcome in zip(pictures.values(), outcomes, strict=True):
        if not isinstance(outcome, str) and outcome.output:
            seen.append(attachment)
            answers.append(tagged(outcome.output, attachment, engine=outcome.engine))
    if not answers:
        return ()
    await services.results.save_tags(event.place, event=event.key, message=event.message, tagged=answers, attachments=seen)
    effects: list[AnyEffect] = []
    if wanted.alt_text:
        place = event.place.in_thread_of(event.message)
        effects.append(Post(key=f"{event.key}#alt", place=place, answer=_alt_texts(answers), about=event.message))
    if wanted.reactions:
        for emoji, name in reactions_to(tag for each in answers for tag in each.tags):
            key = f"{event.key}#react:{name}"
            effects.append(React(key=key, place=event.place, message=event.message, emoji=emoji, name=name))
    return tuple(effects)


def _is_picture(intake: Intake, position: int) -> bool:
    """Whether a file is a picture or a drawing, by its bytes."""
    return any(each.place == f"file:{position}" and each.media_type in _PICTURES for each in intake.readings)


def _alt_texts(answers: Sequence[Tagged]) -> Notice:
    if len(answers) == 1:
        return Notice(text=f"Alt text: {answers[0].alt_text}")
    return Notice(text="\n".join(f"Alt text of picture {at}: {each.alt_text}" for at, each in enumerate(answers, 1)))


async def _tag_each(
    event: Event, pictures: Mapping[int, Attachment], intake: Intake, services: Services
) -> list[Reply[Tags] | str]:
    """Return a reply for each picture, or why there is none."""
    outcomes = await asyncio.gather(*(_tag_one(intake.of(position), services) for position in pictures))
    spent = [call for outcome in outcomes if not isinstance(outcome, str) for call in outcome.calls]
    await services.ledger.record(event.place.tenant, event=event.key, task="tagging", calls=spent)
    return outcomes


async def _tag_one(picture: Intake, services: Services) -> Reply[Tags] | str:
    try:
        return await tag(picture, model=services.model, media=services.media)
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
