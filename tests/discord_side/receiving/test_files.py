"""Files are fetched from Discord's own hosts, or from exactly the emulator that stands in for it."""

import pytest
from yarl import URL

from bot.discord.files import is_discords
from emulators.discord import DiscordEmulator
from handlers.events import MessagePosted
from pipelines.errors import FlashbulbError, Unavailable, UserError
from tests.discord_side.receiving.ears import PNG, Ears


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://cdn.discordapp.com/attachments/1/2/a.png?ex=1&is=2&hm=3", True),
        ("https://media.discordapp.net/stickers/1.gif", True),
        ("https://images-ext-1.discordapp.net/external/x/https/y/z.png", True),
        ("http://cdn.discordapp.com/a.png", False),
        ("https://cdn.discordapp.com:8443/a.png", False),
        ("https://cdn.discordapp.com.evil.example/a.png", False),
        ("https://evil.example/cdn.discordapp.com", False),
        ("http://127.0.0.1:80/a.png", False),
        ("file:///etc/passwd", False),
        ("console:abc", False),
    ],
)
def test_only_discords_own_hosts_are_asked(url: str, allowed: bool) -> None:
    assert is_discords(URL(url), emulated=None) is allowed


def test_an_emulator_is_asked_at_exactly_its_own_address() -> None:
    emulated = URL("http://127.0.0.1:9002/api/v10")

    assert is_discords(URL("http://127.0.0.1:9002/cdn/a.png"), emulated=emulated)
    assert not is_discords(URL("http://127.0.0.1:9003/cdn/a.png"), emulated=emulated)
    assert not is_discords(URL("https://cdn.discordapp.com/a.png"), emulated=emulated)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("cdn_missing", UserError),
        ("cdn_forbidden", UserError),
        ("cdn_wrong_type", UserError),
        ("cdn_huge_length", UserError),
        ("cdn_redirect_private", UserError),
        ("cdn_truncated", Unavailable),
    ],
)
async def test_what_cannot_be_fetched_says_why(
    ears: Ears, emulator: DiscordEmulator, fault: str, error: type[FlashbulbError]
) -> None:
    await emulator.post(emulator.pics, emulator.ann, files=[("cat.png", PNG)])
    event = await ears.first(MessagePosted)
    emulator.fault(fault)

    with pytest.raises(error):
        await ears.files.fetch(event.attachments[0], limit_bytes=10_000)


async def test_an_address_whose_time_is_over_is_asked_for_anew(ears: Ears, emulator: DiscordEmulator) -> None:
    emulator.world.files.lifetime_s = -60
    await emulator.post(emulator.pics, emulator.ann, files=[("dog.png", PNG + b"dog"), ("cat.png", PNG)])
    event = await ears.first(MessagePosted)
    emulator.world.files.lifetime_s = 60

    fetched = [await ears.files.fetch(each, limit_bytes=10_000) for each in event.attachments]

    assert fetched == [PNG + b"dog", PNG]


async def test_a_file_that_was_forwarded_is_asked_for_where_it_was_forwarded_to(ears: Ears, emulator: DiscordEmulator) -> None:
    emulator.world.files.lifetime_s = -60
    source = await emulator.post(emulator.general, emulator.bob, "from there", files=[("cat.png", PNG)])
    await emulator.forward(emulator.pics, emulator.ann, emulator.general, source)
    await emulator.delete(emulator.general, source)
    _, forward = await ears.heard(MessagePosted, 2)
    emulator.world.files.lifetime_s = 60

    assert await ears.files.fetch(forward.attachments[0], limit_bytes=10_000) == PNG


async def test_an_address_whose_time_is_over_and_whose_message_is_gone_is_no_file(
    ears: Ears, emulator: DiscordEmulator
) -> None:
    emulator.world.files.lifetime_s = -60
    await emulator.post(emulator.pics, emulator.ann, files=[("cat.png", PNG)])
    event = await ears.first(MessagePosted)

    await emulator.delete(emulator.pics, event.message)

    with pytest.raises(UserError):
        await ears.files.fetch(event.attachments[0], limit_bytes=10_000)
