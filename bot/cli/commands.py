"""The commands. What is heavy is imported inside them, so that `flashbulb --help` is there at once."""

import asyncio
from collections.abc import Coroutine, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TextIO, cast

import typer

from bot.cli.ends import Commands, End, StandardError

if TYPE_CHECKING:
    from bot.settings import Settings

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
evaluation = typer.Typer(
    help="How well the configured models do, on labelled data. Costs money where a model does.", no_args_is_help=True
)
app.add_typer(evaluation, name="eval")

policies = typer.Typer(help="Policies: what they say, and what they would have done. Asks no model.", no_args_is_help=True)
app.add_typer(policies, name="policy")
hashes = typer.Typer(help="Lists of known content, by hashes, as CSV.", no_args_is_help=True)
app.add_typer(hashes, name="hashes")
audit = typer.Typer(help="What was decided and done, and why: a chain of links for each workspace.", no_args_is_help=True)
app.add_typer(audit, name="audit")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document per input on standard output, and nothing else.")]


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

    asyncio.run(serve(settings, welcome=_welcome))


@app.command()
def tag(files: Annotated[list[str], typer.Argument(metavar="FILE", show_default=False)], as_json: AsJson = False) -> None:
    """Say what pictures show.

    Subjects, style, mood, technical quality, colours, text, alt text and tags.
    """
    from bot.cli import printing
    from bot.cli.looking import tag_files

    show = printing.show_json if as_json else printing.show_tags
    _end(tag_files(files, _settings(), show))


@app.command()
def moderate(
    inputs: Annotated[list[str], typer.Argument(metavar="FILE|TEXT", show_default=False)],
    as_json: AsJson = False,
    policy: Annotated[str | None, typer.Option("--policy", metavar="FILE|PRESET", help="Judge by this policy.")] = None,
) -> None:
    """Judge files and texts by the policy. Ends with 1 where something was found."""
    from bot.cli import printing
    from bot.cli.looking import moderate_inputs
    from pipelines.moderation.policies import named

    rules = named(policy) if policy else None
    show = printing.show_json if as_json else printing.show_verdict
    _end(moderate_inputs(inputs, _settings(), show, policy=rules))


@app.command()
def extract(
    files: Annotated[list[str], typer.Argument(metavar="FILE", show_default=False)],
    schema: Annotated[
        str, typer.Option("--schema", metavar="NAME|FILE", help="What to look for: auto, invoice, receipt, … or a YAML file.")
    ] = "auto",
    as_json: AsJson = False,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="OUT", help="Write one line for each line item.")] = None,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", metavar="OUT", help="Write a workbook.")] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="DIR", help="Draw the pages with what was found framed.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="FILE", help="Note what is done in FILE, and leave out what is noted.")
    ] = None,
    bigger: Annotated[bool, typer.Option("--bigger", help="Ask the bigger model at once.")] = False,
) -> None:
    """Take checked data out of documents: invoices, receipts, contracts, papers, forms, tables.

    Every value says where it stands. Ends with 1 where a check fails, or a value should be looked at by a person.
    """
    from bot.cli import printing
    from bot.cli.extracting import Wanted, extract_files, show_extraction

    wanted = Wanted(schema=schema, csv=csv, xlsx=xlsx, pictures=picture, journal=resume, bigger=bigger)
    show = printing.show_json if as_json else show_extraction
    _end(extract_files(files, _settings(), show, wanted=wanted))


Aspect = Annotated[str | None, typer.Option("--ar", "--aspect", metavar="W:H", help="The format: 16:9, wide, tall, …")]
Count = Annotated[str | None, typer.Option("--count", metavar="N", help="How many of it, up to 4.")]
Style = Annotated[str | None, typer.Option("--style", metavar="NAME", help="A style, such as ink.")]
Kind = Annotated[str | None, typer.Option("--kind", metavar="KIND", help="image, video, music or voice.")]
ByModel = Annotated[str | None, typer.Option("--model", metavar="NAME", help="The maker's model, such as flux.")]
Seed = Annotated[str | None, typer.Option("--seed", metavar="N", help="What chance begins with.")]
Avoid = Annotated[str | None, typer.Option("--no", "--avoid", metavar="WORDS", help="What shall not be seen.")]
Seconds = Annotated[str | None, typer.Option("--seconds", metavar="N", help="How long sound or a clip shall be.")]
Raw = Annotated[bool, typer.Option("--raw", help="Take the words as the prompt, as they are.")]
ShowFirst = Annotated[bool, typer.Option("--show", help="Show the prompt and what it costs, and make nothing.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go; none is ever overwritten.")]


