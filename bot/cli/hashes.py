"""`hashes import`, `export`, `list` and `remove`: what is known on a workspace's lists, exchanged as CSV."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import typer

from bot.cli.ends import End, plain, say_problem
from bot.cli.hash_files import WHY_SKIPPED, ReadFile, Wanted, check, read, written
from bot.cli.workspaces import address_of_records, open_beside, seal_of, tenant_named
from bot.settings import Settings
from bot.storage.banks import StoredBanks, listed_link, made, unlisted_link
from bot.storage.database import open_records
from bot.storage.tables import now
from handlers.events import Tenant
from handlers.ports.moderation import Counted
from pipelines.errors import Misconfigured
from pipelines.moderation.lists import Entry, Hash, Listing

BYTES_MAX: Final = 512 * 1024 * 1024
PROBLEMS_SHOWN: Final = 20


async def import_(file: Path, settings: Settings, *, workspace: str, wanted: Wanted, as_json: bool) -> End:
    """Put what a file lists on a workspace's list, all or nothing."""
    tenant = tenant_named(workspace)
    check(wanted)
    found = await asyncio.to_thread(lambda: read(_text(file), wanted))
    new, known = 0, 0
    if not found.problems:
        seal = seal_of(settings)
        async with open_records(settings.flashbulb_data, address_of_records(settings), seal=seal) as records:
            new, known = await _add(StoredBanks(records, seal), tenant, wanted.listed, found, reason=f"import of {file.name}")
    if as_json:
        _print_json(
            {
                "file": str(file),
                "list": wanted.listed,
                "imported": new,
                "already_listed": known,
                "skipped": {kind: found.skipped[kind] for kind in WHY_SKIPPED},
                "problems": found.problems,
            }
        )
        return End.FOUND if found.problems else End.DONE
    for problem in found.problems[:PROBLEMS_SHOWN]:
        say_problem(problem)
    if found.problems:
        more = len(found.problems) - PROBLEMS_SHOWN
        say_problem(f"{f'And {more:,} more. ' if more > 0 else ''}Nothing was imported. Mend or delete these lines first.")
        return End.FOUND
    for kind, number in found.skipped.items():
        typer.echo(WHY_SKIPPED[kind].format(f"{number:,}"), err=True)
    again = f" {known:,} were on it already." if known else ""
    typer.echo(f"{new:,} hashes were put on the {wanted.listed} list.{again}")
    return End.DONE


async def export(file: Path | None, settings: Settings, *, workspace: str, as_json: bool) -> End:
    """Write a workspace's lists as CSV, to a file or on standard output."""
    if as_json and file is None:
        raise Misconfigured("Where should the list go? Name a file: flashbulb hashes export FILE --json")
    tenant = tenant_named(workspace)
    async with open_beside(settings) as records:
        lists = await StoredBanks(records).hashes(tenant)
    text = written(lists)
    number = sum(len(hashes) for _, hashes in lists)
    if file is None:
        sys.stdout.write(text)
        return End.DONE
    try:
        await asyncio.to_thread(file.write_text, text, "utf-8", newline="")
    except OSError as error:
        raise Misconfigured(f"{file} cannot be written: {type(error).__name__}. Name another file.") from error
    if as_json:
        _print_json({"file": str(file), "exported": number})
    else:
        typer.echo(f"{number:,} hashes were written to {plain(str(file))}.")
    return End.DONE


async def list_(settings: Settings, *, workspace: str, as_json: bool) -> End:
    """Say what is on a workspace's lists: how many hashes of each kind, by decision."""
    tenant = tenant_named(workspace)
    async with open_beside(settings) as records:
        entries = await StoredBanks(records).entries(tenant)
    totals: dict[Listing, Counter[str]] = {"deny": Counter(), "allow": Counter()}
    for each in entries:
        totals[each.entry.listed].update(each.hashes)
    if as_json:
        counts: dict[str, Any] = {name: dict(sorted(of.items())) for name, of in totals.items()}
        _print_json({"workspace": workspace, **counts, "entries": [_described(each) for each in entries]})
        return End.DONE
    for name, of in totals.items():
        typer.echo(f"{name}: {_counts(of)}")
    for each in entries:
        entry = each.entry
        leads_to = f" {entry.category} {entry.kind}".rstrip() + f", severity {entry.severity}" if entry.category else ""
        until = f", until {entry.until:%Y-%m-%d %H:%M} UTC" if entry.until else ""
        why = f" ({entry.reason})" if entry.reason else ""
        typer.echo(plain(f"  {entry.id} {entry.listed}{leads_to}: {_counts(each.hashes)}{until}{why}"))
    return End.DONE


async def remove(entry: str, settings: Settings, *, workspace: str, as_json: bool) -> End:
    """Take off its list what one decision or import put there."""
    tenant, seal = tenant_named(workspace), seal_of(settings)
    link = unlisted_link(entry, event=_event())
    async with open_records(settings.flashbulb_data, address_of_records(settings), seal=seal) as records:
        gone = await StoredBanks(records, seal).remove(tenant, entry, link=link)
    if as_json:
        _print_json({"entry": entry, "removed": gone})
    elif gone:
        typer.echo(f"{plain(entry)} is on no list any more.")
    else:
        say_problem(f"{entry} is on no list of {workspace}. flashbulb hashes list shows what is.")
    return End.DONE if gone else End.USAGE


async def _add(banks: StoredBanks, tenant: Tenant, listed: Listing, found: ReadFile, *, reason: str) -> tuple[int, int]:
    """Add what no lasting entry lists already, in one transaction. Return how many hashes were new, and how many were not."""
    there = {
        (each.kind, each.value)
        for entry, hashes in await banks.hashes(tenant)
        if entry.listed == listed and entry.until is None
        for each in hashes
    }
    entries: list[tuple[Entry, tuple[Hash, ...]]] = []
    for (finding, until), those in found.hashes.items():
        hashes = tuple(each for name, each in those.items() if name not in there)
        if hashes:
            entries.append((made(listed, hashes, finding=finding, reason=reason, until=until, by="command line"), hashes))
    if entries:
        event = _event()
        await banks.add(tenant, entries, links=[listed_link(entry, hashes, event=event) for entry, hashes in entries])
    new = sum(len(hashes) for _, hashes in entries)
    return new, sum(map(len, found.hashes.values())) - new


def _event() -> str:
    """Return what names a change on the command line in the audit: by the moment, as the same one may be made again later."""
    return f"hashes:{now().isoformat()}"


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > BYTES_MAX:
            raise Misconfigured(f"{file} is larger than {BYTES_MAX // 1024**2} MB. Split it.")
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{file} cannot be read: {type(error).__name__}. Name a CSV file in UTF-8.") from error


def _counts(of: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {kind}" for kind, number in sorted(of.items())) or "nothing"


def _described(each: Counted) -> dict[str, Any]:
    entry = each.entry
    return {
        "entry": entry.id,
        "list": entry.listed,
        "category": entry.category or None,
        "kind": entry.kind or None,
        "severity": entry.severity,
        "reason": entry.reason,
        "by": entry.by,
        "at": entry.at.isoformat(),
        "until": entry.until.isoformat() if entry.until else None,
        "hashes": each.hashes,
    }


def _print_json(document: Mapping[str, Any]) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False))
