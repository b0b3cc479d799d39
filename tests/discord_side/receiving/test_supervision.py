"""Whatever the gateway does, the connection comes back without spinning, or stops and names the fix."""

import asyncio

import discord
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord.opening import open_discord
from bot.discord.supervision import LOOP_LOSSES
from bot.settings import Settings
from emulators.discord import DiscordEmulator
from handlers.events import MessagePosted, Place
from pipelines.errors import Misconfigured, Unavailable
from tests.app.test_metrics import value
from tests.discord_side.receiving.ears import Ears


async def is_ready(ears: Ears) -> bool:
    try:
        async with asyncio.timeout(0.05):
            await ears.connection.ready()
    except (TimeoutError, Unavailable):
        return False
    return True


@pytest.mark.parametrize("kind", ["4000", "op7", "op9_true", "op9_false", "abort"])
async def test_nothing_is_lost_or_doubled_however_the_connection_drops(
    ears: Ears, emulator: DiscordEmulator, kind: str
) -> None:
    await emulator.post(emulator.general, emulator.ann, "before")
    await ears.first(MessagePosted)

    await emulator.drop(kind)
    await emulator.post(emulator.general, emulator.ann, "meanwhile")

    await ears.heard(MessagePosted, 2)
    await emulator.post(emulator.general, emulator.ann, "after")
    await ears.heard(MessagePosted, 3)
    assert [event.text for event in ears.accepted] == ["before", "meanwhile", "after"]
    assert await is_ready(ears)


async def test_a_gateway_that_is_down_at_the_start_is_waited_for(emulator: DiscordEmulator) -> None:
    emulator.fault("refuse_handshake")
    ears = Ears(emulator)
    async with ears.opened():
        await ears.logged("discord.rebuilding")
        assert not await is_ready(ears)

        emulator.clear_faults()

        await ears.logged("discord.swept")
        assert await is_ready(ears)


async def test_a_gateway_that_goes_down_makes_it_not_ready(ears: Ears, emulator: DiscordEmulator) -> None:
    emulator.fault("refuse_handshake")
    await emulator.drop("abort")

    async def not_ready() -> bool:
        return not await is_ready(ears)

    await emulator.wait_for(not_ready)
    await emulator.post(emulator.general, emulator.ann, "meanwhile")
    emulator.clear_faults()

    assert (await ears.first(MessagePosted)).text == "meanwhile"
    assert await is_ready(ears)


async def test_a_gateway_that_closes_every_resume_does_not_spin(ears: Ears, emulator: DiscordEmulator) -> None:
    emulator.fault("close_resumes")

    await emulator.drop("4000")
    entry = await ears.logged("discord.rebuilding")
    await ears.logged("discord.swept", times=2)

    assert entry["why"] == "reconnects in a loop"
    assert emulator.gateway.resumes <= 2 * LOOP_LOSSES
    assert await is_ready(ears)


