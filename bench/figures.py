"""What was measured: printed as a table and written to `bench/results/`."""

import json
import os
import platform
import statistics
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

RESULTS: Final = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured row. Its median must not pass `bar`, or must reach `at_least`, where the design sets one."""

    name: str
    unit: str
    values: tuple[float, ...]
    bar: float | None = None
    at_least: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def missed(self) -> bool:
        above = self.bar is not None and self.median > self.bar
        below = self.at_least is not None and self.median < self.at_least
        return above or below

    @property
    def bar_in_words(self) -> str:
        if self.at_least is not None:
            return f">= {self.at_least:g} {self.unit}"
        return f"<= {self.bar:g} {self.unit}" if self.bar is not None else ""


def show(figures: list[Figure]) -> None:
    """Print the figures; a missed bar is red."""
    table = Table("figure", "median", "min", "max", "bar")
    for each in figures:
        style = "red" if each.missed else None
        spread = f"{min(each.values):.2f}", f"{max(each.values):.2f}"
        table.add_row(each.name, f"{each.median:.2f} {each.unit}", *spread, each.bar_in_words, style=style)
    Console().print(table)


def write(name: str, figures: list[Figure], *, folder: Path = RESULTS) -> None:
    """Write the figures of one row as JSON, with the machine they are of."""
    folder.mkdir(exist_ok=True)
    document = {
        "command": f"python -m bench {name}",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()},
        "figures": [{**asdict(each), "median": each.median} for each in figures],
    }
    (folder / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")
