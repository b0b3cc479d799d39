"""What people do to the bot: commands, menus, buttons and forms, each answered in time.

Everything comes through here, whether this process or an earlier one made the button or the form: nothing is kept in memory
about either. Discord waits 3 s for the first answer. First the event is made durable, then the interaction is deferred.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import discord
import structlog

from bot.discord import DIRECT, PLATFORM
from bot.discord.commands import schemas_like
from bot.discord.forms import modal, read
from bot.discord.members import role_in, role_in_server
from bot.discord.outcomes import Denied, answered
from bot.discord.parse import Us, attachment_of, shown
from bot.discord.views import read_button
from bot.discord.wishing import FLAGS, flagged
from bot.metrics import Metrics
from bot.platforms import Accept, FormFor
from handlers.commands import COMMANDS, SHORTCUTS
from handlers.events import AnyEvent, ButtonPressed, CommandUsed, FormSubmitted, Person, Place, Role
from handlers.forms import OPENS_FORM
from pipelines.content import Attachment
from pipelines.errors import Unavailable, UserError

log = structlog.get_logger()

# Until Discord gives up, and how much of it each thing that we have to ask first may take.
# Source: https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-callback
ANSWER_S: Final = 3.0
BUDGET_S: Final = 1.0
RETRIES_S: Final = (0.5, 1.0)  # before what could not be stored is tried again; shorter than a shutdown waits (`close`)

# Kinds of commands and of their options. Source: https://docs.discord.com/developers/interactions/application-commands
SLASH, MESSAGE_MENU = 1, 3
SUBCOMMANDS: Final = frozenset({1, 2})
ATTACHMENT_OPTION: Final = 11

# What could not be stored in time may have been stored all the same, and is then done: so neither says that nothing was done.
BUSY: Final = "Flashbulb is very busy just now. If nothing has happened within a minute, try again."
FAULT: Final = (
    "Something went wrong on our side; the operator sees it in the log. If nothing has happened within a minute, try again."
)
OLD_COMMAND: Final = "This command is of an older version. Restart Discord and try again."
OLD_BUTTON: Final = "This button has expired. Use the newest card of the case."
OLD_FORM: Final = "This form has expired. Open it again."

Interaction = discord.Interaction[Any]


class Interactions:
    """Accepts what people do and answers Discord in time."""

    def __init__(self, accept: Accept, form_for: FormFor, metrics: Metrics) -> None:
        self._accept = accept
        self._form_for = form_for
        self._metrics = metrics
        self._answering: dict[str, asyncio.Event] = {}  # by token, until the first answer has left
        self._tasks: set[asyncio.Task[None]] = set()

    def hear(self, interaction: Interaction) -> None:
        """Take in an interaction."""
        task = asyncio.create_task(self._hear(interaction))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def answered(self, reply: str) -> None:
        """Return once the first answer to the interaction `reply` has left, or none is on its way."""
        if answering := self._answering.get(reply.rpartition(":")[2]):
            await answering.wait()

    async def close(self) -> None:
        """Finish what was begun, as far as anybody still waits for it."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=ANSWER_S)
            for task in late:
                task.cancel()

    async def _hear(self, interaction: Interaction) -> None:
        left = asyncio.Event()
        try:
            self._answering[interaction.token] = left
            await self._answer(interaction)
        except Exception as problem:  # noqa: BLE001 - whatever stands in an interaction, the next one is heard
            log.error("discord.interaction_failed", key=str(interaction.id), error=type(problem).__name__)
            self._metrics.delivery_skipped(PLATFORM)
        finally:
            left.set()
            self._answering = {token: each for token, each in self._answering.items() if each is not left}

    async def _answer(self, interaction: Interaction) -> None:
        try:
            await self._handle(interaction)
        except UserError as problem:
            await _say(interaction, str(problem))
        except (Unavailable, TimeoutError):
            await _say(interaction, BUSY)
        except Exception:
            await _say(interaction, FAULT)
            raise

    async def _handle(self, interaction: Interaction) -> None:
        match interaction.type:
            case discord.InteractionType.application_command:
                await self._open_or_take(interaction, command_used(interaction))
            case discord.InteractionType.component:
                pressed = await button_pressed(interaction)
                # Most presses open nothing, and need not wait for anybody to say so.
                take = self._open_or_take if pressed.button in OPENS_FORM else self._take
                await take(interaction, pressed)
            case discord.InteractionType.autocomplete:
                found = [discord.app_commands.Choice(name=each, value=each) for each in schemas_like(_typed(interaction))]
                with _answering(interaction):
                    await interaction.response.autocomplete(found)
            case discord.InteractionType.modal_submit:
                await self._take(interaction, await form_submitted(interaction))
            case _:
                pass

    async def _open_or_take(self, interaction: Interaction, event: CommandUsed | ButtonPressed) -> None:
        """Open the form that `event` asks for, since a dialog can only be the first answer; without one, take the event in."""
        async with asyncio.timeout(BUDGET_S):
            form = await self._form_for(event)
        if form is None:
            await self._take(interaction, event)
            return
        with _answering(interaction):
            await interaction.response.send_modal(modal(form, event.place.workspace))

    async def _take(self, interaction: Interaction, event: AnyEvent) -> None:
        """Make `event` durable, then defer. When Discord does not hear of that, the answer arrives as an ordinary message.

        What could not be stored in time may be stored yet, so that we defer in that case as well, and ask again: a second time
        it is the same event.
        """
        taken = await self._is_taken(event)
        private = not isinstance(event, CommandUsed) or event.command in PRIVATE
        # A press changes nothing that one sees until there is something to say, and neither does the form that it opened: often
        # only the message changes. A command, or a form of one, shows that we are at work.
        with _answering(interaction):
            await interaction.response.defer(thinking=_shows_placeholder(interaction), ephemeral=private)
        for pause_s in RETRIES_S:
            if taken:
                return
            await asyncio.sleep(pause_s)
            taken = await self._is_taken(event)
        if not taken:
            raise Unavailable("Flashbulb")

    async def _is_taken(self, event: AnyEvent) -> bool:
        """Make `event` durable; return whether that is sure."""
        try:
            async with asyncio.timeout(BUDGET_S):
                await self._accept(event)
        except (Unavailable, TimeoutError):
            return False
        return True