async def test_a_session_that_never_begins_is_given_up(emulator: DiscordEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.discord.supervision.READY_S", 0.3)
    open_session = emulator.gateway.open_session
    monkeypatch.setattr(emulator.gateway, "open_session", lambda *_: None)
    ears = Ears(emulator)
    async with ears.opened():
        entry = await ears.logged("discord.rebuilding")
        monkeypatch.setattr(emulator.gateway, "open_session", open_session)

        await ears.logged("discord.swept")
        assert entry["why"] == "never ready"


@pytest.mark.parametrize(("kind", "fix"), [("4004", "DISCORD_TOKEN"), ("4014", "Message Content Intent"), ("4013", "intents")])
async def test_what_no_retry_can_mend_stops_and_names_the_fix(
    ears: Ears, emulator: DiscordEmulator, kind: str, fix: str
) -> None:
    await emulator.drop(kind)

    assert fix in (await ears.logged("discord.stopped"))["why"]
    with pytest.raises(Unavailable, match=fix):
        await ears.connection.ready()
    assert emulator.gateway.identifies == 1


async def test_a_refused_token_stops_before_the_gateway(emulator: DiscordEmulator) -> None:
    emulator.fault("unauthorized")
    ears = Ears(emulator)
    async with ears.opened():
        assert "DISCORD_TOKEN" in (await ears.logged("discord.stopped"))["why"]
        assert emulator.gateway.connects == 0


async def test_an_intent_that_is_switched_off_stops_at_the_start(emulator: DiscordEmulator) -> None:
    await emulator.set_intents(message_content=False)
    ears = Ears(emulator)
    async with ears.opened():
        assert "Message Content Intent" in (await ears.logged("discord.stopped"))["why"]


async def test_a_zombie_is_noticed_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.discord.client.HEARTBEAT_S", 0.3)
    async with DiscordEmulator(heartbeat_ms=100) as emulator:
        ears = Ears(emulator)
        async with ears.listening():
            await emulator.drop("zombie")
            await emulator.post(emulator.general, emulator.ann, "meanwhile")

            assert (await ears.first(MessagePosted)).text == "meanwhile"


async def test_a_malformed_dispatch_costs_only_itself(ears: Ears, emulator: DiscordEmulator) -> None:
    emulator.fault("malformed_dispatch", times=1, method="MESSAGE_CREATE")
    await emulator.post(emulator.general, emulator.ann, "malformed")
    emulator.fault("malformed_dispatch", times=1, method="CHANNEL_UPDATE")
    await emulator.set_permissions(emulator.pics, allow=["view_channel"])
    await emulator.post(emulator.general, emulator.ann, "well formed")

    assert (await ears.first(MessagePosted)).text == "well formed"
    await ears.logged("discord.message_skipped")
    await ears.logged("discord.dispatch_skipped")
    assert value(ears.metrics, 'flashbulb_deliveries_skipped_total{platform="discord"}') == 2
    assert (emulator.gateway.connects, emulator.gateway.identifies) == (1, 1)


async def test_a_frame_that_cannot_be_read_builds_the_client_anew(ears: Ears, emulator: DiscordEmulator) -> None:
    await emulator.post(emulator.general, emulator.ann, "before")
    await ears.first(MessagePosted)

    for connection in list(emulator.gateway.connections):
        await connection.send("[]")
    await emulator.post(emulator.general, emulator.ann, "meanwhile")

    await ears.logged("discord.rebuilding")
    await ears.heard(MessagePosted, 2)
    assert value(ears.metrics, 'flashbulb_connection_rebuilds_total{platform="discord"}') == 1
    assert [event.text for event in ears.accepted] == ["before", "meanwhile"]


async def test_a_token_that_dies_without_a_word_is_noticed_and_so_is_its_return(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator, watch_s=0.05)
    async with ears.listening() as connection:
        emulator.fault("unauthorized")
        refused = await ears.logged("discord.token_refused")
        with pytest.raises(Unavailable, match="does not take the bot's token"):
            await connection.ready()

        emulator.clear_faults()
        await ears.logged("discord.token_taken_again")
        await connection.ready()

    assert "DISCORD_TOKEN" in refused["fix"]
    assert emulator.gateway.connects == 1


async def test_a_token_that_was_taken_before_is_not_given_up_when_the_client_is_built_anew(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator, watch_s=0.05)
    async with ears.listening() as connection:
        emulator.fault("unauthorized", method="GET /users/@me")
        for each in list(emulator.gateway.connections):
            await each.send("[]")  # ends the client
        refused = await ears.logged("discord.token_refused")
        await ears.logged("discord.token_refused", times=2)
        assert not await is_ready(ears)

        emulator.clear_faults()
        await ears.logged("discord.swept", times=2)
        await connection.ready()

    assert "DISCORD_TOKEN" in refused["fix"]
    assert [each for each in ears.logs if each["event"] == "discord.stopped"] == []


async def test_any_request_tells_that_the_token_is_not_taken(emulator: DiscordEmulator) -> None:
    ears = Ears(emulator)
    async with ears.listening() as connection:
        emulator.fault("unauthorized", times=1)
        with pytest.raises(Unavailable):
            await connection.message(Place(platform="discord", workspace=emulator.guild, channel=emulator.general), "1")

        with pytest.raises(Unavailable, match="does not take the bot's token"):
            await connection.ready()


async def test_the_library_is_aimed_only_while_it_is_open(emulator: DiscordEmulator) -> None:
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE
    ears = Ears(emulator)

    async with ears.opened():
        assert emulator.api_url == Route.BASE

    assert before == (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, discord.Asset.BASE)
    assert ears.files.hosts == []


def test_both_addresses_belong_together() -> None:
    settings = Settings(_env_file=None, discord_token="x.y.z", discord_api_url="http://127.0.0.1:9/api/v10")

    with pytest.raises(Misconfigured, match="DISCORD_GATEWAY_URL"):
        open_discord(settings)
