"""Jupyter notebooks to parts: what stands in the cells, what the programs printed, and the pictures that they drew."""

import json
from typing import Any, Final

from pipelines.media.documents.markup import from_base64
from pipelines.media.documents.passages import Passages, within_limit
from pipelines.media.read import Member, Read

_NOTEBOOK_BYTES: Final = 20 * 1024 * 1024


def cells_of(data: bytes) -> list[dict[str, Any]]:
    """Return the cells of a notebook; none where the file is something else."""
    if len(data) > _NOTEBOOK_BYTES or b'"nbformat"' not in data or b'"cells"' not in data:
        return []
    try:
        notebook = json.loads(data)
        return [cell for cell in notebook["cells"] if isinstance(cell, dict)]
    except (ValueError, RecursionError, KeyError, TypeError):
        return []


def read(cells: list[dict[str, Any]]) -> Read:
    passages = Passages()
    members: list[Member] = []
    for cell in cells:
        passages.add("/text", _joined(cell.get("source")))
        outputs = [output for output in _list(cell.get("outputs")) if isinstance(output, dict)]
        for output in outputs:
            for key in ("text", "ename", "evalue", "traceback"):
                passages.add("/output", _joined(output.get(key)), note="what a program printed")
        for bundle in (*(output.get("data") for output in outputs), *_values(cell.get("attachments"))):
            for media_type, value in _items(bundle):
                content = _joined(value)
                if media_type.startswith("image/") and media_type != "image/svg+xml":
                    members.append(Member(name="", data=from_base64(content.encode("utf-8", "replace"))))
                elif media_type in {"text/html", "image/svg+xml"}:
                    members.append(Member(name="", data=content.encode("utf-8", "replace")))
                else:
                    passages.add("/output", content, note="what a program printed")
    kept, gaps = within_limit(members)
    return Read(parts=tuple(passages.parts), gaps=(*passages.gaps, *gaps), members=kept, coverage=passages.coverage)


def _joined(value: object) -> str:
    """Return a multi-line string of a notebook, which may be a list of lines."""
    return "".join(line for line in value if isinstance(line, str)) if isinstance(value, list) else str(value or "")


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _values(value: object) -> list[object]:
    return list(value.values()) if isinstance(value, dict) else []


def _items(value: object) -> list[tuple[str, object]]:
    return [(str(key), item) for key, item in value.items()] if isinstance(value, dict) else []
