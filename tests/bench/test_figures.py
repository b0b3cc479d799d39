"""Figures against their bars, quantiles of histograms, how faithful a picture is."""

import io
import json
import math
from pathlib import Path

import pytest
from PIL import Image
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from bench.figures import Figure, write
from bench.histogram import quantile
from bench.psnr import psnr
from bench.scenes import scene
from pipelines.media.pictures.images import read
from pipelines.media.read import Asked


@pytest.mark.parametrize(
    ("bar", "at_least", "missed"),
    [
        pytest.param(None, None, False, id="no-bar"),
        pytest.param(5, None, False, id="reached"),
        pytest.param(4.9, None, True, id="passed"),
        pytest.param(None, 5, False, id="enough"),
        pytest.param(None, 5.1, True, id="too-little"),
    ],
)
def test_the_median_is_held_against_the_bar(bar: float | None, at_least: float | None, missed: bool) -> None:
    figure = Figure(name="any", unit="x", values=(1, 5, 9), bar=bar, at_least=at_least)

    assert figure.missed is missed


def test_a_row_is_written_with_its_medians_and_bars(tmp_path: Path) -> None:
    write("row", [Figure(name="any", unit="x", values=(1, 5, 9), at_least=60)], folder=tmp_path / "results")

    written = json.loads((tmp_path / "results" / "row.json").read_text())

    assert written["command"] == "python -m bench row"
    assert written["figures"] == [{"name": "any", "unit": "x", "values": [1, 5, 9], "bar": None, "at_least": 60, "median": 5}]


def test_quantiles_are_taken_over_all_labels_and_linear_within_a_bucket() -> None:
    registry = CollectorRegistry()
    histogram = Histogram("accept_seconds", "any", ["kind"], buckets=(0.01, 0.02, 0.04), registry=registry)
    for kind, seconds in (("a", 0.005), ("b", 0.015), ("b", 0.015), ("a", 0.03), ("a", 3)):
        histogram.labels(kind).observe(seconds)
    text = generate_latest(registry).decode()

    assert quantile(text, "accept_seconds", 0.5) == pytest.approx(0.0175)
    assert quantile(text, "accept_seconds", 1) == 0.04
    assert quantile(text, "other_seconds", 0.5) is None


def test_a_picture_as_it_is_sent_is_faithful_and_another_is_not() -> None:
    original, other = io.BytesIO(), io.BytesIO()
    scene(1, 2048, 1536).save(original, "JPEG", quality=95, exif=_turned_by_a_quarter())
    scene(2, 768, 1024).save(other, "JPEG")
    sent = next(part.data for part in read(original.getvalue(), Asked()).parts if hasattr(part, "data"))

    assert 35 < psnr(sent, original.getvalue()) < math.inf
    assert psnr(other.getvalue(), original.getvalue()) < 25


def _turned_by_a_quarter() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif
