"""Whoever makes pictures, opened as the settings say: which one it is, and where its results may come from."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from yarl import URL

from bot.config_file import Config, ModelsLabTable
from bot.downloads import guarded_session
from bot.generator import open_generator, results_of
from bot.settings import Settings
from bot.understudy import Understudy
from emulators.modelslab import ModelsLabEmulator
from pipelines.errors import UserError
from pipelines.generation.failures import GenerationFailed
from pipelines.generation.modelslab import API
from pipelines.generation.wish import Order
from tests.app.conftest import Host, says

CONFIG = Config(modelslab=ModelsLabTable(max_in_flight=3, prices={"flux": Decimal("0.002")}))
ORDER = Order(kind="image", operation="imagine", model="flux", prompt="a red square")


@pytest.fixture
async def vendor() -> AsyncIterator[ModelsLabEmulator]:
    async with ModelsLabEmulator(key="ml-8712") as emulator:
        yield emulator


def settings(**names: str) -> Settings:
    return Settings(_env_file=None, **names)


async def test_with_a_key_the_vendor_makes_and_its_file_is_fetched_from_it_alone(vendor: ModelsLabEmulator) -> None:
    configured = settings(modelslab_api_key="ml-8712", modelslab_base_url=vendor.base_url, discord_token="a.b.c")

    async with open_generator(configured, config=CONFIG, understudy=Understudy()) as maker:
        assert maker is not None
        assert (maker.name, maker.slots, maker.models["flux"].price_usd) == ("ModelsLab", 3, Decimal("0.002"))
        assert await maker.balance() == Decimal("43.60")
        made = await maker.fetch(await maker.submit(ORDER), limit_bytes=10_000_000)
        assert made.startswith((b"\x89PNG", b"\xff\xd8"))


async def test_without_a_key_the_understudy_makes_and_starts_with_the_first_wish() -> None:
    async with Understudy() as understudy, open_generator(settings(), config=CONFIG, understudy=understudy) as maker:
        assert maker is not None
        assert (maker.name, maker.slots, maker.models["flux"].price_usd) == ("understudy", 3, Decimal("0.002"))
        assert not understudy.started
        job = await maker.submit(ORDER)
        while job.state != "done":
            job = await maker.poll(job)
        assert await maker.fetch(job, limit_bytes=10_000_000)
        assert understudy.started


@pytest.mark.parametrize(
    ("names", "understudy"),
    [
        pytest.param({"discord_token": "a.b.c"}, Understudy(), id="beside-a-real-community"),
        pytest.param({}, None, id="no-understudy"),
    ],
)
async def test_nobody_makes_for_a_real_community_without_a_key(names: dict[str, str], understudy: Understudy | None) -> None:
    async with open_generator(settings(**names), config=Config(), understudy=understudy) as maker:
        assert maker is None


async def test_a_maker_that_names_a_foreign_host_is_not_followed_there(vendor: ModelsLabEmulator) -> None:
    configured = settings(modelslab_api_key="ml-8712", modelslab_base_url=vendor.base_url)
    vendor.fault("evil_output")

    async with open_generator(configured, config=CONFIG) as maker:
        assert maker is not None
        with pytest.raises(GenerationFailed):
            await maker.fetch(await maker.submit(ORDER), limit_bytes=10_000_000)
    assert vendor.foreign == []


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://example.org/made.png", id="without-encryption"),
        pytest.param("https://127.0.0.1/made.png", id="loopback"),
        pytest.param("https://10.0.0.1/made.png", id="private"),
        pytest.param("https://169.254.169.254/latest/meta-data", id="metadata-service"),
        pytest.param("https://example.org:8443/made.png", id="another-port"),
        pytest.param("file:///etc/passwd", id="a-file-of-ours"),
    ],
)
async def test_results_of_the_vendor_come_by_https_from_the_internet_alone(url: str) -> None:
    async with guarded_session(API) as session:
        with pytest.raises(UserError, match="does not fetch from"):
            await results_of(API, session).fetch(url, limit_bytes=9)


async def test_an_emulators_redirects_are_checked_one_by_one(host: Host) -> None:
    host.answers = [says(302, Location="/b"), says(302, Location=f"http://localhost:{URL(host.url).port}/c")]

    async with guarded_session(f"{host.origin}/api") as session:
        with pytest.raises(UserError, match="does not fetch from"):
            await results_of(f"{host.origin}/api", session).fetch(host.url, limit_bytes=9)

    assert [request.path for request in host.asked] == ["/files/cat.png", "/b"]