PRIVATE: Final = frozenset(each.name for each in COMMANDS if each.private)


def command_used(interaction: Interaction) -> CommandUsed:
    """Return the event of a slash command or of a message's menu.

    Raises: `UserError` when there is no such command (any more).
    """
    data: Mapping[str, Any] = interaction.data or {}
    options, resolved = data.get("options") or (), data.get("resolved") or {}
    shortcuts = {each.label: each.command for each in SHORTCUTS}
    files: Sequence[Attachment] = ()
    message = None
    match data.get("type"):
        case kind if kind == MESSAGE_MENU and data["name"] in shortcuts:
            command, message = shortcuts[data["name"]], data["target_id"]
            # They come with the menu even where the app may not read messages.
            files = shown(resolved["messages"][message], Us(user="", application="")).files
        case kind if kind == SLASH and data["name"] in {each.name for each in COMMANDS}:
            command = data["name"]
            files = [attachment_of(resolved["attachments"][each]) for each in _files_in(options)]
        case _:
            raise UserError(OLD_COMMAND)
    return CommandUsed(
        key=f"{PLATFORM}:{interaction.id}",
        place=place_of(interaction),
        author=_person(interaction, role_in_server(interaction.user)),
        reply=f"c:{interaction.application_id}:{interaction.token}",
        command=command,
        argument=flagged(command, options) if command in FLAGS else " ".join(_words_in(options)),
        message=message,
        attachments=tuple(files),
    )


async def button_pressed(interaction: Interaction) -> ButtonPressed:
    """Return the event of a press. What the presser may do is asked anew each time.

    Raises: `UserError` when the button is none of ours, `Unavailable` or `TimeoutError` when that cannot be asked now.
    """
    data: Mapping[str, Any] = interaction.data or {}
    pressed = read_button(data["custom_id"])
    here = place_of(interaction)
    if pressed is None or interaction.message is None or here.workspace not in (DIRECT, pressed.workspace):
        raise UserError(OLD_BUTTON)
    return ButtonPressed(
        key=f"{PLATFORM}:{interaction.id}",
        place=here.model_copy(update={"workspace": pressed.workspace}),
        author=await _person_of(interaction, here, pressed.workspace),
        reply=f"b:{interaction.application_id}:{interaction.token}",
        button=pressed.button,
        value=pressed.value,
        message=str(interaction.message.id),
    )


