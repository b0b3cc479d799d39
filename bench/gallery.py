"""What is posted in a run of uploads: each different from all others, and each a reason to act."""

import os
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

import zxingcpp
from PIL import Image

from bench.scenes import scene

# Removed by the shipped policy, whoever judges by the understudy's rules (docs/policy.md). In pictures it is a QR code.
REASON: Final = "FLASHBULB-TEST-GORE-S3-C95"
CODE_SHARE: Final = 1 / 6  # of the picture's shorter side
QUALITY: Final = 90

Kind = Literal["12 MP photo", "1 MP picture", "text"]
SIZES_PX: Final = {"12 MP photo": (4032, 3024), "1 MP picture": (1000, 1000)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One message to post: a text, or a file and no text. `acts`: whether it is a reason to act."""

    text: str = ""
    file: Path | None = None
    acts: bool = True

    def files(self) -> list[tuple[str, bytes]]:
        return [(self.file.name, self.file.read_bytes())] if self.file else []


def uploads(kind: Kind, seeds: Iterable[int], *, folder: Path | None = None) -> list[Upload]:
    """Return one upload for each seed. Pictures are drawn once a machine and kept in `folder`, the system's temporary one."""
    if kind == "text":
        return [Upload(text=f"Message {seed}: {REASON}") for seed in seeds]
    width, height = SIZES_PX[kind]
    folder = folder or Path(tempfile.gettempdir()) / f"flashbulb-bench-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = {seed: folder / f"{width}x{height}-{seed}.jpg" for seed in seeds}
    missing = [seed for seed, file in wanted.items() if not file.exists()]
    if missing:
        with ProcessPoolExecutor(max_workers=min(len(missing), os.cpu_count() or 1)) as workers:
            list(workers.map(partial(_draw, folder, width, height), missing))
    return [Upload(file=file) for file in wanted.values()]


def talk(count: int, *, acts_every: int) -> list[Upload]:
    """Return texts of which every `acts_every`-th is a reason to act, as the last one is, and the others are fine."""
    return [
        Upload(text=f"Message {number}: {REASON if acts else 'see you at the lake tomorrow'}", acts=acts)
        for number in range(count)
        for acts in [(count - 1 - number) % acts_every == 0]
    ]


def _draw(folder: Path, width_px: int, height_px: int, seed: int) -> None:
    picture = scene(seed, width_px, height_px)
    side = int(min(width_px, height_px) * CODE_SHARE)
    picture.paste(_code(REASON, side), (side // 2, side // 2))
    unfinished = folder / f"{os.getpid()}.part"
    picture.save(unfinished, "JPEG", quality=QUALITY)
    unfinished.rename(folder / f"{width_px}x{height_px}-{seed}.jpg")


def _code(text: str, side_px: int) -> Image.Image:
    code = zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode), scale=4)
    return Image.fromarray(code).resize((side_px, side_px), Image.Resampling.NEAREST).convert("RGB")
