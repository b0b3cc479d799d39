"""What was made, fetched by its address."""

from dataclasses import dataclass, field

import pytest

from bot.made_files import MadeFiles
from handlers.events import Tenant
from pipelines.content import Attachment, made_address
from pipelines.errors import UserError

OURS = Tenant(platform="console", workspace="w:1/ü %3A")
JOB = "test:e1#x:2:0"


@dataclass
class Kept:
    files: dict[tuple[Tenant, str], bytes] = field(default_factory=dict)

    async def file(self, tenant: Tenant, job: str) -> bytes | None:
        return self.files.get((tenant, job))


def at(url: str) -> Attachment:
    return Attachment(id="1", url=url, name="made.png", media_type="image/png", size_bytes=0)


async def test_what_was_made_is_fetched_whatever_letters_its_names_have() -> None:
    files = MadeFiles(Kept({(OURS, JOB): b"png"}))  # type: ignore[arg-type]
    url = made_address(OURS.platform, OURS.workspace, JOB)

    assert files.has(url)
    assert not files.has("link:https://example.org/made:")
    assert await files.fetch(at(url), limit_bytes=3) == b"png"
    with pytest.raises(UserError, match="larger than"):
        await files.fetch(at(url), limit_bytes=2)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(made_address(OURS.platform, OURS.workspace, "test:e1#x:2:1"), id="another-attempt"),
        pytest.param(made_address("console", "w2", JOB), id="another-workspace"),
        pytest.param("made:", id="empty"),
        pytest.param("made:a:b:c:d", id="too-long"),
    ],
)
async def test_nothing_else_is(url: str) -> None:
    with pytest.raises(UserError):
        await MadeFiles(Kept({(OURS, JOB): b"png"})).fetch(at(url), limit_bytes=9)  # type: ignore[arg-type]
