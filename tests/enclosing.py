"""Files that go with our words, made by rule. Implements `bot.platforms.Enclosures`."""

from dataclasses import dataclass, field

from bot.platforms import PICTURES
from handlers.effects import Enclosure
from handlers.events import Tenant
from pipelines.errors import Unavailable, UserError
from tests.media.samples import encoded, plain

PAGE = Enclosure(kind="marked_page", of="x1", name="page 1.png", alt_text="Page 1 of the invoice, with what was found framed")
SHEET = Enclosure(kind="xlsx", of="x1", name="invoice.xlsx")


@dataclass
class MadeFiles:
    """Pictures are pictures; of everything else the bytes say what it is. What is in `lost` cannot be made any more.

    `away`: what cannot be made the next time. `size_bytes`: how large files of a kind are.
    """

    lost: set[str] = field(default_factory=set)
    away: set[str] = field(default_factory=set)
    size_bytes: dict[str, int] = field(default_factory=dict)
    made: list[Enclosure] = field(default_factory=list)

    async def opened(self, tenant: Tenant, enclosure: Enclosure) -> bytes:
        if enclosure.kind in self.lost:
            raise UserError("The document is gone.")
        if enclosure.kind in self.away:
            self.away.remove(enclosure.kind)
            raise Unavailable("The database")
        self.made.append(enclosure)
        if size := self.size_bytes.get(enclosure.kind):
            return bytes(size)
        return encoded(plain(), "PNG") if enclosure.kind in PICTURES else f"{enclosure.kind} of {enclosure.of}".encode()
