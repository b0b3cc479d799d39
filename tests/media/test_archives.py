import gzip
import random
import tarfile
import time
import zipfile

import pytest

from pipelines import limits
from pipelines.media.archives import read
from pipelines.media.read import Asked, NotRead, Read
from tests.media import samples

FILES = {"a.txt": b"words", "folder/b.txt": b"more words"}


def members(archive: Read) -> dict[str, bytes]:
    return {member.name: member.data for member in archive.members}


def gaps(archive: Read) -> list[str]:
    return [f"{gap.kind}: {gap.why}" for gap in archive.gaps]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(samples.zipped(FILES), id="zip"),
        pytest.param(samples.zipped(FILES, zipfile.ZIP_STORED), id="stored"),
        pytest.param(samples.zipped(FILES, zipfile.ZIP_BZIP2), id="bzip2-within-zip"),
        pytest.param(samples.zipped({"folder/": b""} | FILES), id="with-a-folder"),
        pytest.param(samples.tarred(FILES), id="tar"),
        pytest.param(gzip.compress(samples.tarred(FILES)), id="tar-gz"),
    ],
)
def test_every_file_comes_out_as_it_went_in(data) -> None:
    archive = read(data, Asked())

    assert members(archive) == FILES
    assert (archive.gaps, archive.facts) == ((), ())
    assert archive.coverage == "2 of 2 files"


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        pytest.param("log.txt.gz", "log.txt", id="gz"),
        pytest.param("drawing.SVGZ", "drawing.svg", id="svgz"),
        pytest.param("", "", id="nameless"),
    ],
)
def test_a_packed_file_has_the_name_of_its_archive(name, inner) -> None:
    assert members(read(gzip.compress(b"words"), Asked(name=name))) == {inner: b"words"}


def test_streams_that_follow_each_other_are_one_file_and_what_follows_them_is_told() -> None:
    streams = gzip.compress(b"wo") + gzip.compress(b"rds")

    assert members(read(streams + bytes(512), Asked())) == {"": b"words"}
    archive = read(streams + b"x" * 2_000, Asked())
    assert [member.data for member in archive.members] == [b"words", b"x" * 2_000]
    assert [fact.kind for fact in archive.facts] == ["trailing_bytes"]


@pytest.mark.parametrize(
    ("data", "status", "why"),
    [
        pytest.param(samples.zip_bomb(), "refused-limits", "far more than it weighs", id="zip-bomb"),
        pytest.param(samples.overlapping_zip_bomb(), "refused-limits", "far more than it weighs", id="overlapping-files"),
        pytest.param(samples.crowded_zip(), "refused-limits", "more than 2,000 files", id="too-many-files"),
        pytest.param(samples.gzip_bomb(), "refused-limits", "far more than it weighs", id="gz-bomb"),
        pytest.param(
            gzip.compress(samples.tarred({"zeros": bytes(20_000_000)})), "refused-limits", "far more than", id="tar-gz-bomb"
        ),
        pytest.param(samples.zipped(FILES)[:60], "unreadable", "damaged", id="cut-off"),
        pytest.param(samples.locked_zip(), "unreadable", "password", id="password"),
    ],
)
def test_what_must_not_be_unpacked_is_declined_at_once(data, status, why) -> None:
    started_s = time.process_time()

    with pytest.raises(NotRead, match=why) as declined:
        read(data, Asked())

    assert declined.value.status == status
    assert time.process_time() - started_s < 0.2  # 50 ms is what `make bench media` holds it to, without other load


@pytest.mark.parametrize(
    ("data", "gap"),
    [
        pytest.param(samples.lying_zip_bomb(), "Files in the archive are damaged and cannot be read.", id="bomb-that-lies"),
        pytest.param(
            samples.zipped({"a": b"x"}, zipfile.ZIP_LZMA),
            "Files in the archive are packed in a way that is not read.",
            id="lzma",
        ),
        pytest.param(
            samples.sparse_tar(), "Files in the archive are stored with holes, which is not read.", id="terabyte-of-holes"
        ),
        pytest.param(
            samples.tarred({}, samples.tar_entry("x", b"Z")),
            "The archive holds entries of a kind that is not read.",
            id="unknown-entry",
        ),
    ],
)
def test_what_cannot_be_read_of_an_archive_is_a_gap(data, gap) -> None:
    archive = read(data, Asked())

    assert archive.members == ()
    assert gaps(archive) == [f"unreadable: {gap}"]


