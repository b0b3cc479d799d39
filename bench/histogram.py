"""Quantiles of a Prometheus histogram."""

from collections import defaultdict
from itertools import pairwise

from prometheus_client.parser import text_string_to_metric_families


def quantile(text: str, name: str, share: float) -> float | None:
    """Return a quantile of the histogram `name`, over all labels, as Prometheus does: linear within a bucket.

    None where the metrics have no such histogram or nothing was observed. What lies beyond the last bound counts as that bound.
    """
    counts: dict[float, float] = defaultdict(float)
    for family in text_string_to_metric_families(text):
        for sample in family.samples if family.name == name else ():
            if sample.name == f"{name}_bucket":
                counts[float(sample.labels["le"])] += sample.value
    bounds = sorted(counts)
    if not bounds or not counts[bounds[-1]]:
        return None
    wanted = share * counts[bounds[-1]]
    for low, high in pairwise((0.0, *bounds)):
        below = counts[low] if low else 0.0
        if counts[high] >= wanted:
            return low if high == float("inf") else low + (high - low) * (wanted - below) / (counts[high] - below)
    raise AssertionError("the last bucket holds everything")
