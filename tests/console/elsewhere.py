"""People of other platforms, whose rights those give and take."""

import asyncio
from dataclasses import dataclass, field

from handlers.events import Person, Role, Tenant
from pipelines.errors import Unavailable

SLACK = Tenant(platform="slack", workspace="T1")
OTHER_SLACK = Tenant(platform="slack", workspace="T2")
MIA = Person(id="U1", name="Mia", role=Role.MODERATOR)


@dataclass
class Elsewhere:
    """Says what people of other platforms may do there: what `roles` hold by their id. While `down`, nobody says it.

    Where it `hangs`, it never says anything.
    """

    roles: dict[str, Role] = field(default_factory=lambda: {MIA.id: Role.MODERATOR})
    down: bool = False
    hangs: bool = False
    asked: int = 0

    async def role(self, tenant: Tenant, person: str) -> Role:
        self.asked += 1
        await asyncio.sleep(0)  # as every question over a network lets others go on
        if self.hangs:
            await asyncio.Event().wait()
        if self.down:
            raise Unavailable(tenant.platform.capitalize())
        return self.roles.get(person, Role.MEMBER)
