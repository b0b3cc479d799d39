"""QR and bar codes: text that people's phones read and that a model mostly cannot."""

import zxingcpp
from PIL import Image

from pipelines import limits

_ALL = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.All)
_QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
# What is read along lines, and so not when it stands upright. The others are found however they are turned.
_ALONG_LINES = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.AllLinear, zxingcpp.BarcodeFormat.PDF417])


class Codes:
    """The codes of one file, each once, in the order they were found."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}

    def look_at(self, sharp: Image.Image, prepared: Image.Image) -> None:
        """Read every code: all kinds in the prepared picture, QR codes, which phones open, also in `sharp` where larger."""
        grey = prepared.convert("L")
        self._read(grey, _ALL)
        # Two thirds of the time that the library's own turning takes, and as many are found.
        self._read(grey.transpose(Image.Transpose.ROTATE_90), _ALONG_LINES)
        if max(sharp.size) > max(prepared.size):
            self._read(sharp.convert("L"), _QR)  # all kinds would take six times as long

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(self._found)[: limits.CODES_JUDGED]

    @property
    def left_over(self) -> bool:
        return len(self._found) > limits.CODES_JUDGED

    def _read(self, grey: Image.Image, kinds: zxingcpp.BarcodeFormats) -> None:
        for code in zxingcpp.read_barcodes(grey, formats=kinds, try_rotate=False):
            if text := code.text.encode("utf-8", "replace").decode().strip():
                self._found[text] = None
