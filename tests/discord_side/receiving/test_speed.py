"""How long it takes from a member's message to its acceptance, over real sockets, with an `accept` that costs nothing."""

from statistics import median
from time import perf_counter

from emulators.discord import DiscordEmulator
from handlers.events import AnyEvent, MessagePosted
from tests.discord_side.receiving.ears import PNG, Ears

MESSAGES = 100
P50_S = 0.020  # the bar for an accepted event, engine included


async def test_a_message_is_accepted_within_milliseconds(ears: Ears, emulator: DiscordEmulator) -> None:
    took: list[float] = []
    began = 0.0

    def note(event: AnyEvent) -> None:
        took.append(perf_counter() - began)

    ears.on_accept = note

    for number in range(MESSAGES):
        began = perf_counter()
        await emulator.post(emulator.pics, emulator.ann, f"message {number}", files=[("cat.png", PNG)])
        await ears.heard(MessagePosted, number + 1)

    assert median(took) < P50_S
