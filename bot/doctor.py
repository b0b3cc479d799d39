"""Checks of the set-up. What is wrong is said by the sentence that names the fix, the same one that a start would stop with."""

import asyncio
import platform
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from io import BytesIO
from typing import Final, Literal

from PIL import Image

from bot.config_file import Config, read_config
from bot.console.address import bind
from bot.generator import open_generator
from bot.models import open_models, providers
from bot.policies import own_policy
from bot.settings import Settings, read_settings, refuse_understudy_beside_real
from bot.storage import migration
from bot.storage.database import RECORDS_FILE, address
from bot.storage.folder import held, make_folder
from bot.storage.seal import KEY_FILE, load_seal
from pipelines.content import Attachment, Intake, TextPart
from pipelines.errors import FlashbulbError, Misconfigured, Unavailable, UserError
from pipelines.generation.failures import FailureKind, GenerationFailed
from pipelines.media.extras import missing_readers
from pipelines.media.intake import MediaReader
from pipelines.media.sandbox import Sandbox
from pipelines.models import Models, Profiles
from pipelines.models.profiles import TASKS, models_of, provider_of
from pipelines.moderation.judge import ask
from pipelines.ports import LanguageModel

PYTHON: Final = (3, 11)
FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP")
HELLO: Final = Intake(parts=(TextPart(id="text:0", text="Hello, nice to meet you.", role="message"),))

# Where a model's key is set, for the sentence that says what to look at.
KEYS: Final = {
    "gemini": "GEMINI_API_KEY (or GOOGLE_CLOUD_PROJECT)",
    "anthropic": "ANTHROPIC_API_KEY",
    "openai": "OPENAI_API_KEY",
    "local": "OPENAI_BASE_URL",
}
# The mode of a workspace for which nobody has chosen one.
UNCHOSEN: Final = "shadow in real workspaces, enforce in the console and in emulated ones, until /flashbulb setup"
# What to do about a fault that has a name of its own (`pipelines.models.outcomes`).
FIXES: Final = {
    "key_refused": "Check {key}.",
    "no_such_model": "Choose another model in the [models.TASK] tables of FLASHBULB_CONFIG.",
    "quota": "Raise the quota at the vendor's, or wait until it begins anew.",
}
# The same for whoever makes pictures.
MAKER_FIXES: Final[dict[FailureKind, str]] = {
    "auth": "refuses MODELSLAB_API_KEY. Copy it again from https://modelslab.com/dashboard/api-keys.",
    "credits": "has no credit left for this account. Add some at https://modelslab.com.",
    "rate_limited": "says that too much was asked for. Try again in a few minutes.",
}
LOW_USD: Final = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check and what came of it. `says` holds the fix where it is a problem."""

    name: str
    status: Literal["ok", "problem"]
    says: str


async def examine(read: Callable[[], Settings] = read_settings) -> AsyncIterator[Check]:
    """Check everything that exists so far, in the order in which a start needs it; nothing is left behind.

    Without settings that can be read there is nothing else to check.
    """
    yield await _check("python", _python)
    try:
        settings = read()
        config = read_config(settings)
    except Misconfigured as error:
        yield Check(name="settings", status="problem", says=str(error))
        return
    yield Check(name="settings", status="ok", says=f"read; models and prices from {_config_name(settings)}")
    checks: tuple[tuple[str, Callable[[Settings], Awaitable[str]]], ...] = (
        ("data folder", _data_folder),
        ("secret key", _secret_key),
        ("database", _database),
        ("port", _port),
        ("policy", _policy),
        ("platforms", _platforms),
    )
    for name, work in checks:
        yield await _check(name, partial(work, settings))
    async for check in _connections(settings):
        yield check
    async for check in _media():
        yield check
    async for check in _models(settings, config):
        yield check
    yield await check_making(settings, config)


async def check_making(settings: Settings, config: Config) -> Check:
    """Ask whoever makes pictures for the account's credit, which costs nothing and shows that the key is accepted."""
    return await _check("making", partial(_making, settings, config))


async def _check(name: str, work: Callable[[], Awaitable[str]]) -> Check:
    try:
        return Check(name=name, status="ok", says=await work())
    except FlashbulbError as error:
        return Check(name=name, status="problem", says=str(error))


