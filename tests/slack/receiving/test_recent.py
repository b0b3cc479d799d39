"""Messages that other events hint at, and may overtake: whoever waits for one hears of it."""

import asyncio

from bot.slack.recent import Recent


async def test_one_who_has_waited_for_too_long_takes_nothing_from_the_others() -> None:
    recent = Recent()
    patient = asyncio.create_task(recent.comes("k", within_s=60))
    hasty = await recent.comes("k", within_s=0.01)

    recent.note("k", ())

    assert (hasty, await asyncio.wait_for(patient, 5)) == (False, True)


async def test_nothing_is_kept_of_what_nobody_waits_for_any_more() -> None:
    recent = Recent()

    assert not await recent.comes("k", within_s=0.01)

    assert not recent._waiting
