"""The policies of all workspaces: numbered versions, each as it was written."""

import asyncio
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
import structlog

from bot.storage.audit import append, audit_key
from bot.storage.database import Records, put
from bot.storage.seal import Seal
from bot.storage.tables import PolicyRow, now
from handlers.events import Person, Place, Tenant
from handlers.ports.cases import Link
from handlers.ports.channels import Channels
from handlers.ports.moderation import PolicyVersion
from pipelines.errors import FlashbulbError, Misconfigured, UserError
from pipelines.moderation.policies import parse
from pipelines.moderation.policy import Channel, ChannelPolicy, Policy

PARSED_MAX: Final = 512  # texts: reading one takes 7 ms, keeping what it says 25 kB

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Newest:
    """What holds in a workspace, and what that means in its channels."""

    version: PolicyVersion
    here: dict[Channel, ChannelPolicy] = field(default_factory=dict)


class StoredPolicies:
    """Versions by workspace, numbered from 1; implements `handlers.ports.moderation.Policies`.

    `operators` is version 0: it holds until a workspace has one of its own, and where that can no longer be read. The newest
    one is read once and remembered, since every message asks for it; no other process changes it meanwhile. `seal` signs the
    audit of what is saved; who only reads needs none.
    """

    def __init__(self, records: Records, operators: PolicyVersion, channels: Channels, seal: Seal | None = None) -> None:
        self._records = records
        self._key = audit_key(seal) if seal else None
        self._operators = operators
        self._channels = channels
        self._newest: dict[Tenant, _Newest] = {}

    async def for_place(self, place: Place) -> ChannelPolicy:
        """Return what holds in the channel of `place`; its platform is asked only where the policy tells channels apart."""
        newest = await self._of(place.tenant)
        policy = newest.version.policy
        channel = await self._channels.channel(place) if policy.channels else Channel(platform=place.platform, id=place.channel)
        if channel not in newest.here:
            newest.here[channel] = policy.at(channel)
        return newest.here[channel]

    async def current(self, tenant: Tenant) -> PolicyVersion:
        """Return the version that holds."""
        return (await self._of(tenant)).version

    async def versions(self, tenant: Tenant) -> tuple[PolicyVersion, ...]:
        """Return all versions, the newest first; the operator's last."""
        stored = sa.select(PolicyRow).where(*PolicyRow.of(tenant)).order_by(PolicyRow.number.desc())

        def read(connection: sa.Connection) -> tuple[PolicyVersion, ...]:
            return tuple(self._version(row) for row in connection.execute(stored))

        return (*await self._records.read(read), self._operators)

    async def by_fingerprint(self, tenant: Tenant, fingerprint: str) -> PolicyVersion | None:
        """Return the newest version with a fingerprint, None where none is known or it can no longer be read."""
        for held in (await self.current(tenant), self._operators):
            if not held.trouble and held.policy.fingerprint == fingerprint:
                return held
        those = sa.select(PolicyRow).where(*PolicyRow.of(tenant), PolicyRow.fingerprint == fingerprint)
        newest = those.order_by(PolicyRow.number.desc()).limit(1)

        def read(connection: sa.Connection) -> PolicyVersion | None:
            row = connection.execute(newest).one_or_none()
            return None if row is None else self._version(row)

        version = await self._records.read(read)
        if version is not None:
            return None if version.trouble else version
        # An update of Flashbulb may have given a text another fingerprint than it was saved with.
        every = await self.versions(tenant)
        return next((each for each in every if not each.trouble and each.policy.fingerprint == fingerprint), None)

    async def save(self, tenant: Tenant, text: str, *, by: Person, event: str, based_on: int | None = None) -> PolicyVersion:
        """Make `text` the newest version; the same event makes the same one again.

        Raises: `UserError` naming the line or key that is wrong, when nothing would change, or when another version than
        `based_on` holds by now.
        """
        if self._key is None:
            raise FlashbulbError("Without the key of the records no policy is saved: the audit has to tell of it.")
        key = self._key
        try:
            policy = await asyncio.to_thread(_parsed, text)
        except Misconfigured as error:
            raise UserError(str(error)) from error
        of_event = sa.select(PolicyRow).where(*PolicyRow.of(tenant), PolicyRow.event == event)
        newest = sa.select(PolicyRow).where(*PolicyRow.of(tenant)).order_by(PolicyRow.number.desc()).limit(1)
        written = {"text": text, "fingerprint": policy.fingerprint, "author": by.name, "event": event, "at": now()}

        def write(connection: sa.Connection) -> sa.Row[Any]:
            while (row := connection.execute(of_event).one_or_none()) is None:
                before = connection.execute(newest).one_or_none()
                number, holds = (before.number, before) if before else (0, self._operators)
                if based_on not in (None, number):
                    raise UserError(
                        f"{holds.author or 'Somebody'} changed the policy meanwhile: version {number} holds. Look at it first."
                    )
                if text == holds.text:
                    raise UserError("Nothing changed: this is the policy that holds already.")
                # Two may write at once on Postgres: whoever comes second takes the next number.
                if put(connection, PolicyRow, {**tenant.model_dump(), **written, "number": number + 1}):
                    facts = {"number": number + 1, "fingerprint": policy.fingerprint, "before": number}
                    link = Link(key=f"{event}!policy", kind="policy", facts=facts, actor=by.id)
                    append(connection, tenant, (link,), key=key)
            return row

        version = self._version(await self._records.write(write))
        self._remember(tenant, version)
        return version

    async def _of(self, tenant: Tenant) -> _Newest:
        if tenant not in self._newest:
            newest = sa.select(PolicyRow).where(*PolicyRow.of(tenant)).order_by(PolicyRow.number.desc()).limit(1)

            def read(connection: sa.Connection) -> PolicyVersion:
                row = connection.execute(newest).one_or_none()
                return self._operators if row is None else self._version(row)

            version = await self._records.read(read)
            self._remember(tenant, version)
            if self._newest[tenant].version.trouble:
                log.error("policy.unreadable", platform=tenant.platform, workspace=tenant.workspace, number=version.number)
        return self._newest[tenant]

    def _remember(self, tenant: Tenant, version: PolicyVersion) -> None:
        """Keep a version unless a newer one was saved meanwhile."""
        known = self._newest.get(tenant)
        if known is None or known.version.number < version.number:
            self._newest[tenant] = _Newest(version)

    def _version(self, row: sa.Row[Any]) -> PolicyVersion:
        """Return a stored version. A newer Flashbulb may refuse what an older one took: that must not stop moderation."""
        policy, trouble = self._operators.policy, ""
        try:
            policy = _parsed(row.text)
        except Misconfigured as error:
            trouble = str(error)
        return PolicyVersion(
            number=row.number, policy=policy, text=row.text, author=row.author, at=row.at, trouble=trouble, event=row.event
        )


@lru_cache(maxsize=PARSED_MAX)
def _parsed(text: str) -> Policy:
    return parse(text, source="The policy")
