"""What is made, in words that all platforms share; each lays them out in its own way."""

from collections.abc import Iterator
from typing import Final, assert_never

from bot.words import engine_in_words
from handlers.answers import Deed, Made, MadeItem, Making, NotMade, QueuedWish, Usage, UsageLine, WishQueue, WishShown
from handlers.pace import EXACT_BELOW
from pipelines.generation.wish import MediaKind

WITHOUT: Final = "Without"  # what shall not be seen
FOR_ADULTS: Final = "This is for adults."
MADE: Final[dict[MediaKind, tuple[str, str]]] = {
    "image": ("picture", "pictures"),
    "video": ("video", "videos"),
    "music": ("piece of music", "pieces of music"),
    "voice": ("piece of speech", "pieces of speech"),
}
# What is done to a picture, or once more: while it is done, and then.
DEEDS: Final[dict[Deed, tuple[str, str]]] = {
    "varied_subtle": ("Varying (subtle)", "Varied (subtle)"),
    "varied": ("Varying", "Varied"),
    "varied_strong": ("Varying (strong)", "Varied (strong)"),
    "redrawn": ("Redrawing", "Redrawn"),
    "inspired": ("Making after", "Made after"),
    "edited": ("Editing", "Edited"),
    "cut_out": ("Removing the background", "Background removed"),
    "upscaled": ("Upscaling", "Upscaled"),
    "animated": ("Animating", "Animated"),
    "rerolled": ("Rerolling", "Rerolled"),
    "prompted": ("Making from the edited prompt", "Made from the edited prompt"),
    "completed": ("Making what was missing", "Made what was missing"),
}


def title_of_shown(answer: WishShown) -> str:
    """Ask whether something shall be made, or done to what."""
    return f"Shall this be made? {DEEDS[answer.deed][0]}{_about(answer)}" if answer.deed in DEEDS else "Shall this be made?"


def price_of_wish(answer: WishShown) -> str:
    return f"It costs about {answer.cost_usd} USD" if answer.cost_usd else "Its price is not known"


def title_of_making(answer: Making) -> str:
    """Say what is done, to what, and how far it is."""
    what = counted(answer.total, answer.media)
    done = f", {answer.done} done" if answer.done else ""
    at_least = " or more" if answer.ahead >= EXACT_BELOW else ""
    if answer.deed in DEEDS:
        standing = "" if answer.state == "making" else f": {_standing(answer.state, answer.ahead, at_least)}"
        return f"{_deed(answer, answer.total, done=False)}{standing}{done}{_about(answer)}"
    match answer.state:
        case "waiting":
            return f"{what.capitalize()}: {_standing('waiting', answer.ahead, at_least)}{done}"
        case "making":
            return f"Making {what}{done}"
        case "checking":
            return f"Looking over {what}{done}"
        case _:
            assert_never(answer.state)


def estimate_of(answer: Making) -> str:
    return f"About {seconds_in_words(answer.estimate_s)} to go" if answer.estimate_s else ""


def title_of_made(answer: Made) -> str:
    """Say what was made, or what was done to what."""
    if answer.deed in DEEDS:
        return f"{_deed(answer, len(answer.items), done=True)}{_about(answer)}"
    return counted(len(answer.items), answer.media).capitalize()


def title_of_not_made(answer: NotMade) -> str:
    """Say what was to be done, and to what; nothing where something was to be made from words, which stand below."""
    return f"{DEEDS[answer.deed][0]}{_about(answer)}" if answer.deed in DEEDS else ""


def facts_of_item(item: MadeItem) -> Iterator[str]:
    """Yield what is known of one thing that was made."""
    if item.seed:
        yield f"seed {item.seed}"
    if item.score is not None:
        yield f"fits the wish {item.score} of 10"
    if item.attempts > 1:
        yield f"{item.attempts} attempts"


def foot_of_made(answer: Made) -> Iterator[str]:
    """Yield by what something was made, how long that took and what it cost."""
    yield answer.model
    yield engine_in_words(answer.engine)
    yield took(answer)
    yield usd(answer.cost_usd)


def took(answer: Made) -> str:
    """Say how long something took."""
    return f"in {seconds_in_words(answer.elapsed_s) if answer.elapsed_s else 'under a second'}"


def title_of_queue(answer: WishQueue) -> str:
    return f"Being made: {len(answer.items) + answer.more:,}" if answer.items else "Nothing is being made"


def foot_of_queue(answer: WishQueue) -> str:
    more = f"…and {answer.more:,} more. " if answer.more else ""
    return f"{more}{answer.busy} of {answer.slots} places are taken"


def title_of_queued(item: QueuedWish) -> str:
    return f"{MADE[item.media][0]}, {_standing(item.state, item.ahead)}"


def title_of_usage(answer: Usage) -> str:
    return f"Spent by {answer.whose} in {answer.days} {'day' if answer.days == 1 else 'days'}"


def line_of_usage(line: UsageLine) -> str:
    return f"{line.count:,}, {usd(line.cost_usd) or 'price not known'}"


def total_of_usage(answer: Usage) -> str:
    """Say what all of it came to; where no price is known, how many things were made."""
    return usd(answer.total_usd) or (f"{answer.made:,} made, prices not known" if answer.made else "not known")


def counted(number: int, media: MediaKind) -> str:
    one, several = MADE[media]
    return f"{number} {several}" if number != 1 else f"a {one}"


def seconds_in_words(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest} s" if minutes and rest else f"{minutes} min" if minutes else f"{rest} s"


def usd(amount: str) -> str:
    return f"{amount} USD" if amount else ""


def _deed(answer: Making | Made, number: int, *, done: bool) -> str:
    several = f" ({counted(number, answer.media)})" if number != 1 else ""
    return f"{DEEDS[answer.deed][done]}{several}"


def _about(answer: WishShown | Making | Made | NotMade) -> str:
    return f" · {answer.about}" if answer.about else ""


def _standing(state: str, ahead: int, at_least: str = "") -> str:
    if state != "waiting":
        return "being looked over" if state == "checking" else "being made"
    return f"waiting for {ahead:,}{at_least} {'other' if ahead == 1 else 'others'}" if ahead else "next in turn"
