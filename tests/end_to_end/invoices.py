"""Invoices as members post them, and what comes back of them: marked pages and sheets."""

import asyncio
import csv
import io
import shutil
from pathlib import Path
from typing import Any, Final

import openpyxl
from PIL import Image

from tests.extraction.papers import INVOICE, a_pdf

PAGE_SHARE: Final = 842 / 595  # height by width of the pages that `papers` makes: A4
OFFICE_S: Final = 60.0


def an_invoice(number: str = "471102", *, total: str = "529,87 €") -> bytes:
    """Return an invoice as a PDF. Its lines come to 529,87 €: with another total it does not add up."""
    changed = {"471102": number, "529,87 €": total}
    lines = list(INVOICE)
    for old, new in changed.items():
        lines = [line.replace(old, new) for line in lines]
    return a_pdf(lines)


def colours_in(picture: bytes) -> int:
    """Return how many pixels of a marked page are coloured: our invoices are black on white."""
    with Image.open(io.BytesIO(picture)) as page:
        _, saturation, _ = page.convert("HSV").split()
    return sum(saturation.histogram()[100:])


def size_of(picture: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(picture)) as page:
        return page.size


def sheet(workbook: bytes, title: str) -> list[dict[str, Any]]:
    """Return the rows of a sheet by the headings of their columns."""
    heads, *rows = openpyxl.load_workbook(io.BytesIO(workbook), data_only=True)[title].iter_rows(values_only=True)
    return [dict(zip(heads, row, strict=True)) for row in rows]


async def in_office(workbook: bytes, folder: Path) -> list[dict[str, str]]:
    """Open a workbook in LibreOffice, without a window, and return its first sheet as that saves it."""
    office = shutil.which("soffice")
    assert office
    source = folder / "taken.xlsx"
    source.write_bytes(workbook)
    arguments = (f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "csv", "--outdir", str(folder))
    process = await asyncio.create_subprocess_exec(office, *arguments, str(source), stdout=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(OFFICE_S):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
    return list(csv.DictReader(io.StringIO(source.with_suffix(".csv").read_text("utf-8"))))