async def _python() -> str:
    if sys.version_info < PYTHON:
        raise Misconfigured(f"Python {platform.python_version()} is too old. Install Python 3.11 or newer.")
    return f"{platform.python_version()} on {platform.system()} {platform.machine()}"


async def _data_folder(settings: Settings) -> str:
    data = settings.flashbulb_data
    if not data.exists():
        return f"{data} will be made at the first start"
    make_folder(data)  # it is there: this only looks whether it can be used
    if stat.S_IMODE(data.stat().st_mode) & 0o077:
        raise Misconfigured(f"Others on this machine may look into {data}. Run: chmod 700 {data}")
    return f"{data}{', in use by a running Flashbulb' if _runs(settings) else ''}"


async def _secret_key(settings: Settings) -> str:
    if settings.flashbulb_secret_key is None and not (settings.flashbulb_data / KEY_FILE).exists():
        return "will be made in the data folder at the first start"
    key = settings.flashbulb_secret_key
    load_seal(settings.flashbulb_data, key.get_secret_value() if key else None)
    return "from FLASHBULB_SECRET_KEY" if settings.flashbulb_secret_key else f"from {settings.flashbulb_data / KEY_FILE}"


async def _database(settings: Settings) -> str:
    url = settings.flashbulb_database_url
    where = address(settings.flashbulb_data, url.get_secret_value() if url else None)
    if settings.flashbulb_database_url is None and not (settings.flashbulb_data / RECORDS_FILE).exists():
        return "SQLite, will be made in the data folder at the first start"
    missing = await asyncio.to_thread(migration.pending, where)
    state = f"{len(missing)} versions behind, which the next start mends" if missing else "up to date"
    return f"{'SQLite' if settings.flashbulb_database_url is None else 'PostgreSQL'}, {state}"


async def _port(settings: Settings) -> str:
    if settings.flashbulb_data.exists() and _runs(settings):
        return f"{settings.flashbulb_port}, presumably in use by the running Flashbulb"
    where, bound = bind(settings)
    bound.close()
    return f"{where.port} is free; people open {where.url}" if settings.flashbulb_port else "any free one"


async def _policy(settings: Settings) -> str:
    policy = own_policy(settings)
    source = settings.policy_file if settings.policy_file.exists() else "the shipped default"
    return f"{policy.fingerprint} from {source}, mode {policy.mode or UNCHOSEN}"


async def _platforms(settings: Settings) -> str:
    refuse_understudy_beside_real(settings)
    tokens = (("Slack", "SLACK_BOT_TOKEN", settings.slack_bot_token), ("Discord", "DISCORD_TOKEN", settings.discord_token))
    used = ("console", *(platform for platform, _, token in tokens if token))
    left_out = (
        f"{platform} left out, for want of {name}: docs/{platform.lower()}.md" for platform, name, token in tokens if not token
    )
    return "; ".join((", ".join(used), *left_out))


async def _connections(settings: Settings) -> AsyncIterator[Check]:
    """Make the checks of each platform that has a token. Their libraries are loaded only for these."""
    if settings.real_platforms and not settings.has_model:
        return  # `platforms` has said that there must be a model
    if settings.slack_bot_token:
        from bot.slack.checks import slack_checks

        async for check in _made("slack", slack_checks(settings)):
            yield check
    if settings.discord_token:
        from bot.discord.checks import discord_checks

        async for check in _made("discord", discord_checks(settings)):
            yield check


async def _made(platform: str, checks: AsyncIterator[tuple[str, Callable[[], Awaitable[str]]]]) -> AsyncIterator[Check]:
    """Make one check after the other: what comes next may depend on it."""
    try:
        async for name, work in checks:
            yield await _check(name, work)
    except FlashbulbError as error:
        yield Check(name=platform, status="problem", says=str(error))


