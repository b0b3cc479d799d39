"""`flashbulb emulate`: stand-ins for the vendors on this machine, with faults. The one module that knows the emulators."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import typer

from bot.stopping import until_told_to_stop
from emulators import discord, faults, modelslab, slack
from emulators.gemini import ModelEmulator
from emulators.understudy import MODEL_VERSION, answer
from pipelines.errors import Misconfigured, UserError

# How long the emulated ModelsLab takes for a picture, and for a clip or sound. Really it is longer.
PICTURE_S = 1.5
FILM_S = 8.0

# What is printed: settings for `.env`.
MODELS = """\
GEMINI_API_KEY=emulated
GEMINI_BASE_URL={address}
# The same server as fall-backs:
# ANTHROPIC_API_KEY=emulated
# ANTHROPIC_BASE_URL={address}
# OPENAI_API_KEY=emulated
# OPENAI_BASE_URL={address}/v1"""


def fault_lines() -> Iterator[str]:
    """Yield a line for each fault that can be switched on."""
    known = {
        **{name: each.does for name, each in faults.FAULTS.items()},
        **{f"modelslab:{name}": each.does for name, each in modelslab.FAULTS.items()},
        **{f"slack:{name}": each.does for name, each in slack.FAULTS.items()},
        **{f"discord:{name}": each.does for name, each in discord.FAULTS.items()},
    }
    width = max(map(len, known))
    for name, does in known.items():
        yield f"{name:<{width}}  {does}"


async def emulate(*, port: int, latency_s: float, wanted: Sequence[str]) -> None:
    """Play the models' vendors, Slack, Discord and ModelsLab at four ports from `port` on, until told to stop.

    Raises: `UserError` for a fault that does not exist, `Misconfigured` when a port is taken.
    """
    ports = [port and port + step for step in range(4)]  # 0 takes any free one
    models = ModelEmulator(answer=answer, port=ports[0], latency_s=latency_s, model_version=MODEL_VERSION, journal=False)
    chats = (slack.SlackEmulator(port=ports[1], journal=False), discord.DiscordEmulator(port=ports[2], journal=False))
    maker = modelslab.ModelsLabEmulator(port=ports[3], work_s=PICTURE_S, film_s=FILM_S, label=True, journal=False)
    for name in wanted:
        _switch_on(name, models, *chats, maker)
    emulators: tuple[AbstractAsyncContextManager[object], ...] = (models, *chats, maker)
    async with AsyncExitStack() as stack:
        for emulator, wants in zip(emulators, ports, strict=True):
            try:
                await stack.enter_async_context(emulator)
            except OSError as error:
                raise Misconfigured(
                    f"Port {wants} cannot be used: it is taken, or reserved. Choose another one with --port."
                ) from error
        typer.echo("# Stand-ins for the models, Slack, Discord and ModelsLab answer until Ctrl-C. Put this into .env:")
        typer.echo(MODELS.format(address=models.base_url))
        for each in (*chats, maker):
            typer.echo("\n".join(f"{name}={value}" for name, value in each.environment.items()))
        typer.echo(
            f"# With an admin's token, messages are taken out at Slack:\n# SLACK_ADMIN_USER_TOKEN={chats[0].admin_token}"
        )
        typer.echo(f"# To post and to look: {chats[0].origin}/control/ and {chats[1].origin}/control/ (docs/operating.md)")
        await until_told_to_stop()


def _switch_on(
    name: str,
    models: ModelEmulator,
    team: slack.SlackEmulator,
    server: discord.DiscordEmulator,
    maker: modelslab.ModelsLabEmulator,
) -> None:
    vendor, _, fault = name.rpartition(":")
    match vendor:
        case "" if fault in faults.FAULTS:
            models.fault(fault)
        case "slack" if fault in slack.FAULTS:
            team.fault(fault)
        case "discord" if fault in discord.FAULTS:
            server.fault(fault)
        case "modelslab" if fault in modelslab.FAULTS:
            maker.fault(fault, times=None)
        case _:
            raise UserError(f"There is no fault {name}. flashbulb emulate --list-faults prints them all.")
