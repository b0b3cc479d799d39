"""A served chat, and makers of what tests talk about."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.console.chat.serving import ChatSite, serve_chat


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[ChatSite]:
    async with serve_chat(tmp_path) as served:
        yield served