@app.command()
def imagine(
    prompts: Annotated[list[str], typer.Argument(metavar="PROMPT", show_default=False)],
    out: Out = Path(),
    aspect: Aspect = None,
    count: Count = None,
    style: Style = None,
    kind: Kind = None,
    model: ByModel = None,
    seed: Seed = None,
    avoid: Avoid = None,
    seconds: Seconds = None,
    raw: Raw = False,
    show: ShowFirst = False,
    as_json: AsJson = False,
) -> None:
    """Make pictures, clips, music or speech from words. Costs money where a maker does.

    Each is judged before and after, and saved with a JSON file beside it. Ends with 1 where one is refused, fails or is poor.
    """
    from bot.cli import making, printing

    options = {"ar": aspect, "count": count, "style": style, "kind": kind, "model": model, "seed": seed, "seconds": seconds}
    wanted = making.Wanted(options={**options, "no": avoid}, raw=raw, show=show, out=out)
    _end(making.imagine(prompts, _settings(), printing.show_json if as_json else printing.show_made, wanted=wanted))


@app.command()
def remix(
    file: Annotated[str, typer.Argument(metavar="FILE", show_default=False)],
    words: Annotated[list[str] | None, typer.Argument(metavar="STYLE", show_default=False)] = None,
    out: Out = Path(),
    do: Annotated[
        str | None, typer.Option("--as", metavar="WHAT", help="restyle, inspire, edit, upscale, cutout or animate.")
    ] = None,
    strength: Annotated[
        str | None, typer.Option("--strength", metavar="HOW", help="How much may change: subtle, medium or strong.")
    ] = None,
    aspect: Aspect = None,
    count: Count = None,
    style: Style = None,
    kind: Kind = None,
    model: ByModel = None,
    seed: Seed = None,
    avoid: Avoid = None,
    seconds: Seconds = None,
    raw: Raw = False,
    show: ShowFirst = False,
    as_json: AsJson = False,
) -> None:
    """Make something of a picture. Costs money where a maker does.

    STYLE is the name of one, or words: as a watercolour; remove background; edit: make the sky green. Results as of imagine.
    """
    from bot.cli import making, printing

    options = {"ar": aspect, "count": count, "style": style, "kind": kind, "model": model, "seed": seed, "seconds": seconds}
    options |= {"as": do, "strength": strength, "no": avoid}
    wanted = making.Wanted(options=options, raw=raw, show=show, out=out)
    shown = printing.show_json if as_json else printing.show_made
    _end(making.remix(file, " ".join(words or ()), _settings(), shown, wanted=wanted))


@app.command()
def inspect(
    files: Annotated[list[str], typer.Argument(metavar="FILE", show_default=False)],
    as_json: AsJson = False,
    fine: Annotated[bool, typer.Option("--fine", help="Also cut pictures and pages into tiles, for small print.")] = False,
    save_parts: Annotated[
        Path | None, typer.Option("--save-parts", metavar="DIR", help="Write what a model would be shown into this folder.")
    ] = None,
) -> None:
    """Say what a model would be shown of files, and what reading them shows. Asks no model.

    Parts, facts, coverage, hashes and timings. Ends with 1 where a file could not be read in full.
    """
    from bot.cli import printing
    from bot.cli.inspecting import inspect_files

    show = printing.show_json if as_json else printing.show_inspection
    _settings()
    _end(inspect_files(files, show, fine=fine, save_parts=save_parts))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check the set-up and print a fix for each problem. Asks each configured model one tiny question."""
    from bot.cli.checkup import check_up

    _end(check_up(as_json=as_json))


@app.command()
def emulate(
    port: Annotated[int, typer.Option(min=0, max=65532, help="First of four ports on 127.0.0.1; 0: any free ones.")] = 8322,
    latency: Annotated[int, typer.Option(metavar="MS", min=0, help="Milliseconds before each model's answer.")] = 0,
    fault: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Switch a fault on. Repeatable.")] = None,
    list_faults: Annotated[bool, typer.Option("--list-faults", help="Print all faults and stop.")] = False,
) -> None:
    """Start stand-ins for the models' vendors, Slack, Discord and ModelsLab, with faults.

    They speak the vendors' wire formats on this machine alone: the models at --port, Slack, Discord and ModelsLab at the next
    three. The models answer as the understudy does, and so are pictures made.
    """
    from bot.cli import emulating

    if list_faults:
        typer.echo("\n".join(emulating.fault_lines()))
        return
    asyncio.run(emulating.emulate(port=port, latency_s=latency / 1000, wanted=fault or ()))


@evaluation.command(name="moderation")
def evaluate_moderation(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="The folder in which the sets lie, each in its own.")],
    only: Annotated[list[str] | None, typer.Option("--set", metavar="NAME", help="Only this set. Repeatable.")] = None,
    most: Annotated[
        int, typer.Option("--most", metavar="N", min=0, help="Samples of each set, drawn by chance; 0: all.")
    ] = 100,
    seed: Annotated[int, typer.Option(help="What the samples are drawn by.")] = 0,
    policy: Annotated[str | None, typer.Option("--policy", metavar="FILE|PRESET", help="Judge by this policy.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Judge labelled texts and say how often that is right.

    Precision, recall and false alarms by category with 95 % intervals, what was not judged in full, cost and latency.
    """
    from bot.cli.evaluating import evaluate
    from bot.policies import own_policy
    from pipelines.moderation.policies import named

    settings = _settings()
    rules = named(policy) if policy else own_policy(settings)
    _end(evaluate(data, settings, policy=rules, names=only or (), most=most or None, seed=seed, as_json=as_json))


@evaluation.command(name="extraction")
def evaluate_extraction(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="Documents, each with its known values beside it.")],
    most: Annotated[int, typer.Option("--most", metavar="N", min=0, help="Documents, drawn by chance; 0: all.")] = 0,
    seed: Annotated[int, typer.Option(help="What they are drawn by.")] = 0,
    pages_alone: Annotated[bool, typer.Option("--pages-alone", help="Ignore e-invoices inside files.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Take data out of documents whose values are known and say how often that is right.

    F1, exact totals and dates, what is wrong without being marked, what is found on the page, checks, cost and time.
    """
    from bot.cli.evaluating_documents import evaluate

    _end(evaluate(data, _settings(), most=most or None, seed=seed, e_invoices=not pages_alone, as_json=as_json))


Workspace = Annotated[
    str | None, typer.Option("--workspace", metavar="PLATFORM:ID", help="Whose stored versions and verdicts are meant.")
]


@policies.command(name="lint")
def lint_policies(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", show_default=False)], as_json: AsJson = False
) -> None:
    """Say whether files are policies, and what in them is hardly meant. Ends with 1 where one is wrong."""
    from bot.cli.policies import lint

    _settings()
    raise typer.Exit(lint(files, as_json=as_json))


@policies.command(name="show")
def show_policy(
    name: Annotated[str | None, typer.Argument(metavar="[NAME|FILE|N]", show_default=False)] = None,
    channel: Annotated[str | None, typer.Option("--channel", metavar="NAME", help="Show what holds in this channel.")] = None,
    platform: Annotated[str | None, typer.Option("--platform", metavar="PLATFORM", help="Where that channel is.")] = None,
    age_gated: Annotated[bool, typer.Option("--age-gated", help="That channel is for adults alone.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Show what a policy says: a preset, a file or a workspace's version; without a name, the one that holds."""
    from bot.cli.policies import channel_named, show

    here = channel_named(channel, platform, age_gated=age_gated)
    _end(show(name, _settings(), channel=here, workspace=workspace, as_json=as_json))


@policies.command(name="test")
def try_policy(
    cases: Annotated[Path, typer.Argument(metavar="CASES", show_default=False)],
    policy: Annotated[str | None, typer.Option("--policy", metavar="FILE|PRESET", help="Try this policy.")] = None,
    as_json: AsJson = False,
) -> None:
    """Decide cases with known ends, from a YAML file. Ends with 1 where one ends otherwise."""
    from bot.cli.policies import try_on

    raise typer.Exit(try_on(cases, _settings(), policy=policy, as_json=as_json))


@policies.command(name="diff")
def diff_policies(
    old: Annotated[str, typer.Argument(metavar="OLD", show_default=False)],
    new: Annotated[str, typer.Argument(metavar="NEW", show_default=False)],
    on: Annotated[Path | None, typer.Option("--on", metavar="FILE", help="Decide these verdicts anew: JSON lines.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Say in which keys policies differ, and which verdicts would be others.

    OLD and NEW are presets, files, or numbers of a workspace's versions. With --workspace its stored verdicts are decided anew.
    """
    from bot.cli.policies import diff

    _end(diff(old, new, _settings(), on=on, workspace=workspace, as_json=as_json))


OfWorkspace = Annotated[str, typer.Option("--workspace", metavar="PLATFORM:ID", help="Whose lists are meant.")]


@hashes.command(name="import")
def import_hashes(
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    workspace: OfWorkspace,
    listed: Annotated[Literal["deny", "allow"], typer.Option("--list", help="Which list they go on.")] = "deny",
    category: Annotated[
        str | None, typer.Option("--category", metavar="NAME", help="What they lead to; else the line's tag, or scam_spam.")
    ] = None,
    severity: Annotated[
        int | None, typer.Option("--severity", min=1, max=4, help="How bad that is; else the line's word, or 3.")
    ] = None,
    of_type: Annotated[
        Literal["pdq", "sha256"] | None, typer.Option("--type", help="What the hashes are where the file does not say it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put the hashes of a ThreatExchange CSV file on a list: all of them, or none where a line is wrong.

    Flashbulb must not be running. Ends with 1 where lines are wrong.
    """
    from bot.cli.hash_files import Wanted
    from bot.cli.hashes import import_

    wanted = Wanted(listed=listed, category=category, severity=severity, type=of_type)
    _end(import_(file, _settings(), workspace=workspace, wanted=wanted, as_json=as_json))


@hashes.command(name="export")
def export_hashes(
    workspace: OfWorkspace,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Write both lists as ThreatExchange CSV, to a file or on standard output."""
    from bot.cli.hashes import export

    _end(export(file, _settings(), workspace=workspace, as_json=as_json))


@hashes.command(name="list")
def list_hashes(workspace: OfWorkspace, as_json: AsJson = False) -> None:
    """Say how many hashes are on the lists, and which decisions put them there."""
    from bot.cli.hashes import list_

    _end(list_(_settings(), workspace=workspace, as_json=as_json))


@hashes.command(name="remove")
def remove_hashes(
    entry: Annotated[str, typer.Argument(metavar="ENTRY", show_default=False)], workspace: OfWorkspace, as_json: AsJson = False
) -> None:
    """Take off its list what one decision or import put there, by its id. Flashbulb must not be running."""
    from bot.cli.hashes import remove

    _end(remove(entry, _settings(), workspace=workspace, as_json=as_json))


@audit.command(name="verify")
def verify_audit(
    workspace: Annotated[
        str | None, typer.Option("--workspace", metavar="PLATFORM:ID", help="Only the audit of this workspace.")
    ] = None,
    head: Annotated[
        str | None, typer.Option("--head", metavar="NUMBER:HEX", help="What was the newest link once: it must be there still.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say whether no link was changed, added or taken away. Ends with 1 where one was, and says which.

    Note the newest link elsewhere: with --head it shows later that nothing was cut off.
    """
    from bot.cli.audit import verify

    _end(verify(_settings(), workspace=workspace, head=head, as_json=as_json))


@audit.command(name="export")
def export_audit(
    workspace: Annotated[str, typer.Option("--workspace", metavar="PLATFORM:ID", help="Whose audit is meant.")],
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV instead of one JSON document per line.")] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where it goes; else standard output.")] = None,
) -> None:
    """Write all links of a workspace's audit, the oldest first."""
    from bot.cli.audit import export

    _end(export(_settings(), workspace=workspace, out=out, form="csv" if csv else "jsonl"))


@db.command()
def erase(
    person: Annotated[str, typer.Argument(metavar="PERSON", show_default=False)],
    workspace: Annotated[str, typer.Option("--workspace", metavar="PLATFORM:ID", help="The workspace that PERSON is in.")],
    sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete what is kept about a person, by the platform's id of them. Flashbulb must not be running.

    The audit stays and still verifies, without this person.
    """
    from bot.cli.erasing import erase as erase_person

    _end(erase_person(person, _settings(), workspace=workspace, sure=sure))


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


def _welcome(link: str, notes: Sequence[str]) -> None:
    """Say where to go. The link lets one browser in, once; so it is printed and never logged."""
    for note in notes:
        typer.echo(note)
    typer.echo(f"\nFlashbulb is ready. Open this link within 10 minutes; it works once:\n\n  {link}\n\nCtrl-C stops it.\n")


def _settings() -> "Settings":
    """Read the settings for a command that answers on the spot: its logs are warnings only."""
    from bot import logs
    from bot.settings import read_settings

    settings = read_settings()
    logs.configure(secrets=settings.secrets, level="warning", stream=cast("TextIO", StandardError()))
    return settings


def _end(work: Coroutine[Any, Any, End]) -> None:
    raise typer.Exit(asyncio.run(work))
