"""How faithful a picture is that was made smaller."""

import io
import math

from PIL import Image, ImageChops, ImageOps, ImageStat


def psnr(sent: bytes, original: bytes) -> float:
    """Compare a sent picture with a full reduction (Lanczos) of its upright original, in dB."""
    with Image.open(io.BytesIO(sent)) as small, Image.open(io.BytesIO(original)) as large:
        upright = ImageOps.exif_transpose(large).convert("RGB")
        wanted = upright.resize(small.size, Image.Resampling.LANCZOS)
        squares = ImageStat.Stat(ImageChops.difference(small.convert("RGB"), wanted)).sum2
        error = sum(squares) / (3 * small.width * small.height)
    return 10 * math.log10(255**2 / error) if error else math.inf
