"""What ModelsLab is asked: the body of each endpoint that is used, and how an order becomes one.

Strictly what is documented: integers as integers, each switch as in its endpoint's example, and no field that a model does not
take. A body that would break a documented rule is not made.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipelines.generation.wish import SEED_MAX, Order

SIDE_MIN_PX: Final = 256
SIDE_MAX_PX: Final = 1024

# Width and height in px, multiples of 8. Nobody documents which sizes are best; these are within every model's range.
SIZES: Final[Mapping[str, tuple[int, int]]] = {
    "1:1": (1024, 1024),
    "4:3": (1024, 768),
    "3:4": (768, 1024),
    "3:2": (1024, 680),
    "2:3": (680, 1024),
    "16:9": (1024, 576),
    "9:16": (576, 1024),
    "21:9": (1024, 440),
}

STRENGTH: Final = 0.7  # of the documented example, where an order says nothing
EDIT_STRENGTH: Final = 0.5
VOICE: Final = "madison"  # of the documented example, the only one there that is not bound to English
FEELING_VOICES: Final = ("tara", "leah", "jess", "mia", "zoe", "leo", "dan", "zac")  # which are for `emotion` and English
FLUX_STEPS: Final = 28
STEPS: Final = 20  # "capped at 20" but for flux
FPS: Final = 16
FRAMES_MAX: Final = 81


class Body(BaseModel):
    """What is sent to an endpoint, save for the key. None is left out; types are those of the vendor's examples.

    Names, ranges and switches: GitHub ModelsLab/docs-v2 @ c1440bc8, the endpoint's page.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, protected_namespaces=())

    def __repr_args__(self) -> list[tuple[str | None, object]]:
        return []  # prompts and addresses

    def fields(self) -> dict[str, object]:
        return self.model_dump(exclude_none=True)


Words = Annotated[str, Field(min_length=1)]
Address = Annotated[str, Field(pattern=r"^https?://")]
Side = Annotated[int, Field(ge=SIDE_MIN_PX, le=SIDE_MAX_PX, multiple_of=8)]
LargeSide = Annotated[int, Field(ge=512, le=SIDE_MAX_PX, multiple_of=8)]
Ratio = Literal["1:1", "4:3", "3:4", "16:9", "9:16"]
Seed = Annotated[int, Field(ge=0, le=SEED_MAX)]
Strength = Annotated[float, Field(ge=0, le=1)]
Steps = Annotated[int, Field(ge=1, le=50)]


class Upload(Body):
    base64_string: str = Field(pattern=r"^data:image/(png|jpeg|webp);base64,")


class Realtime(Body):
    prompt: Words
    negative_prompt: str | None = None
    init_image: Address | None = None
    strength: Strength | None = None
    width: Side
    height: Side
    samples: Literal[1] = 1
    safety_checker: Literal[True] = True
    seed: Seed | None = None
    base64: Literal[False] = False
    instant_response: Literal[False] = False


class TextToImage(Body):
    model_id: str
    prompt: Words
    negative_prompt: str | None = None
    width: Side
    height: Side
    samples: Literal[1] = 1
    num_inference_steps: Steps
    guidance_scale: float = Field(default=7.5, ge=1, le=20)
    enhance_prompt: Literal["no"] | None = None
    safety_checker: Literal["yes"] = "yes"
    seed: Seed | None = None
    base64: Literal[False] = False


class ImageToImage(Body):
    """The result is as large as the source. `base64` is left out: here it would say that the source is base64."""

    model_id: str
    prompt: Words
    negative_prompt: str | None = None
    init_image: Address
    samples: Literal[1] = 1
    num_inference_steps: Steps
    safety_checker: Literal["yes"] = "yes"
    guidance_scale: float = Field(default=7.5, ge=1, le=20)
    strength: Strength
    scheduler: str = "UniPCMultistepScheduler"
    seed: Seed | None = None


class Kontext(Body):
    model_id: Literal["flux-kontext-dev"] = "flux-kontext-dev"
    prompt: Words
    init_image: Address
    num_inference_steps: Steps = 28
    strength: Strength
    guidance: float = 2.5
    safety_checker: Literal[True] = True


class QwenEdit(Body):
    prompt: Words
    init_image: tuple[Address, ...] = Field(min_length=1, max_length=4)
    safety_checker: Literal[True] = True
    model_id: Literal["qwen-edit-2509", "qwen-edit-2511"]
    base64: Literal[False] = False


class Premium(Body):
    """v7/images: each model takes only some of these."""

    model_id: str
    prompt: Words
    init_image: tuple[Address, ...] | None = Field(default=None, min_length=1)
    aspect_ratio: Ratio | None = None
    width: LargeSide | None = None
    height: LargeSide | None = None


class Upscale(Body):
    init_image: Address
    model_id: str
    scale: int = Field(ge=2, le=4)
    face_enhance: Literal[False] = False


class RemoveBackground(Body):
    image: Address
    seed: Seed | None = None
    only_mask: Literal[False] = False
    inverse_mask: Literal[False] = False
    post_process_mask: Literal[False] = False
    alpha_matting: Literal[False] = False
    base64: Literal[False] = False


class Video(Body):
    model_id: Literal["wan2.2", "ltx-2.3"]  # Anything else silently becomes wan2.2.
    prompt: Words
    negative_prompt: str | None = None
    init_image: Address | None = None
    resolution: int = Field(default=480, le=480)
    num_frames: int = Field(ge=1, le=81)
    num_inference_steps: int = Field(default=25, le=25)
    guidance_scale: float = Field(default=1.0, ge=0, le=8)
    fps: int = Field(default=16, le=16)
    portrait: bool | None = None
    seed: Seed | None = None


