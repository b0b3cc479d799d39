"""`policy lint`, `show`, `test` and `diff`: what a policy means, tried without a model."""

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import typer
from pydantic import BaseModel, ValidationError
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from bot.cli.ends import End, plain, say_problem
from bot.cli.printing import console
from bot.cli.workspaces import open_beside, tenant_named
from bot.platforms import Connected
from bot.policies import own_policy, own_version
from bot.settings import Settings
from bot.storage.database import Records
from bot.storage.policies import StoredPolicies
from bot.storage.verdicts import StoredVerdicts
from pipelines.errors import Misconfigured
from pipelines.moderation.comparing import (
    CaseChannel,
    Change,
    Comparison,
    Tried,
    compare,
    differences,
    gate_in_words,
    read_cases,
    remarks,
    try_cases,
)
from pipelines.moderation.policies import load, named
from pipelines.moderation.policy import Action, Channel, ChannelPolicy, Policy
from pipelines.moderation.report import OWN, Category, Finding
from pipelines.moderation.verdict import Decided
from pipelines.yaml_text import read_text

VERDICTS_MAX: Final = 100_000  # stored ones that are decided anew, the newest
CHANGES_SHOWN: Final = 20  # the rest is counted; `--json` has them all
STYLES: Final = {"flag": "yellow", "hold": "yellow", "remove": "red", "timeout": "red"}
LADDER: Final = tuple(action.value for action in (Action.TAG, Action.FLAG, Action.HOLD, Action.REMOVE, Action.TIMEOUT))
UNCHOSEN: Final = "not named: shadow in real workspaces, enforce in emulated ones"


def lint(files: Sequence[Path], *, as_json: bool) -> End:
    """Say of each file whether it is a policy, and what in it is hardly meant."""
    ends = []
    for file in files:
        try:
            policy = load(file)
        except Misconfigured as error:
            ends.append(End.FOUND if file.is_file() else End.USAGE)
            if as_json:
                _print_json({"file": str(file), "valid": False, "error": str(error), "policy": None, "remarks": []})
            else:
                say_problem(str(error))
            continue
        said = remarks(policy)
        ends.append(End.DONE)
        if as_json:
            document = {"file": str(file), "valid": True, "error": None, "policy": policy.fingerprint, "remarks": list(said)}
            _print_json(document)
        else:
            typer.echo(plain("\n".join((f"{file}: valid, policy {policy.fingerprint}", *(f"  {each}." for each in said)))))
    return max(ends, default=End.DONE)


async def show(name: str | None, settings: Settings, *, channel: Channel | None, workspace: str | None, as_json: bool) -> End:
    """Print what holds, everywhere or in one channel."""
    policy = await _policy(name, settings, workspace)
    document = shown(policy, channel)
    if as_json:
        _print_json(document)
    else:
        _show_policy(document)
    return End.DONE


def try_on(cases: Path, settings: Settings, *, policy: str | None, as_json: bool) -> End:
    """Decide cases by a policy and say where it does something else than they expect."""
    rules = named(policy) if policy else own_policy(settings)
    tried = try_cases(rules, read_cases(read_text(cases), source=str(cases)))
    failed = [each for each in tried if not each.as_expected]
    if as_json:
        results = [_tried(number, each) for number, each in enumerate(tried, 1)]
        _print_json({"policy": rules.fingerprint, "passed": len(tried) - len(failed), "failed": len(failed), "cases": results})
    else:
        for number, each in enumerate(tried, 1):
            if not each.as_expected:
                say_problem(f"Case {number}{f' ({each.case.says})' if each.case.says else ''}: {_not_as_expected(each)}")
        typer.echo(f"{len(tried) - len(failed)} of {len(tried)} cases end as expected by policy {rules.fingerprint}.")
    return End.FOUND if failed else End.DONE


async def diff(old: str, new: str, settings: Settings, *, on: Path | None, workspace: str | None, as_json: bool) -> End:
    """Print which keys differ, and which stored verdicts would be others."""
    before, after = await _policy(old, settings, workspace), await _policy(new, settings, workspace)
    said = differences(before, after)
    decided = await asyncio.to_thread(_read_decided, on) if on else await _stored(settings, workspace) if workspace else None
    comparison = None if decided is None else compare(before, after, decided)
    if as_json:
        _print_json(
            {
                "old": before.fingerprint,
                "new": after.fingerprint,
                "differences": list(said),
                "looked_at": comparison.looked_at if comparison else None,
                "counts": [
                    {"from": old.value, "to": new.value, "count": count} for (old, new), count in comparison.counts.items()
                ]
                if comparison
                else [],
                "changes": [_change(each) for each in comparison.changes] if comparison else [],
            }
        )
        return End.DONE
    typer.echo(plain("\n".join(said)) if said else "The policies say the same.")
    if comparison is not None:
        _show_comparison(comparison)
    return End.DONE


