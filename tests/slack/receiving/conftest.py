from collections.abc import AsyncIterator

import pytest

from emulators.slack import SlackEmulator
from tests.slack.receiving.bots import Desk


@pytest.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    """Return a Slack that is as impatient as tests are: no acknowledgement within 0.5 s, and it sends again."""
    async with SlackEmulator(ack_s=0.5, retry_waits_s=(0.0, 0.2, 0.4)) as emulator:
        yield emulator


@pytest.fixture
def desk() -> Desk:
    return Desk()
