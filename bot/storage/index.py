"""The index of results: which of them hold certain words, without a word in the clear.

Each word becomes a keyed digest, another one in each workspace; what is stored of a result are its digests, each once, in no
order. The database's own full-text search ranks them: FTS5 on SQLite (https://sqlite.org/fts5.html), `tsvector` on Postgres.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

import sqlalchemy as sa

from bot.storage.seal import Seal
from bot.storage.tables import UtcDateTime, now
from handlers.events import Tenant

TABLE: Final = "result_words"
WORDS_MAX: Final = 4_000  # of one result
ASKED_MAX: Final = 20  # of one search
DIGEST_CHARS: Final = 12

# Chinese, Japanese and Korean are written without blanks: there every character counts as a word.
_UNSPACED: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD: Final = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")

_DELETE: Final = sa.text(f"DELETE FROM {TABLE} WHERE rowid = :rowid")
_INSERT: Final = {
    "sqlite": sa.text(
        f"INSERT INTO {TABLE} (rowid, words, platform, workspace, result)"
        " VALUES (:rowid, :words, :platform, :workspace, :result)"
    ),
    "postgresql": sa.text(
        f"INSERT INTO {TABLE} (rowid, words, platform, workspace, result)"
        " VALUES (:rowid, to_tsvector('simple', :words), :platform, :workspace, :result)"
    ),
}
# What has expired and is not deleted yet is left out. Of those that fit alike the newest is first.
_FIND: Final = f"""
    SELECT {TABLE}.result FROM {TABLE}
    JOIN result
      ON result.platform = {TABLE}.platform AND result.workspace = {TABLE}.workspace AND result.id = {TABLE}.result
    WHERE {TABLE}.platform = :platform AND {TABLE}.workspace = :workspace AND result.expires_at > :moment
      AND %s
    ORDER BY %s, result.at DESC, {TABLE}.result LIMIT :limit OFFSET :after
"""
_FITTING: Final = {
    "sqlite": (f"{TABLE} MATCH :asked", f"bm25({TABLE})"),
    "postgresql": (
        f"{TABLE}.words @@ to_tsquery('simple', :asked)",
        f"ts_rank({TABLE}.words, to_tsquery('simple', :asked), 1) DESC",  # 1: longer texts count for less
    ),
}


class Index:
    """The words of all workspaces' results. Every method is part of a transaction of `bot.storage.results`."""

    def __init__(self, seal: Seal) -> None:
        self._key = seal.derived("words of results")

    def put(self, connection: sa.Connection, tenant: Tenant, result: str, texts: Iterable[str]) -> None:
        """Index a result by the words of some texts, in place of what it was indexed by."""
        remove(connection, [(tenant, result)])
        if words := list(dict.fromkeys(self._digests(tenant, texts)))[:WORDS_MAX]:
            row = {"rowid": _row_of(tenant, result), "words": " ".join(sorted(words)), "result": result}
            connection.execute(_INSERT[connection.dialect.name], {**row, **tenant.model_dump()})

    def find(self, connection: sa.Connection, tenant: Tenant, words: str, *, limit: int, after: int) -> list[str]:
        """Return the ids of those that hold all of `words`, most fitting first, without the first `after`."""
        asked = list(dict.fromkeys(self._digests(tenant, [words])))[:ASKED_MAX]
        if not asked:
            return []
        dialect = connection.dialect.name
        found = sa.text(_FIND % _FITTING[dialect]).bindparams(sa.bindparam("moment", type_=UtcDateTime))
        query = (" & " if dialect == "postgresql" else " ").join(asked)
        values = {**tenant.model_dump(), "asked": query, "moment": now(), "limit": limit, "after": after}
        return list(connection.scalars(found, values))

    def _digests(self, tenant: Tenant, texts: Iterable[str]) -> list[str]:
        """Return the digest of each word. They begin with a letter, so that no parser takes them for numbers."""
        whose = f"{tenant.platform}\n{tenant.workspace}\n"
        return [
            f"w{hmac.digest(self._key, (whose + word).encode(), 'sha256').hex()[:DIGEST_CHARS]}"
            for text in texts
            for word in words_of(text)
        ]


def remove(connection: sa.Connection, results: Sequence[tuple[Tenant, str]]) -> None:
    """Take some results out of the index."""
    if results:
        connection.execute(_DELETE, [{"rowid": _row_of(tenant, result)} for tenant, result in results])


def words_of(text: str) -> list[str]:
    """Return the words of a text as they are compared: without case, accents and plain plurals."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return [_singular(word) for word in _WORD.findall(unicodedata.normalize("NFC", bare))]


def _singular(word: str) -> str:
    """Return an English word without its plural ending; others may lose their last letter, which does no harm on both sides."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "xes", "zes", "ches", "shes")) else word[:-1]


def _row_of(tenant: Tenant, result: str) -> int:
    """Return the number of a result's row: 63 bits of a hash, so that it is found without being looked for."""
    whose = "\n".join((tenant.platform, tenant.workspace, result))
    return int.from_bytes(hashlib.sha256(whose.encode()).digest()[:8]) >> 1