def channel_named(name: str | None, platform: str | None, *, age_gated: bool) -> Channel | None:
    """Return the channel that somebody asks about; None where no word was said of one. Only Discord has an age gate."""
    if name is None and platform is None and not age_gated:
        return None
    known = (name or "").removeprefix("#")
    return Channel(platform=platform or ("discord" if age_gated else ""), id=known, name=known, age_gated=age_gated)


def shown(policy: Policy, channel: Channel | None) -> dict[str, Any]:
    """Return what holds in a channel, or everywhere else, as JSON takes it."""
    here = policy.at(channel or Channel(platform="", id=""))
    settings = policy.model_dump(
        mode="json",
        exclude={"version", "mode", "unknown", "unreadable", "gates", "categories", "own_categories", "profiles", "channels"},
    )
    return {
        "policy": policy.fingerprint,
        "channel": None
        if channel is None
        else {"platform": channel.platform, "name": channel.name, "age_gated": channel.age_gated},
        "profile": here.profile,
        "mode": here.mode or policy.mode,
        "unknown": here.unknown.value,
        "unreadable": here.unreadable.value,
        "categories": {name: _rule(name, here) for name in (*Category, *(f"{OWN}{own}" for own in policy.own_categories))},
        "channels": [] if channel else [rule.model_dump(mode="json", exclude_unset=True) for rule in policy.channels],
        "settings": settings,
        "remarks": list(remarks(policy)),
    }


def _rule(name: str, here: ChannelPolicy) -> dict[str, Any]:
    rule = here.rule_for(name)
    own = here.policy.own_categories.get(name.removeprefix(OWN)) if name.startswith(OWN) else None
    gates = {action: [gate.model_dump(mode="json") for gate in getattr(rule, action)] for action in LADDER}
    said = {"says": own.says} if own else {}
    return {
        **said,
        "mode": here.mode_for(name, "enforce") if here.mode or rule.mode else None,
        "allow": list(rule.allow),
        "help": rule.help,
        **gates,
    }


async def _policy(name: str | None, settings: Settings, workspace: str | None) -> Policy:
    """Return a policy by a preset's name, a file, or a version's number; without a name, the one that holds."""
    if name is not None and not (name.isascii() and name.isdigit()):
        return named(name)
    if workspace is None:
        if name is not None:
            raise Misconfigured(f"Version {name} of which workspace? Name it: --workspace PLATFORM:ID")
        return own_policy(settings)
    tenant = tenant_named(workspace)
    async with open_beside(settings) as records:
        versions = await _policies(records, settings).versions(tenant)
    found = next((each for each in versions if name is None or each.number == int(name)), None)
    if found is None:
        known = ", ".join(str(each.number) for each in versions)
        raise Misconfigured(f"{workspace} has no version {name} of a policy. There are {known}.")
    if found.trouble:
        raise Misconfigured(f"Version {found.number} of {workspace} can no longer be read. {found.trouble}")
    return found.policy


async def _stored(settings: Settings, workspace: str) -> tuple[Decided, ...]:
    async with open_beside(settings) as records:
        return await StoredVerdicts(records, _policies(records, settings)).newest(tenant_named(workspace), limit=VERDICTS_MAX)


def _policies(records: Records, settings: Settings) -> StoredPolicies:
    return StoredPolicies(records, own_version(settings), Connected({}))


class _Line(BaseModel):
    """One verdict in a file: one that was stored, or a line of `flashbulb moderate --json`."""

    event: str = ""
    file: str | None = None
    error: str | None = None
    channel: CaseChannel = CaseChannel(platform="")
    exempt: bool = False
    findings: tuple[Finding, ...] = ()
    incomplete: tuple[str, ...] = ()
    verdict: str = ""
    action: Action = Action.ALLOW
    policy: str = ""


def _read_decided(path: Path) -> tuple[Decided, ...]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"{path} cannot be read: {type(error).__name__}. Name a file with one JSON document a line."
        ) from error
    return tuple(_decided(lines, str(path)))


def _decided(lines: Sequence[str], source: str) -> Iterator[Decided]:
    moment = datetime.now(UTC)
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            line = _Line.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise Misconfigured(f"{source}, line {number}: {where or 'the line'}: {first['msg']}.") from error
        if line.error is not None:
            continue  # nothing was found out about it
        yield Decided(
            event=line.event or line.file or f"line {number}",
            channel=Channel(**line.channel.model_dump()),
            exempt=line.exempt,
            findings=line.findings,
            incomplete=line.incomplete or (("partial",) if line.verdict == "unknown" else ()),
            action=line.action,
            policy=line.policy,
            at=moment,
        )


def _tried(number: int, each: Tried) -> dict[str, Any]:
    case = each.case
    return {
        "case": number,
        "says": case.says,
        "passed": each.as_expected,
        "expect": case.expect,
        "action": each.verdict.action,
        "expect_done": case.done,
        "done": each.verdict.enforced,
        "reasons": list(each.verdict.reasons),
    }


