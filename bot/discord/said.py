"""What we say together with its files: what is attached, and the components that show it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

import discord
from discord.ui import Item, LayoutView, MediaGallery

from bot.discord.markup import length
from bot.discord.parse import Json
from bot.discord.render import LISTED_MAX, render
from bot.platforms import Enclosed
from bot.words import PICTURE_ALT
from handlers.answers import Answer, CaseCard, Listing

# Source: https://docs.discord.com/developers/resources/message#create-message (files; an attachment's description)
FILES_MAX: Final = 10
ALT_MAX: Final = 1_024
NAME_CHARS: Final = 100
UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")  # in the name of a file, which stands in an address
PICTURE: Final = "picture.jpg"
# What stands in a gallery; everything else is there to be opened or played.
SEEN: Final = frozenset({"picture", "video"})
UNATTACHED: Final = "What belongs to this could not be attached here."


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The message that says `answer`, with its files.

    `picture`: the blurred one of a case, a JPEG. `enclosed`: the files that go with the answer.
    """

    answer: Answer
    key: str
    workspace: str
    added: str = ""
    picture: bytes | None = field(default=None, repr=False)
    enclosed: tuple[Enclosed, ...] = ()

    @property
    def view(self) -> LayoutView:
        own = [each.uri for each in self._own()]
        return self._rendered(next(iter(own), ""), shown=list(_shown(self._enclosed())))

    @property
    def bare(self) -> LayoutView:
        """Return the message as it is where no files can be attached."""
        return self._rendered("", lacks=UNATTACHED if self.enclosed else "")

    def showing(self, shown: Sequence[Item[Any]]) -> LayoutView:
        """Return the message with files that it has already."""
        return self._rendered("", shown=shown)

    def files(self) -> list[discord.File]:
        """Return the files anew: each of these objects can be sent once."""
        return [*self._own(), *(file for _, file in self._enclosed())]

    def _own(self) -> list[discord.File]:
        match self.answer:
            case CaseCard() if self.picture is not None:
                return [discord.File(BytesIO(self.picture), filename=PICTURE, description=PICTURE_ALT)]
            case Listing(body=body, file_name=name) if length(body) > LISTED_MAX:
                return [discord.File(BytesIO(body.encode("utf-8", "replace")), filename=UNSAFE.sub("_", name))]
            case _:
                return []

    def _enclosed(self) -> list[tuple[Enclosed, discord.File]]:
        """Return the enclosed files as far as a message takes them. Each has a name of its own, by which components show it."""
        room = FILES_MAX - len(self._own())
        return [
            (
                each,
                discord.File(
                    BytesIO(each.data),
                    filename=f"{at}-{UNSAFE.sub('_', each.name)}"[-NAME_CHARS:],
                    description=each.alt_text[:ALT_MAX],
                    spoiler=each.spoiler,
                ),
            )
            for at, each in enumerate(self.enclosed[:room], start=1)
        ]

    def _rendered(self, file: str, *, shown: Sequence[Item[Any]] = (), lacks: str = "") -> LayoutView:
        added = " ".join(filter(None, (self.added, lacks)))
        return render(self.answer, key=self.key, workspace=self.workspace, added=added, file=file, enclosed=shown)


def files_shown(message: Json) -> list[Item[Any]]:
    """Return components that show the files of a message of ours as it shows them now."""
    shown: list[Item[Any]] = []
    for each in walked(message.get("components") or ()):
        if each["type"] == discord.ComponentType.file.value:
            shown.append(discord.ui.File(_attached(each["file"]["url"]), spoiler=bool(each.get("spoiler"))))
        elif each["type"] == discord.ComponentType.media_gallery.value:
            items = (
                discord.MediaGalleryItem(
                    _attached(item["media"]["url"]), description=item.get("description"), spoiler=bool(item.get("spoiler"))
                )
                for item in each["items"]
            )
            shown.append(MediaGallery(*items))
    return shown


def walked(components: Iterable[Json]) -> Iterator[Json]:
    """Yield components and those inside them."""
    for each in components:
        yield each
        yield from walked(each.get("components") or ())


def _shown(files: Sequence[tuple[Enclosed, discord.File]]) -> Iterator[Item[Any]]:
    """Yield the components that show files: what is attached and not shown by one is not to be seen at all."""
    for seen, together in groupby(files, key=lambda each: each[0].shown in SEEN):
        if seen:
            yield MediaGallery(
                *(
                    discord.MediaGalleryItem(file.uri, description=each.alt_text[:ALT_MAX] or None, spoiler=each.spoiler)
                    for each, file in together
                )
            )
        else:
            yield from (discord.ui.File(file.uri, spoiler=each.spoiler) for each, file in together)


def _attached(url: str) -> str:
    """Return how a message names a file of its own, of which Discord tells the address."""
    return f"attachment://{PurePosixPath(urlsplit(url).path).name}"
