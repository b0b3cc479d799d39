"""`doctor`: prints each check as it is made."""

import json
import sys

import typer

from bot import logs
from bot.cli.ends import End, plain
from bot.doctor import Check, examine

NAME_WIDTH = len("discord log channel")  # the longest name of a check, models' aside
SIGNS = {"ok": ("✓", typer.colors.GREEN), "problem": ("✗", typer.colors.RED)}


async def check_up(*, as_json: bool) -> End:
    """Make all checks; the end is `FOUND` where one is a problem."""
    logs.configure(level="error")  # what goes wrong is said once, by the checks
    made: list[Check] = []
    async for check in examine():
        made.append(check)
        if not as_json:
            _show(check)
    problems = [check for check in made if check.status == "problem"]
    if as_json:
        checks = [{"name": check.name, "status": check.status, "says": check.says} for check in made]
        typer.echo(json.dumps({"ok": not problems, "checks": checks}, ensure_ascii=False))
    elif not problems:
        typer.secho("\nAll is well. Start it with: flashbulb run", bold=True)
    else:
        typer.secho(f"\n{len(problems)} of {len(made)} checks found a problem.", bold=True)
    return End.FOUND if problems else End.DONE


def _show(check: Check) -> None:
    sign, colour = SIGNS[check.status]
    coloured = typer.style(sign, fg=colour) if sys.stdout.isatty() else sign
    typer.echo(f"{coloured} {check.name:<{NAME_WIDTH}} {plain(check.says)}")
