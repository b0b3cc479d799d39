"""The whole app: parts in order, nothing of what people wrote in logs or metrics, and a clean end."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psutil
import pytest
from PIL import Image

from bot import logs
from bot.app import Accept, App, open_app
from bot.console.files import FileStore
from bot.settings import Settings
from emulators.gemini import ModelEmulator
from emulators.understudy import MODEL_VERSION, answer
from handlers.effects import AnyEffect, Performed
from handlers.events import Person, Place
from handlers.ports.channels import Connection, Posted
from pipelines.content import Attachment
from pipelines.errors import FlashbulbError, Misconfigured
from pipelines.moderation.policy import Action, Channel
from tests.app.restoring import logging_restored
from tests.fakes import a_message

WROTE = "canary-text-4711"
NAMED = "canary-file-4712"
CALLED = "canary-person-4713"
FAILED = "canary-words-4714"
KEY = "canary-key-4715-0123456789"
PROMPT = "You are"  # how no log line and no metric begins


@dataclass
class Platform:
    """A platform in memory. `fails` is raised by every act while it is set."""

    performed: list[AnyEffect] = field(default_factory=list)
    fails: Exception | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    platform = "test"
    emulated = True
    supports = frozenset(action for action in Action if action.strength <= Action.REMOVE.strength)

    async def ready(self) -> None: ...

    async def look(self, effect: AnyEffect) -> Performed | None:
        return None

    async def act(self, effect: AnyEffect) -> Performed:
        if self.fails:
            raise self.fails
        self.performed.append(effect)
        self.changed.set()
        return Performed(status="done", message=effect.key)

    async def message(self, place: Place, message: str) -> Posted | None: ...

    async def channel(self, place: Place) -> Channel:
        return Channel(platform=place.platform, id=place.channel, name=place.channel)

    async def taken_out(self, place: Place, message: str) -> Posted | None:
        return None

    async def latest_with_files(self, place: Place, *, pictures: bool = False) -> Posted | None: ...

    def opened(self) -> Callable[[Accept], AbstractAsyncContextManager[Connection]]:
        @asynccontextmanager
        async def open_platform(_: Accept) -> AsyncIterator[Connection]:
            yield self

        return open_platform


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - metrics have no event to wait for
            await asyncio.sleep(0.02)


def settings(tmp_path: Path, **more: object) -> Settings:
    return Settings(_env_file=None, flashbulb_data=tmp_path / "data", flashbulb_port=0, **more)


def finished(app: App) -> int:
    lines = [line for line in app.metrics.text().splitlines() if line.startswith("flashbulb_events_finished_total{")]
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in lines)


async def a_stored_picture(tmp_path: Path) -> Attachment:
    """Return an attachment whose bytes lie where the console keeps them."""
    picture = io.BytesIO()
    Image.new("RGB", (32, 32), "teal").save(picture, "PNG")
    async with FileStore(tmp_path / "data" / "files").incoming() as file:
        await file.write(picture.getvalue())
        sha256 = await file.keep()
    return Attachment(
        id="f1", url=f"console:{sha256}", name=f"{NAMED}.png", media_type="image/png", size_bytes=len(picture.getvalue())
    )


@pytest.fixture
async def emulator() -> AsyncIterator[ModelEmulator]:
    async with ModelEmulator(answer=answer, key=KEY) as emulator:
        yield emulator


@dataclass(frozen=True)
class Others:
    """The processes that other tests of this run keep alive."""

    known: frozenset[psutil.Process]

    def since(self) -> list[psutil.Process]:
        """Return the processes that were started since, at any depth."""
        return [each for each in psutil.Process().children(recursive=True) if each not in self.known]


@pytest.fixture
def others() -> Others:
    return Others(frozenset(psutil.Process().children(recursive=True)))


async def test_nothing_that_anybody_wrote_reaches_logs_or_metrics(tmp_path: Path, emulator: ModelEmulator) -> None:
    stream, platform = io.StringIO(), Platform()
    wanted = settings(tmp_path, gemini_api_key=KEY, gemini_base_url=emulator.base_url)
    ada = Person(id="ada", name=CALLED)

    with logging_restored():
        logs.configure(secrets=(), level="debug", stream=stream)
        async with open_app(wanted, connections=[platform.opened()]) as app:
            picture = await a_stored_picture(tmp_path)
            held = a_message(f"{WROTE} FLASHBULB-TEST-HATE-S3-C95", picture, key="test:held")
            await app.accept(held.model_copy(update={"author": ada}))
            await until(lambda: finished(app) == 1)
            emulator.fault("http-500")
            await app.accept(a_message(WROTE, key="test:outage"))
            await until(lambda: finished(app) == 2)
            emulator.clear_faults()
            platform.fails = RuntimeError(FAILED)
            await app.accept(a_message(f"{WROTE} FLASHBULB-TEST-HATE-S3-C95", picture, key="test:fault"))
            await until(lambda: finished(app) == 3)
            logging.getLogger("aiosqlite").warning("could not bind %s", WROTE)
            metrics = app.metrics.text()

    said = stream.getvalue()
    assert {"remove", "notify", "card"} <= {effect.kind for effect in platform.performed}
    assert any(NAMED in str(part) for asked in emulator.requests for part in asked.parts)
    assert "effect.failed" in said
    assert "model.failed" in said
    for canary in (WROTE, NAMED, CALLED, FAILED, KEY, PROMPT, "FLASHBULB-TEST"):
        assert canary not in said
        assert canary not in metrics


async def test_metrics_tell_of_events_models_and_effects(tmp_path: Path, emulator: ModelEmulator) -> None:
    platform = Platform()
    wanted = settings(tmp_path, gemini_api_key=KEY, gemini_base_url=emulator.base_url)

    async with open_app(wanted, connections=[platform.opened()]) as app, aiohttp.ClientSession() as browser:
        await app.accept(a_message("FLASHBULB-TEST-HATE-S3-C95", key="test:1"))
        await app.accept(a_message("FLASHBULB-TEST-HATE-S3-C95", key="test:1"))
        await until(lambda: finished(app) == 1)
        async with browser.get(f"{app.url}/metrics") as response:
            lines = (await response.text()).splitlines()
        async with browser.get(f"{app.url}/readyz") as response:
            readiness = await response.json()

    assert 'flashbulb_events_accepted_total{kind="message_posted"} 1.0' in lines
    assert 'flashbulb_events_finished_total{kind="message_posted",outcome="done"} 1.0' in lines
    assert 'flashbulb_effects_total{kind="remove",status="done"} 1.0' in lines
    assert any(line.startswith('flashbulb_model_calls_total{model="gemini-3-flash-preview",outcome="ok"') for line in lines)
    assert "flashbulb_events_in_flight 0.0" in lines
    assert readiness == {"ready": True, "checks": {"database": True, "console": True, "test": True}}


async def test_without_a_model_the_understudy_answers_and_ends_with_the_app(tmp_path: Path, others: Others) -> None:
    platform = Platform()

    async with open_app(settings(tmp_path), connections=[platform.opened()]) as app:
        children = others.since()
        await app.accept(a_message("FLASHBULB-TEST-HATE-S3-C95", key="test:1"))
        await until(lambda: finished(app) == 1)

    assert any("the understudy answers by plain rules" in note for note in app.notes)
    assert platform.performed[0].kind == "remove"
    assert len(children) > 1
    assert all(not child.is_running() for child in children)


async def test_an_understudy_that_dies_is_started_again(tmp_path: Path, others: Others) -> None:
    platform = Platform()

    async with open_app(settings(tmp_path), connections=[platform.opened()]) as app:
        (child,) = [each for each in others.since() if "emulators.understudy" in each.cmdline()]
        environment = child.environ()
        child.kill()
        await until(lambda: "flashbulb_understudy_restarts_total 1.0" in app.metrics.text())
        await app.accept(a_message("FLASHBULB-TEST-HATE-S3-C95", key="test:1"))
        await until(lambda: finished(app) == 1)

    assert set(environment) <= {"LC_CTYPE"}  # which Python sets itself
    assert platform.performed[0].kind == "remove"


async def test_beside_a_real_platform_an_understudys_answer_counts_as_none(tmp_path: Path, emulator: ModelEmulator) -> None:
    emulator.model_version = MODEL_VERSION
    wanted = settings(
        tmp_path,
        gemini_api_key=KEY,
        gemini_base_url=emulator.base_url,
        discord_token="a.b.c",
        discord_api_url="http://discord.invalid/api/v10",  # not this machine, so it counts as real; and nowhere at all
        discord_gateway_url="ws://discord.invalid/gateway",
    )

    async with open_app(wanted, connections=[Platform().opened()]) as app:
        await app.accept(a_message("good morning", key="test:1"))
        await until(lambda: finished(app) == 1)
        lines = app.metrics.text().splitlines()

    assert f'flashbulb_model_calls_total{{model="{MODEL_VERSION}",outcome="unavailable",task="moderation"}} 1.0' in lines


async def test_a_platform_that_is_away_keeps_nobody_else_from_starting(tmp_path: Path) -> None:
    nowhere = {"slack_bot_token": "xoxb-1", "slack_app_token": "xapp-1", "slack_api_url": "http://127.0.0.1:9/api/"}

    async with open_app(settings(tmp_path, **nowhere)) as app, aiohttp.ClientSession() as browser:
        async with browser.get(f"{app.url}/readyz") as response:
            status, readiness = response.status, await response.json()
        async with browser.get(f"{app.url}/healthz") as response:
            lives = response.status

    assert (status, readiness) == (503, {"ready": False, "checks": {"database": True, "console": True, "slack": False}})
    assert lives == 200


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        pytest.param({"flashbulb_secret_key": "short"}, "FLASHBULB_SECRET_KEY is not a key", id="secret-key"),
        pytest.param({"discord_token": "a.b.c"}, "never judges a real community", id="real-without-model"),
        pytest.param({"flashbulb_host": "192.0.2.1"}, "FLASHBULB_URL must say", id="host"),
    ],
)
async def test_a_start_that_fails_leaves_nothing_behind(
    tmp_path: Path, others: Others, broken: dict[str, str], says: str
) -> None:
    with pytest.raises(Misconfigured, match=says):
        async with open_app(settings(tmp_path, **broken)):
            pass

    assert others.since() == []


async def test_records_sealed_with_another_key_stop_the_start_and_everything_opened_is_closed(
    tmp_path: Path, emulator: ModelEmulator, others: Others
) -> None:
    wanted = settings(tmp_path, gemini_api_key=KEY, gemini_base_url=emulator.base_url)
    async with open_app(wanted, connections=[Platform().opened()]) as app:
        await app.accept(a_message("FLASHBULB-TEST-HATE-S3-C95", key="test:1"))
        await until(lambda: finished(app) == 1)
    (tmp_path / "data" / "secret.key").unlink()

    with pytest.raises(FlashbulbError, match="sealed with another key"):
        async with open_app(wanted):
            pass

    assert others.since() == []