async def form_submitted(interaction: Interaction) -> FormSubmitted:
    """Return the event of a form that came back, also of one that an earlier process opened.

    Raises: `UserError` when it is none of ours; `Unavailable` or `TimeoutError` as with a press.
    """
    filled = read(interaction.data or {})
    here = place_of(interaction)
    if filled is None or here.workspace not in (DIRECT, filled.workspace):
        raise UserError(OLD_FORM)
    return FormSubmitted(
        key=f"{PLATFORM}:{interaction.id}",
        place=here.model_copy(update={"workspace": filled.workspace}),
        author=await _person_of(interaction, here, filled.workspace),
        reply=f"{'c' if _shows_placeholder(interaction) else 'b'}:{interaction.application_id}:{interaction.token}",
        form=filled.form,
        about=filled.about,
        values=filled.values,
    )


def place_of(interaction: Interaction) -> Place:
    """Return where somebody did it.

    Raises: `UserError` when Discord does not say.
    """
    channel = interaction.channel
    if channel is None:
        raise UserError("Discord does not say which channel this is in. Try it in another one.")
    workspace = DIRECT if interaction.guild_id is None else str(interaction.guild_id)
    if isinstance(channel, discord.Thread):
        return Place(platform=PLATFORM, workspace=workspace, channel=str(channel.parent_id), thread=str(channel.id))
    return Place(platform=PLATFORM, workspace=workspace, channel=str(channel.id))


async def _person_of(interaction: Interaction, here: Place, workspace: str) -> Person:
    """Return who did it, with what they may do in `workspace` now, which is asked for where they did it `here` privately."""
    role = role_in_server(interaction.user)
    if here.workspace == DIRECT:
        async with asyncio.timeout(BUDGET_S):
            role = await role_in(interaction.client, workspace, str(interaction.user.id))
    return _person(interaction, role)


def _person(interaction: Interaction, role: Role) -> Person:
    return Person(id=str(interaction.user.id), name=interaction.user.display_name, role=role, bot=interaction.user.bot)


def _shows_placeholder(interaction: Interaction) -> bool:
    """Whether, once deferred, it shows that we are at work: so does what comes from no message of ours, a form included."""
    return interaction.message is None


def _words_in(options: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for option in sorted(options, key=lambda each: str(each["name"])):  # they come in the order in which they were filled in
        if option["type"] in SUBCOMMANDS:
            yield option["name"]
            yield from _words_in(option.get("options") or ())
        elif option["type"] != ATTACHMENT_OPTION:
            yield str(option["value"])


def _files_in(options: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for option in options:
        if option["type"] in SUBCOMMANDS:
            yield from _files_in(option.get("options") or ())
        elif option["type"] == ATTACHMENT_OPTION:
            yield option["value"]


def _typed(interaction: Interaction) -> str:
    """Return what somebody has typed so far of the one option that is completed."""
    data: Mapping[str, Any] = interaction.data or {}
    return next((str(each.get("value") or "") for each in data.get("options") or () if each.get("focused")), "")


async def _say(interaction: Interaction, sentence: str) -> None:
    """Say something as the first answer; where that was to defer, in the placeholder, or else to the one person alone."""
    with _answering(interaction):
        if not interaction.response.is_done():
            await interaction.response.send_message(sentence, ephemeral=True)
        elif _shows_placeholder(interaction):
            await interaction.edit_original_response(content=sentence)
        else:
            await interaction.followup.send(sentence, ephemeral=True)


@contextmanager
def _answering(interaction: Interaction) -> Iterator[None]:
    """Log when Discord does not take an answer: it came too late, or the connection is gone. What was accepted goes on."""
    try:
        with answered():
            yield
    except (Denied, Unavailable) as problem:
        log.warning("discord.answer_failed", key=str(interaction.id), code=getattr(problem, "code", None))
