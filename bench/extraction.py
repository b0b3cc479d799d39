"""Whether a model that misreads is caught: known documents are answered about rightly, and then with one thing wrong.

The answers come from the emulated model over its socket and go the whole way: further looks get the same wrong answer.
"""

import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from bench.figures import Figure
from bench.replays import country_of, replay
from bot.cli.looking import Input, LocalFiles
from emulators.gemini import ModelEmulator
from emulators.wire import Asked
from pipelines.content import Attachment
from pipelines.extraction.answer import Answer, Said
from pipelines.extraction.extract import extract
from pipelines.extraction.ground import Ground
from pipelines.extraction.samples import Sample, read_samples
from pipelines.extraction.scoring import Read, score
from pipelines.extraction.values import Extraction
from pipelines.media.documents.text_layer import TextLayer
from pipelines.media.intake import MediaReader
from pipelines.media.sandbox import Sandbox
from pipelines.models import Models, Providers
from pipelines.ports import Document, Mark, Question, Reply, Shape, Task

DOCUMENTS: Final = Path(__file__).parents[2] / "shared" / "data" / "documents"
CASES: Final = 500
SEED: Final = 20261128
CAUGHT_AT_LEAST: Final = 97.0
FALSE_ALARMS: Final = 2.0
XML_MS: Final = 150.0
GROUND_MS: Final = 300.0
DRAW_MS: Final = 300.0
PAGES: Final = 15

