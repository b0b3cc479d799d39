"""What was made for wishes, as answers with files, for the tests of the console."""

from dataclasses import dataclass, field

from handlers.answers import Made, MadeItem, Making, NotMade, QueuedWish, Usage, UsageLine, WishQueue, WishShown
from handlers.effects import Enclosure
from handlers.events import Tenant
from pipelines.errors import UserError

ID = "w7"
WISH = "a lighthouse in a storm"


@dataclass
class KeptFiles:
    """Files by the kind and the number of what was made; implements `bot.platforms.Enclosures`."""

    files: dict[tuple[str, int], bytes] = field(default_factory=dict)

    async def opened(self, tenant: Tenant, enclosure: Enclosure) -> bytes:
        if (enclosure.kind, enclosure.page) not in self.files:
            raise UserError("It is kept no longer.")
        return self.files[enclosure.kind, enclosure.page]


def a_file(kind: str, at: int = 1, ending: str = "png") -> Enclosure:
    return Enclosure(kind=kind, of=ID, page=at, name=f"lighthouse-{at}.{ending}", alt_text=f"Lighthouse {at}")


def an_item(at: int, **more: object) -> MadeItem:
    buttons = (("wish_vary_subtle", "Vary (subtle)", f"{ID}:{at}"), ("wish_upscale", "Upscale", f"{ID}:{at}"))
    usual = {"alt_text": f"A white lighthouse, number {at}", "caption": f"Lighthouse {at}", "seed": f"10{at}", "score": 8}
    return MadeItem(**{"position": at, "buttons": buttons, **usual, **more})


def a_made(count: int = 2, **more: object) -> Made:
    usual = {
        "id": ID,
        "media": "image",
        "wish": WISH,
        "prompt": "A white lighthouse in heavy rain, oil painting",
        "items": tuple(an_item(at) for at in range(1, count + 1)),
        "model": "Flux 2",
        "engine": "understudy",
        "elapsed_s": 75,
        "cost_usd": "0.04",
        "buttons": (("wish_reroll", "Reroll", ID), ("wish_prompt", "Edit prompt", ID), ("wish_delete", "Delete", ID)),
    }
    return Made(**{**usual, **more})


MAKING = Making(id=ID, media="image", wish=WISH, prompt="A white lighthouse", state="making", done=1, total=4, estimate_s=40)
SHOWN = WishShown(
    id=ID, wish=WISH, prompt="A white lighthouse", avoid="people, text", options=(("Shape", "16:9"),), cost_usd="0.04"
)
NOT_MADE = NotMade(id=ID, wish=WISH, text="The service is full.", buttons=(("wish_again", "Try again"),))
QUEUE = WishQueue(
    items=(
        QueuedWish(id="w1", media="video", state="making"),
        QueuedWish(id=ID, media="image", wish=WISH, state="waiting", ahead=1, mine=True),
        QueuedWish(id="w9", media="music", wish="a waltz", state="waiting", ahead=2, mine=True),
    ),
    busy=4,
    slots=5,
)
USAGE = Usage(
    whose="you",
    days=7,
    lines=(UsageLine(title="Pictures, Flux 2", count=12, cost_usd="0.48"), UsageLine(title="Videos, Wan", count=1)),
    total_usd="0.48",
    left=("You may spend 1.52 USD more today.",),
)
