"""The looks that a wish can name. They are ours: a few words that are worked into the prompt."""

from dataclasses import dataclass
from typing import Final

from pipelines.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One look. `name` is what members write, `title` what they read, `prompt` what is said of it to a maker."""

    name: str
    title: str
    prompt: str


# Described by material, light and line, never by an artist's or a studio's name.
STYLES: Final = (
    Style(
        name="photo",
        title="Photograph",
        prompt="natural colour photograph, 50 mm lens, soft daylight, fine detail, realistic textures, shallow depth of field",
    ),
    Style(
        name="film",
        title="Analogue film",
        prompt="35 mm colour film photograph, visible grain, slightly faded colours, warm highlights, gentle light leak",
    ),
    Style(
        name="noir",
        title="Black and white",
        prompt="black and white photograph, hard side light, deep shadows, strong contrast, wet streets and haze",
    ),
    Style(
        name="cinematic",
        title="Cinema still",
        prompt="still from a feature film, anamorphic widescreen framing, teal and amber grading, volumetric light",
    ),
    Style(
        name="watercolour",
        title="Watercolour",
        prompt="watercolour painting on rough paper, wet edges, transparent washes, white paper left open for light",
    ),
    Style(
        name="oil",
        title="Oil painting",
        prompt="oil painting on canvas, visible thick brush strokes, rich pigments, warm glazes, classical composition",
    ),
    Style(
        name="ink",
        title="Ink drawing",
        prompt="ink drawing, confident black lines of varying width, cross-hatching, plenty of empty paper",
    ),
    Style(
        name="pencil",
        title="Pencil sketch",
        prompt="graphite pencil sketch on off-white paper, construction lines left visible, soft shading, loose hand",
    ),
    Style(
        name="comic",
        title="Comic",
        prompt="comic book illustration, bold outlines, flat colours with halftone shading, dynamic angle",
    ),
    Style(
        name="anime",
        title="Anime",
        prompt="hand-drawn animation frame, clean thin outlines, cel shading, painted background, bright sky",
    ),
    Style(
        name="storybook",
        title="Storybook",
        prompt="children's storybook illustration, gouache and coloured pencil, rounded shapes, cosy light, gentle humour",
    ),
    Style(
        name="pixel",
        title="Pixel art",
        prompt="pixel art in 16-bit console manner, limited palette, crisp square pixels, no smoothing, readable silhouettes",
    ),
    Style(
        name="lowpoly",
        title="Low poly",
        prompt="low-polygon 3D render, flat shaded facets, simple geometry, soft ambient light, pastel palette",
    ),
    Style(
        name="clay",
        title="Clay animation",
        prompt="stop-motion clay model, fingerprints in the material, miniature set, soft studio light, tilt-shift focus",
    ),
    Style(
        name="poster",
        title="Travel poster",
        prompt="vintage travel poster, screen print, few flat colours, bold simplified shapes, strong horizon, no lettering",
    ),
    Style(
        name="isometric",
        title="Isometric",
        prompt="isometric illustration, equal angles, small tidy scene cut out of its surroundings, clean edges, soft shadows",
    ),
)
_BY_NAME: Final = {style.name: style for style in STYLES}


def style_named(name: str) -> Style:
    """Return a style by its name, in any case.

    Raises: `UserError` that names all of them.
    """
    if style := _BY_NAME.get(name.strip().casefold()):
        return style
    raise UserError(f"There is no style of that name. Write one of {', '.join(_BY_NAME)}.")
