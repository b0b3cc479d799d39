"""`audit verify` and `audit export`: whether nobody has changed what was decided and done, and all of it as a file."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, TextIO

import typer

from bot.cli.ends import End, plain, say_problem
from bot.cli.workspaces import open_beside, seal_of, tenant_named
from bot.settings import Settings
from bot.storage.audit import StoredAudit, Verified
from handlers.events import Tenant
from pipelines.errors import Misconfigured

HEAD: Final = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


async def verify(settings: Settings, *, workspace: str | None, head: str | None, as_json: bool) -> End:
    """Look through the chain of one workspace or of all. Ends with 1 where one is broken, and says where."""
    if head is not None and workspace is None:
        raise Misconfigured("Of which workspace was that noted? Name it: --workspace PLATFORM:ID")
    noted = _noted(head) if head is not None else None
    found: list[tuple[Tenant, Verified]] = []
    async with open_beside(settings) as records:
        audit = StoredAudit(records, seal_of(settings))
        for tenant in (tenant_named(workspace),) if workspace else await audit.tenants():
            found.append((tenant, await audit.verify(tenant, noted=noted)))
    for tenant, verified in found:
        _show(tenant, verified, as_json=as_json)
    if not found and not as_json:
        typer.echo("No workspace has an audit yet.")
    if any(verified.broken is not None for _, verified in found):
        return End.FOUND
    if noted and any(noted[0] < verified.seq - verified.links for _, verified in found):
        say_problem(f"Link {noted[0]:,} is kept no longer, so nothing was compared with it.")
        return End.USAGE
    return End.DONE


async def export(settings: Settings, *, workspace: str, out: Path | None, form: Literal["jsonl", "csv"]) -> End:
    """Write all links of a workspace, the oldest first, to a file or on standard output."""
    tenant = tenant_named(workspace)
    async with open_beside(settings) as records:
        texts = StoredAudit(records, seal_of(settings)).export(tenant, form=form)
        if out is None:
            await _write(texts, sys.stdout)
        else:
            with _opened(out) as file:
                await _write(texts, file)
    return End.DONE


def _show(tenant: Tenant, verified: Verified, *, as_json: bool) -> None:
    name, newest = f"{tenant.platform}:{tenant.workspace}", f"{verified.seq}:{verified.chain}"
    if as_json:
        document: dict[str, Any] = {
            "workspace": name,
            "links": verified.links,
            "erased": verified.erased,
            "head": newest,
            "broken": verified.broken,
            "why": verified.why,
        }
        typer.echo(json.dumps(document, ensure_ascii=False))
        return
    erased = f" (in {verified.erased:,} of them a person was erased)" if verified.erased else ""
    if verified.broken is None:
        typer.echo(plain(f"{name}: {verified.links:,} links fit{erased}. Newest: {newest}"))
    else:
        say_problem(
            f"{name}: broken at link {verified.broken:,}. {verified.why} {verified.links:,} links before it fit{erased}."
        )


def _noted(head: str) -> tuple[int, str]:
    parsed = HEAD.fullmatch(head.strip())
    if parsed is None:
        raise Misconfigured(f"{head} is no link. Give what flashbulb audit verify said was the newest: NUMBER:HEX.")
    return int(parsed[1]), parsed[2]


async def _write(texts: AsyncIterator[str], file: TextIO) -> None:
    async for text in texts:
        await asyncio.to_thread(file.write, text)
    await asyncio.to_thread(file.flush)


@contextmanager
def _opened(out: Path) -> Iterator[TextIO]:
    try:
        with out.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise Misconfigured(f"{out} cannot be written: {type(error).__name__}. Name another file.") from error
