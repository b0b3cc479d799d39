"""Which emojis fit a picture's tags: a small table of our own, so that no tag of a model becomes one that nobody expected."""

from collections.abc import Iterable
from typing import Final

REACTIONS_MAX: Final = 3

# Words of tags, the emoji, and what Slack calls it, which are the short names of https://github.com/iamcal/emoji-data.
_TABLE: Final = (
    ("cat kitten", "🐱", "cat"),
    ("dog puppy", "🐶", "dog"),
    ("bird", "🐦", "bird"),
    ("fish", "🐟", "fish"),
    ("horse", "🐴", "horse"),
    ("butterfly", "🦋", "butterfly"),
    ("flower blossom", "🌸", "cherry_blossom"),
    ("tree forest wood", "🌳", "deciduous_tree"),
    ("mountain", "⛰️", "mountain"),
    ("beach", "🏖️", "beach_with_umbrella"),
    ("sea ocean lake", "🌊", "ocean"),
    ("snow winter", "❄️", "snowflake"),
    ("sunrise", "🌅", "sunrise"),
    ("sunset", "🌇", "city_sunset"),
    ("night", "🌃", "night_with_stars"),
    ("rainbow", "🌈", "rainbow"),
    ("city skyline street", "🏙️", "cityscape"),
    ("bridge", "🌉", "bridge_at_night"),
    ("house building", "🏠", "house"),
    ("food meal dinner", "🍽️", "knife_fork_plate"),
    ("pizza", "🍕", "pizza"),
    ("cake", "🍰", "cake"),
    ("coffee", "☕", "coffee"),
    ("car", "🚗", "car"),
    ("bicycle bike", "🚲", "bike"),
    ("train", "🚆", "train2"),
    ("boat ship", "⛵", "boat"),
    ("aeroplane airplane plane", "✈️", "airplane"),
    ("book", "📖", "book"),
    ("music guitar", "🎵", "musical_note"),
    ("football soccer", "⚽", "soccer"),
    ("game gaming", "🎮", "video_game"),
    ("computer laptop", "💻", "computer"),
    ("code qr", "🔳", "white_square_button"),
    ("chart graph diagram", "📊", "bar_chart"),
    ("map", "🗺️", "world_map"),
    ("document page text", "📄", "page_facing_up"),
    ("screenshot", "🖥️", "desktop_computer"),
    ("painting drawing illustration art", "🎨", "art"),
    ("photograph photo", "📷", "camera"),
)
_BY_WORD: Final = {word: (emoji, name) for words, emoji, name in _TABLE for word in words.split()}


def reactions_to(tags: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return up to three emojis with their Slack names for tags, which come most certain first."""
    words = (word for tag in tags for word in tag.lower().split())
    found = (_BY_WORD.get(word) or _BY_WORD.get(word.removesuffix("s")) for word in words)
    return tuple(dict.fromkeys(each for each in found if each))[:REACTIONS_MAX]
