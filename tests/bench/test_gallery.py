"""What is posted in a run: different pixels, one reason to act, drawn once."""

from pathlib import Path

from PIL import Image, ImageChops

from bench import gallery
from bench.gallery import REASON, uploads
from pipelines.content import TextPart
from pipelines.media.pictures.images import read
from pipelines.media.read import Asked


def test_the_code_in_a_photo_of_12_megapixels_is_read(tmp_path: Path) -> None:
    [(_, data)] = uploads("12 MP photo", [7], folder=tmp_path)[0].files()

    intake = read(data, Asked())

    assert [part.text for part in intake.parts if isinstance(part, TextPart)] == [REASON]


def test_every_picture_differs_from_every_other_and_is_drawn_once(tmp_path: Path) -> None:
    first, second = uploads("1 MP picture", [1, 2], folder=tmp_path)
    assert first.file is not None
    assert second.file is not None
    drawn_at = first.file.stat().st_mtime_ns

    again = uploads("1 MP picture", [1], folder=tmp_path)

    with Image.open(first.file) as one, Image.open(second.file) as other:
        assert one.size == other.size == gallery.SIZES_PX["1 MP picture"]
        assert min(high for _, high in ImageChops.difference(one, other).getextrema()) > 64
    assert again == [first]
    assert first.file.stat().st_mtime_ns == drawn_at


def test_every_text_differs_and_gives_the_reason() -> None:
    texts = [upload.text for upload in uploads("text", range(50))]

    assert len(set(texts)) == 50
    assert all(REASON in text for text in texts)