class PremiumVideo(Body):
    """v7/video-fusion: each model takes only some of these."""

    model_id: str
    prompt: Words
    init_image: tuple[Address, ...] | None = Field(default=None, min_length=1)
    duration: Literal["5", "10"] | None = None
    aspect_ratio: Ratio | None = None
    resolution: Literal["480p", "720p"] | None = None


class Music(Body):
    """As MP3: the usual WAV of 480 s has tens of megabytes."""

    prompt: Words
    duration: int = Field(ge=30, le=480)
    output_format: Literal["mp3"] = "mp3"
    bitrate: Literal["192k"] = "192k"
    base64: Literal[False] = False
    temp: Literal[False] = False


class SoundEffect(Body):
    prompt: Words
    duration: int = Field(ge=3, le=15)


Spoken = Literal[
    "american english",
    "british english",
    "spanish",
    "japanese",
    "mandarin chinese",
    "french",
    "brazilian portuguese",
    "hindi",
    "italian",
]


class Speech(Body):
    prompt: str = Field(min_length=1, max_length=2500)
    language: Spoken
    voice_id: str
    speed: Literal[1] = 1
    emotion: bool = False


Write = Callable[[Order], Body]


def realtime(order: Order) -> Body:
    width, height = SIZES[order.aspect]
    return Realtime(prompt=order.prompt, negative_prompt=order.avoid or None, width=width, height=height, seed=order.seed)


def realtime_vary(order: Order) -> Body:
    width, height = SIZES[order.aspect]
    return Realtime(
        prompt=order.prompt,
        negative_prompt=order.avoid or None,
        init_image=order.source,
        strength=_strength(order),
        width=width,
        height=height,
        seed=order.seed,
    )


def text_to_image(model: str, *, steps: int, stable: bool) -> Write:
    """Return the writer for a model of v6/images. `stable`: of the Stable Diffusion kind, which knows what to avoid."""

    def write(order: Order) -> Body:
        width, height = SIZES[order.aspect]
        return TextToImage(
            model_id=model,
            prompt=order.prompt,
            negative_prompt=(order.avoid or None) if stable else None,
            width=width,
            height=height,
            num_inference_steps=steps,
            enhance_prompt="no" if stable else None,  # else the prompt that was judged is not the one that is used
            seed=order.seed,
        )

    return write


def image_to_image(model: str, *, steps: int, stable: bool) -> Write:
    def write(order: Order) -> Body:
        return ImageToImage(
            model_id=model,
            prompt=order.prompt,
            negative_prompt=(order.avoid or None) if stable else None,
            init_image=order.source,
            num_inference_steps=steps,
            strength=_strength(order),
            seed=order.seed,
        )

    return write


def kontext(order: Order) -> Body:
    strength = EDIT_STRENGTH if order.strength is None else float(order.strength)
    return Kontext(prompt=order.prompt, init_image=order.source, strength=strength)


def qwen_edit(order: Order) -> Body:
    return QwenEdit(prompt=order.prompt, init_image=(order.source,), model_id="qwen-edit-2509")


def by_ratio(model: str) -> Write:
    return lambda order: Premium.model_validate({"model_id": model, "prompt": order.prompt, "aspect_ratio": order.aspect})


def by_size(model: str) -> Write:
    def write(order: Order) -> Body:
        width, height = SIZES[order.aspect]
        return Premium(model_id=model, prompt=order.prompt, width=width, height=height)

    return write


def premium_edit(model: str, *, ratio: bool = False) -> Write:
    def write(order: Order) -> Body:
        fields = {"model_id": model, "prompt": order.prompt, "init_image": (order.source,)}
        return Premium.model_validate(fields | ({"aspect_ratio": order.aspect} if ratio else {}))

    return write


def upscale(order: Order) -> Body:
    # Twice: four times a picture of 1024 px is more than chat platforms take.
    return Upscale(init_image=order.source, model_id="RealESRGAN_x2plus", scale=2)


def remove_background(order: Order) -> Body:
    return RemoveBackground(image=order.source, seed=order.seed)


def film(model: str, *, animated: bool = False) -> Write:
    def write(order: Order) -> Body:
        fields = {
            "model_id": model,
            "prompt": order.prompt,
            "negative_prompt": order.avoid or None,
            "init_image": order.source if animated else None,
            "num_frames": FPS * order.seconds + 1 if order.seconds else FRAMES_MAX,
            "fps": FPS,
            "portrait": None if animated else order.aspect == "9:16",
            "seed": order.seed,
        }
        return Video.model_validate(fields)

    return write


def kling(order: Order) -> Body:
    fields = {"model_id": "kling-v2-5-turbo-t2v", "prompt": order.prompt, "aspect_ratio": order.aspect}
    return PremiumVideo.model_validate(fields | {"duration": str(order.seconds)})  # a text there


def seedance(order: Order) -> Body:
    fields = {"model_id": "seedance-t2v", "prompt": order.prompt, "aspect_ratio": order.aspect, "resolution": "720p"}
    return PremiumVideo.model_validate(fields)


def seedance_animate(order: Order) -> Body:
    return PremiumVideo(model_id="seedance-i2v", prompt=order.prompt, init_image=(order.source,))


def music(order: Order) -> Body:
    return Music.model_validate({"prompt": order.prompt, "duration": order.seconds})


def effect(order: Order) -> Body:
    return SoundEffect.model_validate({"prompt": order.prompt, "duration": order.seconds})


def speech(order: Order) -> Body:
    felt = order.voice in FEELING_VOICES
    fields = {
        "prompt": order.prompt,
        "language": order.language.replace("-", " "),
        "voice_id": order.voice.capitalize() if felt else order.voice,
        "emotion": felt,
    }
    return Speech.model_validate(fields)


def _strength(order: Order) -> float:
    return STRENGTH if order.strength is None else float(order.strength)
