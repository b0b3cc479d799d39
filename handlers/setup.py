"""`/flashbulb setup`: what is watched, where cases are shown, by which policy, and whether actions are carried out."""

from handlers.answers import SetUp
from handlers.effects import AnyEffect, Card, Notify, Plan
from handlers.events import Event, FormSubmitted
from handlers.forms import MODES, WATCHED_MAX
from handlers.ports.cases import Link
from handlers.ports.channels import Setup
from handlers.ports.services import Services
from handlers.presets import KEEP, named, preset_of
from pipelines.errors import UserError
from pipelines.moderation.policies import PRESETS, preset_text
from pipelines.moderation.policy import Mode


async def on_setup(event: FormSubmitted, services: Services) -> Plan:
    """Keep what an admin chose and say it: to the admin, and to the log channel, which proves that we can write there."""
    refuse_unless_admin(event)
    tenant = event.place.tenant
    before = await services.setups.of(tenant)
    setup = _read(event, chooses=services.channels.chooses_channels(tenant)).model_copy(
        update={"while_away": before.while_away}
    )
    chosen = _preset(event)
    await services.setups.save(tenant, setup)
    await services.audit.record(tenant, link_of(event, setup))
    policy = await services.policies.current(tenant)
    if chosen != KEEP and chosen != preset_of(policy.policy):
        policy = await services.policies.save(tenant, preset_text(chosen), by=event.author, event=event.key)
    assert setup.mode is not None
    said = SetUp(
        watched=setup.watched,
        log_channel=setup.log_channel,
        mode=setup.mode,
        takes_down=any(action.takes_down for action in services.channels.supports(tenant)),
        policy=named(policy),
    )
    effects: list[AnyEffect] = [Notify.author_of(event, "set-up", said)]
    if setup.log_channel:
        effects.insert(0, Card(key=f"{event.key}#log", place=event.place, answer=said))
    return Plan(effects=tuple(effects))


def link_of(event: Event, setup: Setup) -> Link:
    """Return what the audit keeps of a changed set-up."""
    facts = {
        "mode": setup.mode or "",
        "log_channel": setup.log_channel or "",
        "watched": len(setup.watched),
        "while_away": setup.while_away or "",
    }
    return Link(key=f"{event.key}!set_up", kind="set_up", facts=facts, actor=event.author.id)


def refuse_unless_admin(event: Event) -> None:
    """Raises: `UserError` when the author may not set the workspace up."""
    if not event.author.role.sets_up:
        raise UserError("Only who administers this workspace sets Flashbulb up. Ask them to write /flashbulb setup.")


def _preset(event: FormSubmitted) -> str:
    chosen = event.values.get("policy") or KEEP
    if chosen not in (KEEP, *PRESETS):
        raise UserError(f"Choose a policy: {', '.join(PRESETS)}, or the one that holds now.")
    return chosen


def _read(event: FormSubmitted, *, chooses: bool) -> Setup:
    mode: Mode
    match event.values.get("mode"):
        case "shadow" | "enforce" as mode:
            pass
        case _:
            raise UserError(f"Choose a mode: {' or '.join(name for name, _ in MODES)}.")
    if not chooses:
        return Setup(mode=mode)
    watched = tuple(dict.fromkeys(event.values.get("watched", "").split()))
    log_channel = event.values.get("log_channel", "").strip()
    if not log_channel or " " in log_channel:
        raise UserError("Choose one channel in which moderators see the cases.")
    if len(watched) > WATCHED_MAX:
        raise UserError(f"Choose at most {WATCHED_MAX} channels, or none to watch all that Flashbulb is in.")
    return Setup(watched=watched, log_channel=log_channel, mode=mode)
