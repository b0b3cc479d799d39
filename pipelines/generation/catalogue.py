"""What is offered at ModelsLab: each model, what it can do, and beside that the endpoint and what is written to it.

The order counts: of the models that can do something, the first one is the usual. Which fields a model takes is documented on
its endpoint's page; how long one takes was seen by others or is a guess, and prices are the operator's to give.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, get_args

from pydantic import ValidationError

from pipelines.generation import modelslab_bodies as bodies
from pipelines.generation.languages import ENGLISH, LANGUAGES
from pipelines.generation.modelslab_bodies import FLUX_STEPS, SIZES, STEPS, Ratio, Write
from pipelines.generation.wish import ASPECTS, SECONDS_MAX, Lengths, MakerModel, MediaKind, Operation, Order, Takes

RATIOS: Final[tuple[str, ...]] = get_args(Ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where something is asked for, below the base address, and what is written there."""

    path: str
    write: Write

    @property
    def family(self) -> str:
        """Where the job is asked about: `{family}/fetch/{id}`. It is the endpoint's own folder, of every endpoint."""
        return self.path.rpartition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One model and its ways of doing what it can do."""

    model: MakerModel
    ways: Mapping[Operation, Way]

    def written(self, order: Order) -> tuple[Way, dict[str, object]] | None:
        """Return where and what to write for an order; None when the model cannot do it, or not so."""
        way = self.ways.get(order.operation)
        if way is None or order.kind != self.model.kind:
            return None
        try:
            return way, way.write(order).fields()
        except ValidationError:
            return None


def _offer(
    name: str,
    title: str,
    kind: MediaKind,
    ways: Mapping[Operation, Way],
    *,
    takes: frozenset[Takes] = frozenset(),
    aspects: tuple[str, ...] = (),
    lengths: Lengths | None = None,
    voices: Mapping[str, tuple[str, ...]] | None = None,
    usual_s: float,
) -> Offer:
    model = MakerModel(
        name=name,
        title=title,
        kind=kind,
        operations=frozenset(ways),
        takes=takes,
        aspects=aspects,
        lengths=lengths,
        voices=voices or {},
        usual_s=usual_s,
    )
    return Offer(model=model, ways=ways)


def _drawn(path: str, write: Write) -> Mapping[Operation, Way]:
    """Return the ways of a model that makes pictures from words: with one of them or with what was seen in another picture."""
    way = Way(path=path, write=write)
    return {"imagine": way, "inspire": way}


def _redrawn(path: str, write: Write) -> Mapping[Operation, Way]:
    way = Way(path=path, write=write)
    return {"vary": way, "restyle": way}


_TEXT_TO_IMAGE, _IMAGE_TO_IMAGE = "v6/images/text2img", "v6/images/img2img"
_PREMIUM, _PREMIUM_EDIT = "v7/images/text-to-image", "v7/images/image-to-image"
_FILM, _ANIMATE = "v6/video/text2video_ultra", "v6/video/img2video_ultra"
_PREMIUM_FILM, _PREMIUM_ANIMATE = "v7/video-fusion/text-to-video", "v7/video-fusion/image-to-video"

_STABLE: Final = frozenset[Takes]({"avoid", "seed", "strength", "aspect"})
_FLUX: Final = frozenset[Takes]({"seed", "strength", "aspect"})
_ASPECT: Final = frozenset[Takes]({"aspect"})

# 81 frames at most, 16 a second.
FILM_S: Final = Lengths(least_s=1, most_s=5, usual_s=5)
KLING_S: Final = Lengths(least_s=5, most_s=10, usual_s=5, step_s=5)
MUSIC_S: Final = Lengths(least_s=30, most_s=SECONDS_MAX, usual_s=30)  # up to 480 s are made there
EFFECT_S: Final = Lengths(least_s=3, most_s=15, usual_s=10)

OFFERS: Final[Mapping[str, Offer]] = {
    each.model.name: each
    for each in (
        # "2-3 s": stablediffusionapi.apifox.cn/doc-3166584, 2023. It varies to the size of `aspect`, not of the source.
        _offer(
            "fast",
            "Fast",
            "image",
            {
                **_drawn("v6/realtime/text2img", bodies.realtime),
                "vary": Way(path="v6/realtime/img2img", write=bodies.realtime_vary),
            },
            takes=_STABLE,
            aspects=ASPECTS,
            usual_s=3,
        ),
        _offer(
            "flux",
            "Flux",
            "image",
            {
                **_drawn(_TEXT_TO_IMAGE, bodies.text_to_image("flux", steps=FLUX_STEPS, stable=False)),
                **_redrawn(_IMAGE_TO_IMAGE, bodies.image_to_image("flux", steps=FLUX_STEPS, stable=False)),
            },
            takes=_FLUX,
            aspects=ASPECTS,
            usual_s=10,
        ),
        _offer(
            "sdxl",
            "Stable Diffusion XL",
            "image",
            {
                **_drawn(_TEXT_TO_IMAGE, bodies.text_to_image("sdxl", steps=STEPS, stable=True)),
                **_redrawn(_IMAGE_TO_IMAGE, bodies.image_to_image("sdxl", steps=STEPS, stable=True)),
            },
            takes=_STABLE,
            aspects=ASPECTS,
            usual_s=8,
        ),
        _offer(
            "realistic",
            "Realistic Vision 5.1",
            "image",
            {
                **_drawn(_TEXT_TO_IMAGE, bodies.text_to_image("realistic-vision-51", steps=STEPS, stable=True)),
                **_redrawn(_IMAGE_TO_IMAGE, bodies.image_to_image("realistic-vision-51", steps=STEPS, stable=True)),
            },
            takes=_STABLE,
            aspects=ASPECTS,
            usual_s=8,
        ),
        _offer(
            "qwen-edit",
            "Qwen Image Edit",
            "image",
            {"edit": Way(path="v6/image_editing/qwen_edit", write=bodies.qwen_edit)},
            usual_s=15,
        ),
        _offer(
            "kontext",
            "Flux Kontext",
            "image",
            {"edit": Way(path=_IMAGE_TO_IMAGE, write=bodies.kontext)},
            takes=frozenset({"strength"}),
            usual_s=15,
        ),
        _offer(
            "imagen-4",
            "Imagen 4",
            "image",
            _drawn(_PREMIUM, bodies.by_ratio("imagen-4")),
            takes=_ASPECT,
            aspects=RATIOS,
            usual_s=15,
        ),
        _offer(
            "imagen-4-fast",
            "Imagen 4 Fast",
            "image",
            _drawn(_PREMIUM, bodies.by_ratio("imagen-4.0-fast-generate")),
            takes=_ASPECT,
            aspects=RATIOS,
            usual_s=8,
        ),
        _offer(
            "imagen-4-ultra",
            "Imagen 4 Ultra",
            "image",
            _drawn(_PREMIUM, bodies.by_ratio("imagen-4.0-ultra")),
            takes=_ASPECT,
            aspects=RATIOS,
            usual_s=20,
        ),
        _offer(
            "nano-banana-pro",
            "Nano Banana Pro",
            "image",
            {
                **_drawn(_PREMIUM, bodies.by_ratio("nano-banana-pro")),
                "edit": Way(path=_PREMIUM_EDIT, write=bodies.premium_edit("nano-banana-pro")),
            },
            takes=_ASPECT,
            aspects=RATIOS,
            usual_s=20,
        ),
        _offer(
            "seedream",
            "Seedream 4.5",
            "image",
            {
                **_drawn(_PREMIUM, bodies.by_ratio("seedream-4.5")),
                "edit": Way(path=_PREMIUM_EDIT, write=bodies.premium_edit("seedream-4.5-i2i", ratio=True)),
            },
            takes=_ASPECT,
            aspects=RATIOS,
            usual_s=20,
        ),
        _offer(
            "flux-2-pro",
            "Flux 2 Pro",
            "image",
            {
                **_drawn(_PREMIUM, bodies.by_size("flux-2-pro")),
                "edit": Way(path=_PREMIUM_EDIT, write=bodies.premium_edit("flux-2-pro")),
            },
            takes=_ASPECT,
            aspects=tuple(each for each in ASPECTS if min(SIZES[each]) >= 512),
            usual_s=20,
        ),
        _offer(
            "realesrgan",
            "Real-ESRGAN",
            "image",
            {"upscale": Way(path="v6/image_editing/super_resolution", write=bodies.upscale)},
            usual_s=10,
        ),
        _offer(
            "removebg",
            "Background removal",
            "image",
            {"cutout": Way(path="v6/image_editing/removebg_mask", write=bodies.remove_background)},
            usual_s=5,
        ),
        # "30 s to several minutes" for all films: GitHub ModelsLab/skills @ 6fbe407.
        _offer(
            "wan",
            "Wan 2.2",
            "video",
            {
                "imagine": Way(path=_FILM, write=bodies.film("wan2.2")),
                "animate": Way(path=_ANIMATE, write=bodies.film("wan2.2", animated=True)),
            },
            takes=frozenset({"avoid", "seed", "aspect", "seconds"}),
            aspects=("16:9", "9:16"),
            lengths=FILM_S,
            usual_s=90,
        ),
        _offer(
            "ltx",
            "LTX 2.3",
            "video",
            {"imagine": Way(path=_FILM, write=bodies.film("ltx-2.3"))},
            takes=frozenset({"avoid", "seed", "aspect", "seconds"}),
            aspects=("16:9", "9:16"),
            lengths=FILM_S,
            usual_s=60,
        ),
        _offer(
            "kling",
            "Kling 2.5 Turbo",
            "video",
            {"imagine": Way(path=_PREMIUM_FILM, write=bodies.kling)},
            takes=frozenset({"aspect", "seconds"}),
            aspects=("16:9", "9:16", "1:1"),
            lengths=KLING_S,
            usual_s=120,
        ),
        _offer(
            "seedance",
            "Seedance",
            "video",
            {
                "imagine": Way(path=_PREMIUM_FILM, write=bodies.seedance),
                "animate": Way(path=_PREMIUM_ANIMATE, write=bodies.seedance_animate),
            },
            takes=_ASPECT,
            aspects=("16:9", "9:16", "1:1"),
            usual_s=90,
        ),
        _offer(
            "music",
            "Music",
            "music",
            {"imagine": Way(path="v6/voice/music_gen", write=bodies.music)},
            takes=frozenset({"seconds"}),
            lengths=MUSIC_S,
            usual_s=40,
        ),
        _offer(
            "sound-effect",
            "Sound effects",
            "music",
            {"imagine": Way(path="v6/voice/sfx", write=bodies.effect)},
            takes=frozenset({"seconds"}),
            lengths=EFFECT_S,
            usual_s=15,
        ),
        _offer(
            "speech",
            "Speech",
            "voice",
            {"imagine": Way(path="v6/voice/text_to_speech", write=bodies.speech)},
            takes=frozenset({"language", "voice"}),
            voices={bodies.VOICE: tuple(LANGUAGES), **dict.fromkeys(bodies.FEELING_VOICES, ENGLISH)},
            usual_s=8,
        ),
    )
}
