from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.console.desk.pages import PagesSite, serve_pages
from tests.console.desk.serving import DeskSite, serve_desk


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[DeskSite]:
    async with serve_desk(tmp_path) as served:
        yield served


@pytest.fixture
async def pages(tmp_path: Path) -> AsyncIterator[PagesSite]:
    async with serve_pages(tmp_path) as served:
        yield served
