"""How much of a picture is covered with text: an estimate, from nothing but strokes on a flat ground."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# From here on a picture counts as text. Measured at 1024 px: nine photos 0.00 to 0.04, the last one sharpened until it hurts,
# six drawn landscapes 0.00, a caption over a photo 0.03; a receipt lying on a photo 0.11, rendered pages of 23 PDF files, two
# scans and two receipts among them, 0.08 to 0.50, drawn 4K screenshots with lines of 14 to 48 px 0.07 to 0.48. Pictures of less
# than 200 px have too few blocks: portraits of 56 to 128 px came to 0.08 to 0.19.
TEXT_LIKE: Final = 0.05

_BLOCK_PX: Final = 16
_STROKE_LEVELS: Final = 48  # of 255, from one pixel to the next
_GROUND_LEVELS: Final = 24  # of 255, from the lightest or the darkest of the block
_GROUND_SHARE: Final = 0.5  # of a block's pixels
_LINES_SHARE: Final = 0.3  # of a block's lines that a stroke begins and ends in


def text_share(picture: Image.Image) -> float:
    """Return the share, 0 to 1, of blocks in which strokes stand on a ground that is nearly one colour. 1 ms at 1024 px."""
    lines = _blocks(np.asarray(picture.convert("L")))
    if not lines.size:
        return 0.0
    ahead, behind = lines[1:], lines[:-1]
    lower = np.minimum(ahead, behind)
    rising, falling = ((each - lower).max(axis=0) > _STROKE_LEVELS for each in (ahead, behind))
    strokes = (rising & falling).mean(axis=1) >= _LINES_SHARE
    pixels = lines[:, strokes].swapaxes(0, 1).reshape(-1, lines.shape[2] * _BLOCK_PX).astype(np.int16)
    light = pixels >= pixels.max(axis=1, keepdims=True, initial=0) - _GROUND_LEVELS
    dark = pixels <= pixels.min(axis=1, keepdims=True, initial=255) + _GROUND_LEVELS
    flat = np.maximum(light.mean(axis=1), dark.mean(axis=1)) >= _GROUND_SHARE
    return float(flat.sum() / lines.shape[1])


def _blocks(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return every second line of each block: pixels x blocks x lines, so that a step to the next pixel is one whole array."""
    rows, columns = (length // _BLOCK_PX for length in grey.shape)
    whole = grey[: rows * _BLOCK_PX : 2, : columns * _BLOCK_PX]
    return whole.reshape(rows, _BLOCK_PX // 2, columns, _BLOCK_PX).transpose(3, 0, 2, 1).reshape(_BLOCK_PX, -1, _BLOCK_PX // 2)
