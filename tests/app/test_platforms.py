"""Each place and each file is answered for by its own platform."""

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pytest

from bot.platforms import Connected, Enclosed, HostedFiles, enclosed, small_enough
from handlers.answers import Notice
from handlers.effects import Enclosure, Post
from handlers.events import Place, Tenant
from pipelines.content import Attachment
from pipelines.errors import FlashbulbError, Unavailable, UserError


@dataclass
class Host:
    """A host of all files whose address begins with its name."""

    name: str

    def has(self, url: str) -> bool:
        return url.startswith(f"{self.name}:")

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        return f"{self.name} {limit_bytes}".encode()


def a_file(url: str) -> Attachment:
    return Attachment(id="f", url=url, name="f", media_type="image/png", size_bytes=1)


async def test_a_file_comes_from_the_host_that_has_it_also_when_that_was_added_later() -> None:
    files = HostedFiles([Host("a")])
    files.hosts.append(Host("b"))

    assert await files.fetch(a_file("b:1"), limit_bytes=7) == b"b 7"


async def test_a_file_of_no_host_is_not_fetched() -> None:
    with pytest.raises(UserError, match="does not fetch from"):
        await HostedFiles([Host("a")]).fetch(a_file("https://evil.example/a:1"), limit_bytes=7)


async def test_a_platform_that_is_not_connected_is_unavailable() -> None:
    place = Place(platform="slack", workspace="w1", channel="c1")
    channels = Connected({})

    with pytest.raises(Unavailable, match="slack is not connected"):
        await channels.message(place, "m1")
    with pytest.raises(Unavailable):
        channels.chooses_channels(Tenant(platform="slack", workspace="w1"))


@dataclass
class Lacking:
    """Makes no file, and says why; without a reason it never ends."""

    why: FlashbulbError | None

    async def opened(self, tenant: Tenant, enclosure: Enclosure) -> bytes:
        if self.why is None:
            await asyncio.Event().wait()
        assert self.why is not None
        raise self.why


@pytest.mark.parametrize(
    ("kind", "why", "put_off"),
    [
        pytest.param("made_picture", Unavailable("The database"), True, id="a-picture-while-the-database-is-away"),
        pytest.param("made_video", None, True, id="a-clip-that-does-not-come"),
        pytest.param("made_sound", UserError("It is kept no longer."), False, id="a-sound-that-is-gone-for-good"),
        pytest.param("marked_page", Unavailable("Slack"), False, id="a-preview-that-cannot-be-made-now"),
        pytest.param("usage_chart", None, False, id="a-chart-that-does-not-come"),
    ],
)
async def test_what_was_paid_for_is_waited_for_and_all_else_left_out(
    monkeypatch: pytest.MonkeyPatch, kind: Any, why: FlashbulbError | None, put_off: bool
) -> None:
    monkeypatch.setattr("bot.platforms.ENCLOSING_S", 0.001)
    place = Place(platform="slack", workspace="w1", channel="c1")
    effect = Post(key="e1", place=place, answer=Notice(text=""), files=(Enclosure(kind=kind, of="w1", name="f"),))

    with pytest.raises(Unavailable) if put_off else nullcontext():
        assert await enclosed(Lacking(why), effect) == ()


@pytest.mark.parametrize(
    ("sizes", "kept", "says"),
    [
        pytest.param((4, 5), (4, 5), "", id="all-fit"),
        pytest.param((6, 5, 9), (5,), "2 files are not shown", id="too-large-alone"),
        pytest.param((5, 4, 3), (5, 4), "One file is not shown", id="too-large-together"),
    ],
)
def test_files_that_are_too_large_alone_or_together_are_left_out(
    sizes: tuple[int, ...], kept: tuple[int, ...], says: str
) -> None:
    files = [Enclosed(key=str(at), name="f", data=bytes(size), alt_text="", shown="file") for at, size in enumerate(sizes)]

    taken, why = small_enough(files, each_bytes=5, all_bytes=10)

    assert tuple(len(each.data) for each in taken) == kept
    assert why.startswith(says)
    assert bool(why) is bool(says)
