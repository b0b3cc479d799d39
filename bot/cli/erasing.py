"""`db erase`: everything that is kept about one person of a workspace is deleted."""

import typer

from bot.cli.ends import End, say_problem
from bot.cli.workspaces import address_of_records, seal_of, tenant_named
from bot.settings import Settings
from bot.storage.database import open_records
from bot.storage.erasing import Erasing, Traces


async def erase(person: str, settings: Settings, *, workspace: str, sure: bool) -> End:
    """Say what is kept about a person, ask, and delete it. Ends with 1 where it was not to be deleted."""
    tenant, seal = tenant_named(workspace), seal_of(settings)
    async with open_records(settings.flashbulb_data, address_of_records(settings), seal=seal) as records:
        erasing = Erasing(records, seal)
        traces = await erasing.traces(tenant, person)
        if traces.none or not person:  # without an id, links are Flashbulb's own
            say_problem(f"Nothing is kept about {person} in {workspace}. The platform's own id is meant, not a name.")
            return End.USAGE
        for line in _lines(traces):
            typer.echo(line)
        if not sure and not typer.confirm("Delete all of this for good?"):
            say_problem("Nothing was deleted.")
            return End.FOUND
        await erasing.erase(tenant, person)
    typer.echo("Deleted. What was decided and done stays in the audit, without this person, and still verifies.")
    return End.DONE


def _lines(traces: Traces) -> tuple[str, ...]:
    said = (
        (traces.cases, "cases about what they wrote, which counted as strikes"),
        (traces.copies, "sealed copies of their messages"),
        (traces.verdicts, "verdicts on their messages"),
        (traces.results, "results that they asked for or that are about those messages"),
        (traces.wishes, "wishes, with all that was made"),
        (traces.sign_ins, "people of the console, with their sign-ins"),
        (traces.decisions, "cases of others, from which their name goes"),
        (traces.signed, "hashes on lists, policies and schemas, from which their name goes"),
        (traces.links, "links of the audit, from which their id goes"),
    )
    return tuple(f"{number:>8,}  {what}" for number, what in said if number)
