"""Pictures to parts. Decodes untrusted bytes, so only a worker may import it."""

from collections.abc import Iterator

from PIL import Image

from pipelines import limits
from pipelines.content import Gap, ImagePart, Intake, TextPart
from pipelines.media import animations
from pipelines.media.codes import Codes
from pipelines.media.metadata import Texts
from pipelines.media.opening import has_several, open_picture
from pipelines.media.views import as_jpeg, as_webp_preview, views


def prepare(data: bytes) -> Intake:
    """Make a picture, or several of an animation or multi-picture file, ready to ask about.

    Places and part ids are relative to the file: empty for a still picture, then `/on-black`, `/frame:17`, `/code:0` …

    Raises: `NotRead`; whatever Pillow raises on damaged files.
    """
    opened = open_picture(data)
    texts, codes = Texts(), Codes()
    if has_several(opened):
        pictures, gaps = _several(data, "picture" if opened.format == "MPO" else "frame", texts, codes)
    else:
        pictures, gaps = list(_shown(opened, "", "", codes)), []
    texts.add_all(opened)
    if codes.left_over:
        gaps.append(_partial(f"There are more codes than are read, which is {limits.CODES_JUDGED}."))
    said = [TextPart(id=f"/code:{at}", text=text, role="code") for at, text in enumerate(codes.texts)]
    if texts.joined:
        said.append(TextPart(id="/metadata", text=texts.joined, role="metadata"))
    return Intake(parts=(*pictures, *said), gaps=tuple(gaps))


def preview(data: bytes, *, side_px: int) -> bytes:
    """Return the (first) picture as a WebP of at most `side_px`, without metadata.

    Raises: `NotRead`; whatever Pillow raises on damaged files.
    """
    return as_webp_preview(open_picture(data), side_px=side_px)


def _several(data: bytes, word: str, texts: Texts, codes: Codes) -> tuple[list[ImagePart], list[Gap]]:
    """Show the frames that look unlike the others. `word` is what a frame of this file is called."""
    survey = animations.survey(data, texts)
    # A transparent frame is mostly shown twice.
    most = limits.FRAMES_JUDGED // 2 if survey.transparent else limits.FRAMES_JUDGED
    chosen, left_over = animations.choose(survey.thumbs, most=most)
    total = "" if survey.cut else f" of {len(survey.thumbs)}"
    pictures: list[ImagePart] = []
    for at, opened in zip(chosen, animations.frames(data, chosen), strict=True):
        pictures += _shown(opened, f"/frame:{at + 1}", f"{word} {at + 1}{total}", codes)
    gaps = [_partial(survey.cut)] if survey.cut else []
    if left_over or len(pictures) > limits.FRAMES_JUDGED:
        gaps.append(_partial("There are more different frames than are looked at."))
    return pictures[: limits.FRAMES_JUDGED], gaps


def _shown(opened: Image.Image, place: str, note: str, codes: Codes) -> Iterator[ImagePart]:
    for view in views(opened):
        codes.look_at(view.sharp, view.prepared)
        yield ImagePart(
            id=place + view.suffix,
            data=as_jpeg(view.prepared),
            media_type="image/jpeg",
            width_px=view.prepared.width,
            height_px=view.prepared.height,
            note=", ".join(filter(None, (note, view.note))),
        )


def _partial(why: str) -> Gap:
    return Gap(place="", kind="partial", why=why)