_NONCE: Final = re.compile(r'nonce="([0-9a-f]+)"')
_DIGIT: Final = re.compile(r"\d")
_CURRENCIES: Final = ("€", "$", "£", "EUR", "USD", "GBP", "CHF")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A document and what a model that reads it rightly would say."""

    sample: Sample
    attachment: Attachment
    said: tuple[Said, ...]


@dataclass(slots=True)
class Cached:
    """A reader that reads each document once: only the answers change."""

    reader: MediaReader
    _read: dict[tuple[str, bool], Document] = field(default_factory=dict)

    async def document(self, attachment: Attachment, *, fine: bool = False) -> Document:
        key = (attachment.url, fine)
        if key not in self._read:
            self._read[key] = await self.reader.document(attachment, fine=fine)
        return self._read[key]


class Silent:
    """A model that nobody may ask."""

    async def ask(self, question: Question[Shape]) -> Reply[Shape]:
        raise AssertionError("a model was asked about an e-invoice")

    def profile(self, task: Task) -> str:
        return task


@dataclass(slots=True)
class Replaying:
    """What the emulated model says now, whatever of it is asked for."""

    said: Sequence[Said] = ()
    country: str = ""

    def answer(self, asked: Asked) -> str:
        nonce = next(found[1] for part in asked.parts if isinstance(part, str) and (found := _NONCE.search(part)))
        wanted = [each for each in self.said if f"`{each.field.partition('.')[0]}" in asked.instructions]
        return Answer(nonce=nonce, looks_like="", country=self.country, begins=[1], values=wanted).model_dump_json()


async def extraction() -> list[Figure]:
    """All figures of taking data out of documents; without the shared documents there are none."""
    if not DOCUMENTS.is_dir():
        return []
    async with Sandbox() as sandbox:
        reader = MediaReader(LocalFiles(), sandbox)
        return [*await _misreadings(reader), *await _e_invoices(reader), await _grounding(reader), *await _drawing(reader)]


async def _misreadings(reader: MediaReader) -> list[Figure]:
    known = [each async for each in _known(reader)]
    replaying, media, chance = Replaying(), Cached(reader), random.Random(SEED)
    async with ModelEmulator(replaying.answer, journal=False) as emulator:
        accounts = Providers(gemini_api_key=SecretStr("emulated"), gemini_base_url=emulator.base_url)
        async with Models(accounts, allow_understudy=True) as model:

            async def read(each: Known, said: Sequence[Said]) -> Extraction:
                replaying.said, replaying.country = said, country_of(each.sample)
                schema = each.sample.schema
                _, found = await extract(
                    each.attachment,
                    media=media,
                    model=model,
                    schema=schema,
                    e_invoices=False,
                )
                return found

            right = [await read(each, each.said) for each in known]
            values = [value for found in right for _, value in found.each()]
            alarms = sum(value.confidence == "low" or not value.grounded or bool(value.failed) for value in values)
            caught: dict[str, list[bool]] = {name: [] for name in _CORRUPTIONS}
            names = list(_CORRUPTIONS)
            for number in range(CASES):
                name = names[number % len(names)]
                each, corrupted, path = _corrupted(known, name, chance)
                caught[name].append(_is_caught(await read(each, corrupted), path))
    every = [one for some in caught.values() for one in some]
    return [
        Figure(
            name=f"{len(every)} misreadings marked",
            unit="%",
            values=(100 * sum(every) / len(every),),
            at_least=CAUGHT_AT_LEAST,
        ),
        *(
            Figure(name=f"{name} wrong ({len(some)}), marked", unit="%", values=(100 * sum(some) / len(some),))
            for name, some in caught.items()
        ),
        Figure(
            name=f"false alarms among {len(values)} right values",
            unit="%",
            values=(100 * alarms / len(values),),
            bar=FALSE_ALARMS,
        ),
    ]


async def _known(reader: MediaReader) -> Any:
    for sample in read_samples(DOCUMENTS):
        if sample.path.suffix != ".pdf":
            continue
        attachment = Input(given=str(sample.path), path=sample.path).content.attachments[0]
        document = await reader.document(attachment)
        if document.layer is None or not any(page.chars.strip() for page in document.layer.pages):
            continue
        said = replay(sample, document.layer)
        if said:
            yield Known(sample=sample, attachment=attachment, said=tuple(said))


# --- What is wrong ----------------------------------------------------------------------------------------------------------


def _corrupted(known: Sequence[Known], name: str, chance: random.Random) -> tuple[Known, list[Said], str | None]:
    """Return a document with one thing wrong about it, and the path of what is wrong; None where it is a row."""
    while True:
        each = chance.choice(known)
        if name == "line":
            corrupted = _line(each.said, chance)
            if corrupted is not None:
                return each, corrupted, None
            continue
        at = chance.randrange(len(each.said))
        said = each.said[at]
        wrong = _CORRUPTIONS[name](said, each.sample, chance)
        if wrong is not None and wrong != said.raw:
            quote = said.quote.replace(said.raw, wrong, 1)
            corrupted = [*each.said]
            corrupted[at] = said.model_copy(update={"raw": wrong, "quote": quote})
            return each, corrupted, _path(said)


def _path(said: Said) -> str:
    group, _, name = said.field.partition(".")
    return f"{group}[{said.row}].{name}" if name else group


def _kind(said: Said, sample: Sample) -> str:
    spec = sample.schema.field(said.field)
    return spec.type if spec else ""


def _digit(said: Said, sample: Sample, chance: random.Random) -> str | None:
    places = [found.start() for found in _DIGIT.finditer(said.raw)]
    if not places or _kind(said, sample) == "text":
        return None
    at = chance.choice(places)
    other = chance.choice([digit for digit in "0123456789" if digit != said.raw[at]])
    return said.raw[:at] + other + said.raw[at + 1 :]


def _date(said: Said, sample: Sample, chance: random.Random) -> str | None:
    """Return another day that may be one, in the same notation."""
    if _kind(said, sample) != "date":
        return None
    numbers = list(re.finditer(r"\d+", said.raw))
    short = [number for number in numbers if len(number[0]) <= 2]
    if not short:
        return None
    number = chance.choice(short)
    other = chance.choice([day for day in range(1, 13) if day != int(number[0])])
    return said.raw[: number.start()] + f"{other:0{len(number[0])}d}" + said.raw[number.end() :]


def _sign(said: Said, sample: Sample, _: random.Random) -> str | None:
    if _kind(said, sample) != "amount":
        return None
    return re.sub("[-−]", "", said.raw, count=1) if re.search("[-−]", said.raw) else f"-{said.raw}"


def _currency(said: Said, sample: Sample, chance: random.Random) -> str | None:
    there = next((each for each in _CURRENCIES if each in said.raw), None)
    if there is None or _kind(said, sample) not in ("amount", "currency"):
        return None
    alike = [each for each in _CURRENCIES if each != there and len(each) == len(there)]
    return said.raw.replace(there, chance.choice(alike))


def _line(said: Sequence[Said], chance: random.Random) -> list[Said] | None:
    """Leave a line item out, or make one up."""
    rows = sorted({each.row for each in said if each.field.startswith("line_items.")})
    if len(rows) < 2:
        return None
    chosen = chance.choice(rows)
    if chance.random() < 0.5:
        left = [each for each in said if not (each.field.startswith("line_items.") and each.row == chosen)]
        return [
            each.model_copy(update={"row": each.row - 1})
            if each.field.startswith("line_items.") and each.row > chosen
            else each
            for each in left
        ]
    invented = [each for each in said if each.field.startswith("line_items.") and each.row == chosen]
    return [*said, *(each.model_copy(update={"row": rows[-1] + 1}) for each in invented)]


_CORRUPTIONS: Final[dict[str, Callable[[Said, Sample, random.Random], str | None]]] = {
    "digit": _digit,
    "date": _date,
    "sign": _sign,
    "currency": _currency,
    "line": lambda *_: None,
}


def _is_caught(found: Extraction, path: str | None) -> bool:
    """Whether somebody is told to look: at the value, or, where a row is wrong, at the document."""
    if path is None:
        return bool(found.failed or found.doubtful)
    value = dict(found.each()).get(path)
    return value is None or value.confidence == "low" or not value.grounded or bool(value.failed)


# --- What it costs ----------------------------------------------------------------------------------------------------------


async def _e_invoices(reader: MediaReader) -> list[Figure]:
    """Read every e-invoice without a model, and compare all that is known of it."""
    times, read = [], []
    for sample in read_samples(DOCUMENTS):
        attachment = Input(given=str(sample.path), path=sample.path).content.attachments[0]
        if (await reader.document(attachment)).e_invoice is None:
            continue
        began = time.perf_counter()
        _, found = await extract(attachment, media=reader, model=Silent(), schema=None)
        times.append((time.perf_counter() - began) * 1000)
        read.append(Read(sample=sample, extraction=found, elapsed_ms=round(times[-1])))
    scores = score(read)
    right = 100 * (scores.recall.value or 0)
    return [
        Figure(name=f"values of {len(read)} e-invoices exact ({scores.recall.of})", unit="%", values=(right,), at_least=100),
        Figure(name="an e-invoice with its pages", unit="ms", values=tuple(times), bar=XML_MS),
        Figure(name="the slowest of them", unit="ms", values=(max(times),), bar=XML_MS),
    ]


async def _grounding(reader: MediaReader) -> Figure:
    """Ground sixty values of a document of fifteen pages, put together from those of all documents."""
    pages = [
        page
        for path in sorted(DOCUMENTS.rglob("*.pdf"))
        if "encrypted" not in path.name
        for page in (await reader.text_layer(path.read_bytes())).pages
        if page.chars.strip()
    ]
    numbered = tuple(replace(page, number=number) for number, page in enumerate(pages[:PAGES], start=1))
    layer = TextLayer(pages_total=len(numbered), pages=numbered)
    wanted = []
    for page in layer.pages:
        lines = [" ".join(line.split()) for line in page.chars.splitlines() if len(line.split()) > 3]
        wanted += [(line.split()[-1], line, page.number) for line in lines[:: max(1, len(lines) // 4)][:4]]
    times = []
    for _ in range(7):
        began = time.perf_counter()
        ground = Ground(layer)
        for raw, quote, number in wanted:
            ground.find(raw=raw, quote=quote, page=number)
        times.append((time.perf_counter() - began) * 1000)
    name = f"{len(wanted)} values grounded in {len(layer.pages)} pages"
    return Figure(name=name, unit="ms", values=tuple(times), bar=GROUND_MS)


async def _drawing(reader: MediaReader) -> list[Figure]:
    times = []
    marks = [Mark(box=(40 * at, 100, 40 * at + 20, 400), doubtful=at % 3 == 0) for at in range(1, 20)]
    for path in sorted((DOCUMENTS / "zugferd" / "pdf").glob("*.pdf")):
        attachment = Input(given=str(path), path=path).content.attachments[0]
        began = time.perf_counter()
        await reader.marked_page(attachment, page=1, marks=marks)
        times.append((time.perf_counter() - began) * 1000)
    return [Figure(name="a page with its boxes", unit="ms", values=tuple(times), bar=DRAW_MS)]
