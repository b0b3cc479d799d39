"""Thousands of spoilt dispatches go through the real parser and our listeners: each costs itself and the connection lives.

`FUZZ_EVENTS` says how many (3,000 in the ordinary run), `FUZZ_SEED` which.
"""

import asyncio
import copy
import gc
import os
import random
from typing import Any

from emulators.discord import DiscordEmulator
from handlers.events import MessagePosted
from tests.app.test_metrics import value
from tests.discord_side.receiving.ears import PNG, Ears

EVENTS = int(os.environ.get("FUZZ_EVENTS", "3000"))
SEED = int(os.environ.get("FUZZ_SEED", "7"))
BATCH = 500
SECRET_WORDS = "canary-that-ann-wrote"

NONSENSE: tuple[Any, ...] = (
    None, "", "x" * 300, SECRET_WORDS, "-1", "9" * 40, "\x00", -1, 0, 1.5, 2**70, True, [], {}, [[]], [None], {"id": None},
)  # fmt: skip


async def samples(emulator: DiscordEmulator) -> list[tuple[str, dict[str, Any]]]:
    """Return one dispatch of every kind that the emulator sends, as they went out."""
    sent: list[tuple[str, dict[str, Any]]] = []
    dispatch = emulator.world.emit

    def record(event: str, data: dict[str, Any], **rest: Any) -> None:
        sent.append((event, copy.deepcopy(data)))
        dispatch(event, data, **rest)

    emulator.world.emit = record
    message = await emulator.post(emulator.pics, emulator.ann, SECRET_WORDS, files=[("cat.png", PNG)])
    await emulator.edit(emulator.pics, message, text=f"{SECRET_WORDS} again")
    await emulator.unfurl(emulator.pics, message, "https://pictures.example/cat.png", files=[("cat.png", PNG)])
    await emulator.forward(emulator.general, emulator.ann, emulator.pics, message)
    await emulator.post(emulator.general, emulator.ann, sticker="749054660769218631")
    await emulator.post_as_webhook(emulator.general, "Proxy", SECRET_WORDS)
    await emulator.direct(emulator.ann, SECRET_WORDS)
    thread = await emulator.open_thread(emulator.pics, emulator.ann, message, "about it")
    await emulator.post(emulator.pics, emulator.ann, SECRET_WORDS, thread=thread)
    await emulator.react(emulator.pics, emulator.ann, message, "👀")
    await emulator.command(emulator.pics, emulator.ann, "tag", files=[("cat.png", PNG)])
    await emulator.command(emulator.pics, emulator.olga, "flashbulb help")
    await emulator.shortcut(emulator.pics, emulator.ann, message, "Tag image")
    button = {"custom_id": f"fb:{emulator.guild}:C1:restore", "component_type": 2, "id": 1}
    emulator.interactions.start(3, emulator.ann, emulator.pics, button, emulator.world.messages[emulator.pics][message])
    emulator.interactions.start(5, emulator.ann, emulator.pics, {"custom_id": "ff:report:1", "components": []})
    await emulator.add_channel("more")
    await emulator.set_permissions(emulator.general, allow=["view_channel"])
    await emulator.set_permissions(allow=["view_channel"])
    await emulator.lock(thread)
    await emulator.timeout(emulator.mo, emulator.bob, 60)
    await emulator.delete(emulator.pics, message)
    emulator.world.emit = dispatch
    return sent


def spoil(data: Any, chance: random.Random) -> Any:
    """Return a copy in which a few values are nonsense, missing, or of another place in it."""
    spoilt = copy.deepcopy(data)
    for _ in range(chance.randint(1, 3)):
        places = list(_places(spoilt))
        if not places:
            break
        holder, name = chance.choice(places)
        match chance.randrange(4):
            case 0:
                del holder[name]
            case 1:
                other, elsewhere = chance.choice(places)
                holder[name] = copy.deepcopy(other[elsewhere])
            case _:
                holder[name] = copy.deepcopy(chance.choice(NONSENSE))
    return chance.choice(NONSENSE) if chance.random() < 0.02 else spoilt


def _places(value: Any) -> Any:
    if isinstance(value, dict | list):
        for name, inner in list(value.items()) if isinstance(value, dict) else list(enumerate(value)):
            yield value, name
            yield from _places(inner)


async def test_spoilt_dispatches_cost_only_themselves() -> None:
    lost: list[Any] = []  # errors of tasks that nobody asks about
    asyncio.get_running_loop().set_exception_handler(lambda _, context: lost.append(context))
    async with DiscordEmulator() as emulator:
        ears = Ears(emulator)
        async with ears.listening():
            await send_spoilt(ears, emulator, random.Random(SEED))

            assert (emulator.gateway.connects, emulator.gateway.identifies) == (1, 1)
        emulator.unknown_routes.clear()  # spoilt ids and tokens lead to addresses that do not exist

    skipped = [each for each in ears.logs if each["event"].endswith("_skipped")]
    assert len(skipped) > EVENTS / 20
    failed = [each for each in ears.logs if each["event"] == "discord.interaction_failed"]
    assert value(ears.metrics, 'flashbulb_deliveries_skipped_total{platform="discord"}') == len(skipped) + len(failed)
    assert all(each["key"] == "?" or each["key"].isdecimal() for each in skipped)
    assert SECRET_WORDS not in str(ears.logs)
    gc.collect()
    assert lost == []


async def send_spoilt(ears: Ears, emulator: DiscordEmulator, chance: random.Random) -> None:
    """Send spoilt dispatches in batches; after each one, a message as it should be must arrive."""
    kinds = await samples(emulator)
    assert len({event for event, _ in kinds}) >= 10
    for start in range(0, EVENTS, BATCH):
        for _ in range(min(BATCH, EVENTS - start)):
            event, data = chance.choice(kinds)
            emulator.gateway._dispatch(event, spoil(data, chance), None, None)
        message = await emulator.post(emulator.moderators, emulator.mo, f"well formed {start}")
        await emulator.wait_for(
            lambda message=message: any(getattr(each, "message", "") == message for each in ears.accepted), 60
        )


async def test_frames_that_are_no_dispatches_build_the_client_anew(ears: Ears, emulator: DiscordEmulator) -> None:
    frames = ("[]", "not json", '{"op":0,"t":"READY","s":1,"d":{}}', '{"op":10,"d":null}', '{"op":0,"t":[1],"s":null,"d":{}}')
    for number, frame in enumerate(frames, start=1):
        await emulator.wait_for(lambda: emulator.gateway.connections and ears.connection._gateway.client.is_ready())
        for connection in list(emulator.gateway.connections):
            await connection.send(frame)
        await emulator.post(emulator.general, emulator.ann, f"after {number}")

        await ears.heard(MessagePosted, number)
        await ears.logged("discord.rebuilding", times=number)
        await ears.logged("discord.swept", times=number + 1)

    assert [event.text for event in ears.accepted] == [f"after {number}" for number in range(1, len(frames) + 1)]