async def _media() -> AsyncIterator[Check]:
    """Have the media workers really decode a picture of each format."""
    try:
        async with Sandbox() as sandbox:
            media = MediaReader(NoFiles(), sandbox)
            yield Check(name="media workers", status="ok", says=f"{len(sandbox.pids)} of them run")
            for form in FORMATS:
                yield await _check(form.lower(), partial(_decoded, media, form))
        missing = missing_readers()
        yield Check(name="optional readers", status="ok", says=" ".join(missing) or "HEIC pictures, videos and sound are read")
    except Unavailable as error:
        yield Check(name="media workers", status="problem", says=f"{error} Look whether this machine is short of memory.")


async def _decoded(media: MediaReader, form: str) -> str:
    picture = BytesIO()
    Image.new("RGB", (64, 48), "teal").save(picture, form)
    await media.preview(picture.getvalue(), side_px=32)
    return "decoded by a worker"


class NoFiles:
    """No files at all: previews are made from bytes."""

    async def fetch(self, attachment: Attachment, *, limit_bytes: int) -> bytes:
        raise UserError("There are no files here.")


async def _models(settings: Settings, config: Config) -> AsyncIterator[Check]:
    """Ask each configured model one tiny question, or have the understudy answer it."""
    if not settings.has_model:
        if not settings.real_platforms:  # else `platforms` has said that there must be a model
            yield await _check("models", partial(_understudy, settings))
        return
    accounts = providers(settings)
    try:
        names = {name for task in TASKS for name in models_of(task, config.models.of(task), accounts)}
    except Misconfigured as error:
        yield Check(name="models", status="problem", says=str(error))
        return
    for name in sorted(names):
        only = {task: config.models.of(task).model_copy(update={"models": (name,)}) for task in TASKS}
        async with Models(accounts, allow_understudy=True, profiles=Profiles(**only), prices=config.prices) as model:
            yield await _check(name, partial(_asked, name, model))


async def _understudy(settings: Settings) -> str:
    async with open_models(settings) as model:
        reply = await ask(HELLO.parts, model=model)
    if reply.outcome != "ok":
        raise Unavailable("The understudy")
    return "understudy: no model. Set GEMINI_API_KEY to have pictures really looked at"


async def _asked(name: str, model: LanguageModel) -> str:
    reply = await ask(HELLO.parts, model=model)
    call = reply.calls[-1]
    if reply.outcome != "ok":
        fix = FIXES.get(call.note, "Try again; if it stays so, look at the network and the vendor's status page.")
        what = f"refuses a greeting ({reply.reason})" if reply.outcome == "refused" else reply.reason or "does not answer"
        raise Misconfigured(f"It {what}. {fix.format(key=KEYS[provider_of(name)])}")
    cost = f", {call.cost_usd:f} USD" if call.cost_usd is not None else ""
    return f"answered as {call.model} in {call.latency_ms} ms{cost}"


async def _making(settings: Settings, config: Config) -> str:
    async with open_generator(settings, config=config) as maker:
        if maker is None and settings.real_platforms:
            return "left out, for want of MODELSLAB_API_KEY: docs/operating.md"
        if maker is None:
            return "understudy: it draws labelled pictures. Set MODELSLAB_API_KEY to have them really made"
        try:
            left = await maker.balance()
        except GenerationFailed as failed:
            else_ = "does not answer as it should. Look at MODELSLAB_BASE_URL, the network and the vendor's status page."
            raise Misconfigured(f"{maker.name} {MAKER_FIXES.get(failed.kind, else_)}") from failed
    if left is not None and left < LOW_USD:
        raise Misconfigured(f"{maker.name} has {left:.2f} USD left for this account. Add credit at https://modelslab.com.")
    limits = (config.budget.member_per_day_usd, config.budget.workspace_per_day_usd)
    if any(limit is not None for limit in limits) and not config.modelslab.prices:
        raise Misconfigured("[budget] limits US dollars, but no price is known, so it limits nothing. Set [modelslab.prices].")
    credit = f", {left:.2f} USD left" if left is not None else ""
    return f"{maker.name} accepts the key{credit}; {maker.slots} jobs at once ([modelslab] max_in_flight)"


def _runs(settings: Settings) -> bool:
    """Whether a Flashbulb works in the data folder now."""
    try:
        with held(settings.flashbulb_data):
            return False
    except Misconfigured:
        return True


def _config_name(settings: Settings) -> str:
    return str(settings.config_file) if settings.config_file.exists() else "the defaults"
