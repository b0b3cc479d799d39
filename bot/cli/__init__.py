"""The commands. What is heavy is imported inside them, so that `flashbulb --help` is there at once."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.ends import Commands, End, say_problem

app = typer.Typer(
    name="flashbulb",
    help="Keeps channels safe and tags pictures with Gemini Flash. Settings come from the environment and .env.",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
db = typer.Typer(help="The records' database.", no_args_is_help=True)
app.add_typer(db, name="db")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document per input on standard output, and nothing else.")]


def main() -> None:
    """Run the command line."""
    app()


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"flashbulb {version('flashbulb')}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None: ...


@app.command()
def run(verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log our own detail as well.")] = False) -> None:
    """Start the bot and its console; open the link that it prints."""
    from bot import logs
    from bot.settings import read_settings

    settings = read_settings()
    logs.configure(secrets=settings.secrets, level="debug" if verbose else "info")
    from bot.app import serve

    _done(serve(settings, welcome=_welcome))


@app.command()
def tag(files: Annotated[list[str], typer.Argument(metavar="FILE...", show_default=False)], as_json: AsJson = False) -> None:
    """Say what pictures show: subjects, style, mood, quality, alt text, tags."""
    from bot.cli import printing
    from bot.cli.looking import tag_files

    show = printing.show_json if as_json else printing.show_tags
    _end(tag_files(files, _settings(), show))


@app.command()
def moderate(
    inputs: Annotated[list[str], typer.Argument(metavar="FILE|TEXT...", show_default=False)],
    as_json: AsJson = False,
    policy: Annotated[Path | None, typer.Option("--policy", metavar="FILE", help="Judge by this policy.")] = None,
) -> None:
    """Judge files and texts by the policy. Ends with 1 where something was found."""
    from bot.cli import printing
    from bot.cli.looking import moderate_inputs
    from pipelines.moderation.policy import load

    rules = load(policy) if policy else None
    show = printing.show_json if as_json else printing.show_verdict
    _end(moderate_inputs(inputs, _settings(), show, policy=rules))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check the set-up and print a fix for each problem. Asks each configured model one tiny question."""
    from bot.cli.checkup import check_up

    _quiet_logs()
    _end(check_up(as_json=as_json))


@app.command()
def emulate(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes any free one.")] = 8322,
    latency: Annotated[int, typer.Option(metavar="MS", min=0, help="Milliseconds before each answer.")] = 0,
    fault: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Switch a fault on. Repeatable.")] = None,
    list_faults: Annotated[bool, typer.Option("--list-faults", help="Print all faults and stop.")] = False,
) -> None:
    """Start a server that speaks as Gemini, OpenAI and Anthropic do, with the understudy's answers."""
    from emulators.faults import FAULTS
    from emulators.gemini import ModelEmulator
    from emulators.understudy import MODEL_VERSION, answer

    if list_faults:
        width = max(map(len, FAULTS))
        typer.echo("\n".join(f"{name:<{width}}  {each.does}" for name, each in FAULTS.items()))
        return
    unknown = sorted(set(fault or ()) - set(FAULTS))
    if unknown:
        say_problem(f"There is no fault {unknown[0]}. flashbulb emulate --list-faults prints them all.")
        raise typer.Exit(End.USAGE)
    emulator = ModelEmulator(answer=answer, port=port, latency_s=latency / 1000, model_version=MODEL_VERSION)
    for name in fault or ():
        emulator.fault(name)
    _done(_emulate(emulator, port))


@db.command()
def upgrade() -> None:
    """Bring the tables up to date. `flashbulb run` does so as well."""
    from bot.storage import migration
    from bot.storage.database import address
    from bot.storage.folder import held

    settings = _settings()
    url = settings.flashbulb_database_url
    where = address(settings.flashbulb_data, url.get_secret_value() if url else None)
    with held(settings.flashbulb_data):
        missing = migration.pending(where)
        migration.upgrade(where)
    typer.echo(f"Upgraded by {len(missing)} version(s)." if missing else "The tables are up to date.")
