"""What can be asked for, by path, and what a request must hold. Texts are those that the vendor documents."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from emulators.modelslab.problems import Refused, invalid

Json = dict[str, Any]
Made = Literal["picture", "film", "sound"]
How = Literal["draw", "redraw", "enlarge", "cut_out", "extend", "film", "music", "speech"]

SIDE_MIN: Final = 256
SIDE_MAX: Final = 1024
SAMPLES_MAX: Final = 4
SPEECH_CHARS: Final = 2500
SOURCES: Final = ("init_image", "init_image_2", "image", "mask_image")
LANGUAGES: Final = frozenset(
    (
        "american english",
        "british english",
        "spanish",
        "japanese",
        "mandarin chinese",
        "french",
        "brazilian portuguese",
        "hindi",
        "italian",
    )
)
RATIOS: Final[Mapping[str, tuple[int, int]]] = {
    "1:1": (1024, 1024),
    "3:2": (1024, 680),
    "2:3": (680, 1024),
    "4:3": (1024, 768),
    "3:4": (768, 1024),
    "16:9": (1024, 576),
    "9:16": (576, 1024),
    "21:9": (1024, 440),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One path that makes something. `family` is where its jobs are asked about; `side_max` is for width and height, in px."""

    path: str
    made: Made
    how: How
    required: tuple[str, ...]
    side_max: int = SIDE_MAX

    @property
    def family(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def premium(self) -> bool:
        return self.path.startswith("v7/")


def _operations() -> tuple[Operation, ...]:
    def of(path: str, how: How, required: str, *, side_max: int = SIDE_MAX) -> Operation:
        made: Made = "film" if how == "film" else "sound" if how in ("music", "speech") else "picture"
        return Operation(path=path, made=made, how=how, required=tuple(required.split()), side_max=side_max)

    return (
        of("v6/realtime/text2img", "draw", "prompt"),
        of("v6/realtime/img2img", "redraw", "prompt init_image"),
        of("v6/images/text2img", "draw", "model_id prompt", side_max=1488),
        of("v6/images/img2img", "redraw", "model_id init_image"),
        of("v6/images/inpaint", "redraw", "model_id init_image mask_image"),
        of("v6/image_editing/qwen_edit", "redraw", "prompt init_image"),
        of("v6/image_editing/inpaint", "redraw", "prompt init_image mask_image"),
        of("v6/image_editing/super_resolution", "enlarge", "init_image"),
        of("v6/image_editing/removebg_mask", "cut_out", "image"),
        of("v6/image_editing/outpaint", "extend", "image", side_max=1440),
        of("v6/video/text2video_ultra", "film", "model_id prompt"),
        of("v6/video/img2video_ultra", "film", "model_id prompt init_image"),
        of("v6/voice/music_gen", "music", "prompt"),
        of("v6/voice/sfx", "music", "prompt"),
        of("v6/voice/song_generator", "music", ""),
        of("v6/voice/text_to_speech", "speech", "prompt voice_id language"),
        of("v7/images/text-to-image", "draw", "model_id prompt", side_max=2048),
        of("v7/images/image-to-image", "redraw", "model_id prompt init_image", side_max=2048),
        of("v7/images/inpaint", "redraw", "model_id prompt init_image mask_image", side_max=2048),
        of("v7/video-fusion/text-to-video", "film", "model_id prompt"),
        of("v7/video-fusion/image-to-video", "film", "model_id prompt init_image"),
        of("v7/voice/music-gen", "music", "model_id prompt"),
        of("v7/voice/sound-generation", "music", "model_id prompt"),
        of("v7/voice/text-to-speech", "speech", "model_id prompt voice_id"),
    )


OPERATIONS: Final[Mapping[str, Operation]] = {each.path: each for each in _operations()}
FAMILIES: Final = tuple(sorted({each.family for each in OPERATIONS.values()}))


# --- Scalars: the vendor takes numbers as texts, and switches in many words --------------------------------------------------


def number(body: Mapping[str, Any], name: str, usual: float) -> float:
    """Return a number that may come as a text. Raises: `Refused`."""
    value = body.get(name)
    if value is None or value == "":
        return usual
    try:
        if isinstance(value, bool):
            raise ValueError
        return float(value)
    except (TypeError, ValueError):
        raise invalid(f"{name} must be a number") from None


def flag(body: Mapping[str, Any], name: str) -> bool:
    """Return a switch, which may be a bool, "yes", "no", "true", "false" or a number."""
    return str(body.get(name)).lower() in ("true", "yes", "1")


def text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def sources(body: Mapping[str, Any]) -> list[str]:
    """Return the addresses of the pictures that the request brings, the main one first."""
    given = [body.get(name) for name in SOURCES]
    return [each for one in given for each in (one if isinstance(one, list) else [one]) if isinstance(each, str) and each]


def samples(body: Mapping[str, Any]) -> int:
    return int(number(body, "samples", 1))


# --- Checks ------------------------------------------------------------------------------------------------------------------


def check(operation: Operation, body: Mapping[str, Any]) -> None:
    """Look whether a request holds what it must. Raises: `Refused`."""
    for name in operation.required:
        if body.get(name) in (None, "", []):
            raise invalid(f"{name} is required")
    if not isinstance(body.get("prompt", ""), str | None):
        raise invalid("prompt must be a string")
    _CHECKS[operation.made](operation, body)


def _check_picture(operation: Operation, body: Mapping[str, Any]) -> None:
    for name in ("width", "height"):
        side = number(body, name, SIDE_MIN)
        if not SIDE_MIN <= side <= operation.side_max:
            raise invalid(f"{name} must be between {SIDE_MIN} and {operation.side_max}")
        if side % 8:
            raise invalid(f"{name} must be divisible by 8")
    _within(body, "samples", 1, SAMPLES_MAX)
    _within(body, "guidance_scale", 1, 20)
    _within(body, "strength", 0, 1)
    _within(body, "scale", 1, 4)
    _ratio(body)
    if operation.path == "v6/images/img2img":
        if not isinstance(body["init_image"], str):
            raise invalid("init_image must be a string")
        if not body["init_image"].startswith("http") and not flag(body, "base64"):
            raise invalid("init image must be a valid url when base64 is a representation of false")


def _check_film(operation: Operation, body: Mapping[str, Any]) -> None:
    _ratio(body)
    if operation.premium:
        if not isinstance(body.get("duration", ""), str):
            raise invalid("duration must be a string")
        return
    _within(body, "resolution", 240, 720 if "img2video" in operation.path else 480)
    _within(body, "num_inference_steps", 1, 25 if "img2video" in operation.path else 30)
    _within(body, "fps", 1, 16)
    _within(body, "num_frames", 1, 161)


def _check_sound(operation: Operation, body: Mapping[str, Any]) -> None:
    words = text(body, "prompt")
    if operation.how == "speech":
        if len(words) > SPEECH_CHARS:
            raise invalid(f"prompt must not be greater than {SPEECH_CHARS} characters")
        if not operation.premium and text(body, "language") not in LANGUAGES:
            raise invalid("The selected language is invalid.")
    elif operation.path == "v6/voice/sfx":
        _within(body, "duration", 3, 15)
    elif not operation.premium:
        _within(body, "duration", 30, 480)
    if operation.path == "v6/voice/song_generator" and not (words if flag(body, "lyrics_generation") else text(body, "lyrics")):
        raise invalid(f"{'prompt' if flag(body, 'lyrics_generation') else 'lyrics'} is required")


_CHECKS: Final[Mapping[Made, Callable[[Operation, Mapping[str, Any]], None]]] = {
    "picture": _check_picture,
    "film": _check_film,
    "sound": _check_sound,
}


def _within(body: Mapping[str, Any], name: str, least: float, most: float) -> None:
    if not least <= number(body, name, least) <= most:
        raise invalid(f"{name} must be between {least} and {most}")


def _ratio(body: Mapping[str, Any]) -> None:
    if body.get("aspect_ratio") and text(body, "aspect_ratio") not in RATIOS:
        raise Refused(status=400, body={"message": {"aspect_ratio": ["The selected aspect ratio is invalid."]}})


def size_of(body: Mapping[str, Any], usual: tuple[int, int]) -> tuple[int, int]:
    """Return the width and height that are asked for, in px: in numbers, as `size` or as a ratio."""
    if ratio := RATIOS.get(text(body, "aspect_ratio")):
        return ratio
    width, by, height = text(body, "size").partition("x")
    if by and width.isdigit() and height.isdigit():
        return min(2048, max(16, int(width))), min(2048, max(16, int(height)))
    return int(number(body, "width", usual[0])), int(number(body, "height", usual[1]))
