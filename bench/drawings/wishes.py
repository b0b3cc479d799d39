"""What is said about making something, as it usually is."""

from typing import Final

from handlers.answers import Made, MadeItem, Making, NotMade, QueuedWish, Usage, UsageLine, WishQueue, WishShown

WISH: Final = "a lighthouse at dawn, waves breaking against the rocks"
PROMPT: Final = (
    "A white lighthouse on a rocky coast at dawn, long waves breaking against dark rocks, low golden light, sea mist,"
    " wide-angle view, watercolour on rough paper"
)
SUBJECT: Final = "A white lighthouse on a rocky coast"
ID: Final = "w4k2"
ONE_PICTURE: Final = (
    ("wish_vary_subtle", "Vary (subtle)"),
    ("wish_vary_strong", "Vary (strong)"),
    ("wish_upscale", "Upscale"),
    ("wish_animate", "Animate"),
    ("wish_cutout", "Remove background"),
)
ALL_PICTURES: Final = (("wish_reroll", "Reroll"), ("wish_prompt", "Edit prompt"), ("wish_delete", "Delete"))


def item(position: int, says: str, *, score: int, missing: str = "") -> MadeItem:
    return MadeItem(
        position=position,
        alt_text=says,
        caption=says,
        seed=str(81_727 + position),
        score=score,
        missing=missing,
        buttons=tuple((name, label, f"{ID}:{position}") for name, label in ONE_PICTURE),
    )


SHOWN: Final = WishShown(
    id=ID,
    wish=WISH,
    prompt=PROMPT,
    options=(("Format", "16:9"), ("Style", "Watercolour"), ("How many", "4")),
    cost_usd="0.19",
    why="It costs more than what is made without asking.",
)
MAKING: Final = Making(id=ID, media="image", wish=WISH, prompt=PROMPT, state="making", done=1, total=3, estimate_s=25)
MADE: Final = Made(
    id=ID,
    media="image",
    wish=WISH,
    prompt=PROMPT,
    items=(
        item(1, "A white lighthouse on dark rocks, with long waves and golden light behind it.", score=9),
        item(2, "A lighthouse seen from the sea in thin mist.", score=6, missing="The waves do not break against rocks."),
    ),
    model="FLUX (dev)",
    engine="ModelsLab",
    elapsed_s=41,
    cost_usd="0.0094",
    notes=("One of three could not be made.",),
    buttons=tuple((name, label, ID) for name, label in ALL_PICTURES),
)
VARYING: Final = Making(
    id=ID, media="image", deed="varied_subtle", about=f"picture 2 of 2: {SUBJECT}", wish=WISH, prompt=PROMPT, state="making"
)
UPSCALED: Final = MADE.model_copy(
    update={"deed": "upscaled", "about": f"picture 2 of 2: {SUBJECT}", "prompt": "", "notes": ()}
    | {"items": (MADE.items[1].model_copy(update={"position": 1, "missing": "", "seed": ""}),)}
    | {"model": "Real-ESRGAN", "elapsed_s": 12, "buttons": (("wish_delete", "Delete", ID),)}
)
NOT_MADE: Final = NotMade(
    id=ID, wish=WISH, text="It was not made in time. Try again later.", buttons=(("wish_again", "Try again"),)
)
QUEUE: Final = WishQueue(
    items=(
        QueuedWish(id=ID, media="image", wish=WISH, state="making", mine=True),
        QueuedWish(id="w4k3", media="video", state="waiting"),
        QueuedWish(id="w4k4", media="music", state="waiting", ahead=1),
    ),
    busy=3,
    slots=5,
)
USAGE: Final = Usage(
    whose="you",
    days=30,
    lines=(UsageLine(title="Pictures, FLUX (dev)", count=31, cost_usd="0.1457"), UsageLine(title="Music", count=2)),
    total_usd="0.1457",
    left=("4.85 USD are left today.",),
)