def _not_as_expected(each: Tried) -> str:
    case, verdict = each.case, each.verdict
    pairs = (("", case.expect, verdict.action), ("done ", case.done, verdict.enforced))
    wrong = [f"{what}{wanted} expected, {got} it is" for what, wanted, got in pairs if wanted not in (None, got)]
    return f"{'; '.join(wrong)}. {' '.join(verdict.reasons)}".strip()


def _change(each: Change) -> dict[str, Any]:
    return {
        "event": each.event,
        "channel": each.channel.name or each.channel.id,
        "from": each.before.value,
        "to": each.after.value,
        "why": each.why,
    }


def _show_comparison(comparison: Comparison) -> None:
    changes = comparison.changes
    typer.echo(f"\n{len(changes):,} of {comparison.looked_at:,} verdicts would be others.")
    if not changes:
        return
    for (before, after), count in comparison.counts.items():
        typer.echo(f"  {count:,} x {before} -> {after}")
    if not sys.stdout.isatty():
        for each in changes:
            said = _change(each)
            typer.echo(
                plain(f"{said['event']} in {said['channel'] or 'no channel'}: {said['from']} -> {said['to']}: {said['why']}")
            )
        return
    table = Table("Message", "Channel", "From", "To", "Why", box=SIMPLE_HEAD, header_style="cyan")
    for each in changes[:CHANGES_SHOWN]:
        said = _change(each)
        cells = (Text(plain(said[key]), style=STYLES.get(said[key], "")) for key in ("event", "channel", "from", "to", "why"))
        table.add_row(*cells)
    console().print(table)
    if len(changes) > CHANGES_SHOWN:
        typer.echo(f"And {len(changes) - CHANGES_SHOWN:,} more: --json lists them all.")


def _show_policy(document: Mapping[str, Any]) -> None:
    for line in _facts(document):
        typer.echo(plain(line))
    if not sys.stdout.isatty():
        for name, rule in document["categories"].items():
            steps = [f"{action} at {' or '.join(map(gate_in_words, rule[action]))}" for action in LADDER if rule[action]]
            typer.echo(plain(f"{name}: {'; '.join((*steps, *_asides(rule))) or 'nothing'}"))
    else:
        console().print(_ladder(document["categories"]))
    for line in _rest(document):
        typer.echo(plain(line))


def _facts(document: Mapping[str, Any]) -> Iterator[str]:
    yield f"Policy: {document['policy']}"
    if (channel := document["channel"]) is not None:
        gated = ", age-gated" if channel["age_gated"] else ""
        on = f" on {channel['platform']}" if channel["platform"] else ""
        yield f"Channel: {channel['name'] or 'any'}{on}{gated}"
        yield f"Profile: {document['profile'] or 'none'}"
    yield f"Mode: {document['mode'] or UNCHOSEN}"
    yield f"Not judged in full: {document['unknown']}"
    yield f"Cannot be opened: {document['unreadable']}"


def _rest(document: Mapping[str, Any]) -> Iterator[str]:
    for rule in document["channels"]:
        match = ", ".join(f"{key} {_word(value)}" for key, value in rule["match"].items())
        what = ", ".join(f"{key} {rule[key]}" for key in ("profile", "mode") if rule.get(key))
        yield f"Channels with {match}: {what or 'as everywhere'}"
    for key, value in document["settings"].items():
        said = ", ".join(f"{name} {_word(each)}" for name, each in value.items()) if isinstance(value, dict) else _word(value)
        yield f"{key.replace('_', ' ').capitalize()}: {said}"
    for each in document["remarks"]:
        yield f"Note: {each}."


def _ladder(categories: Mapping[str, Mapping[str, Any]]) -> Table:
    """Lay out categories by what they lead to: `2/0.5` is a gate at severity 2 and confidence 0.5."""
    actions = [action for action in LADDER if any(rule[action] for rule in categories.values())]
    table = Table(
        "Category", *actions, "", box=SIMPLE_HEAD, header_style="cyan", caption="severity / confidence", pad_edge=False
    )
    for name, rule in categories.items():
        cells = ["\n".join(map(_gate, rule[action])) for action in actions]
        table.add_row(Text(plain(name)), *(Text(plain(cell)) for cell in cells), Text(plain("\n".join(_asides(rule)))))
    return table


def _gate(gate: Mapping[str, Any]) -> str:
    kinds = f" {', '.join(gate['kinds'])}" if gate["kinds"] else ""
    return f"{gate['severity']} / {gate['confidence']:g}{kinds}"


def _asides(rule: Mapping[str, Any]) -> Iterator[str]:
    if rule["allow"]:
        yield f"allows {', '.join(rule['allow'])}"
    if rule["help"]:
        yield "words of help"
    if rule["mode"]:
        yield f"mode {rule['mode']}"


def _word(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value)) or "none"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _print_json(document: Mapping[str, Any]) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False))