def test_one_file_with_a_password_does_not_hide_the_others() -> None:
    data = bytearray(samples.zipped({"a.txt": b"words", "b.txt": b"secret"}))
    data[data.rindex(b"PK\3\4") + 6] |= 1
    data[data.rindex(b"PK\1\2") + 8] |= 1

    archive = read(bytes(data), Asked())

    assert members(archive) == {"a.txt": b"words"}
    assert gaps(archive) == ["unreadable: Files in the archive are protected by a password and cannot be read."]


def test_a_damaged_file_does_not_hide_the_others() -> None:
    data = samples.zipped({"a.txt": b"words", "b.txt": b"other words"}, zipfile.ZIP_STORED).replace(
        b"other words", b"OTHER words"
    )

    archive = read(data, Asked())

    assert members(archive) == {"a.txt": b"words"}
    assert gaps(archive) == ["unreadable: Files in the archive are damaged and cannot be read."]


def test_a_cut_off_stream_is_read_as_far_as_it_goes() -> None:
    noise = random.Random(1).randbytes(300_000)

    archive = read(gzip.compress(noise)[:200_000], Asked())

    assert noise.startswith(archive.members[0].data)
    assert len(archive.members[0].data) > 100_000
    assert [gap.kind for gap in archive.gaps] == ["partial"]


def test_files_beyond_those_that_are_judged_leave_a_gap() -> None:
    files = {f"{at}.txt": b"words" for at in range(limits.FILES_JUDGED + 5)}

    for data in (samples.zipped(files), samples.tarred(files)):
        archive = read(data, Asked())
        assert len(archive.members) == limits.FILES_JUDGED
        assert [gap.kind for gap in archive.gaps] == ["partial"]


def test_no_more_is_unpacked_than_a_message_may_hold() -> None:
    noise = random.Random(1).randbytes(1_000_000) * 35  # repeats too far apart for the packer

    archive = read(samples.zipped({"a": noise, "b": noise}, zipfile.ZIP_STORED), Asked())

    assert [member.name for member in archive.members] == ["a"]
    assert [gap.kind for gap in archive.gaps] == ["partial"]


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        pytest.param(samples.zipped({"../../etc/cron.d/x": b"x"}), ("escaping_path", 2), id="path-upwards"),
        pytest.param(samples.zipped({"..\\..\\x": b"x"}), ("escaping_path", 2), id="path-upwards-on-windows"),
        pytest.param(samples.tarred({"/etc/passwd": b"x"}), ("escaping_path", 2), id="absolute-path"),
        pytest.param(samples.zipped({"C:/x": b"x"}), ("escaping_path", 2), id="absolute-path-on-windows"),
        pytest.param(samples.zip_link("x", "/etc/passwd"), ("escaping_path", 2), id="link-out"),
        pytest.param(
            samples.tarred({}, samples.tar_entry("a/x", tarfile.SYMTYPE, "../../x")), ("escaping_path", 2), id="link-upwards"
        ),
        pytest.param(samples.tarred({}, samples.tar_entry("x", tarfile.CHRTYPE)), ("device", 2), id="device"),
        pytest.param(samples.zipped({"a": b"x"}) + samples.zipped({"b": b"y"}), ("polyglot", 3), id="two-archives-in-one"),
    ],
)
def test_what_would_harm_an_unpacker_is_told(data, fact) -> None:
    assert [(each.kind, each.severity) for each in read(data, Asked()).facts] == [fact]


def test_links_within_the_archive_are_nobodys_fault() -> None:
    link = samples.tar_entry("a/b/link", tarfile.SYMTYPE, "../c")

    archive = read(samples.tarred(FILES, link), Asked())

    assert (members(archive), archive.facts, archive.gaps) == (FILES, (), ())


def test_both_of_two_archives_in_one_file_are_read() -> None:
    first, second = samples.zipped({"a": b"x"}), samples.zipped({"b": b"y"})

    assert members(read(first + second, Asked())) == {"b": b"y", "": first}
