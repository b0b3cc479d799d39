"""The one table of kinds of files, and how a file's own bytes say which it is. Decodes nothing, so that the bot may ask too.

Names and announced types are claims of whoever sent the file: `claims` compares them with what is found here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from pipelines import limits
from pipelines.media import textual, zips

Family = Literal["picture", "drawing", "document", "sheet", "mail", "text", "video", "sound", "archive", "program"]

LONG: Final = frozenset[Family]({"video", "sound"})  # take longer to read than the others
HOLDERS: Final = frozenset[Family]({"archive", "mail", "document", "sheet"})  # may hold files that weigh more than they do
SHOWN: Final = frozenset[Family]({"picture", "drawing"})  # of no use unless a picture comes out


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of file. The first media type is its own, the others are what senders call it as well.

    `reader` is the module of this package that reads it; where there is none, `declined` is the sentence that says so.
    """

    name: str
    family: Family
    media_types: tuple[str, ...]
    extensions: tuple[str, ...]
    reader: str = ""
    declined: str = ""

    @property
    def limit_bytes(self) -> int:
        return limits.IMAGE_BYTES if self.family in SHOWN else limits.FILE_BYTES


UNKNOWN: Final = (
    "This kind of file is not read. "
    "Pictures, PDF and office files, HTML, mail, text, videos, sound and ZIP, TAR and GZ archives are."
)


def _kind(
    name: str, family: Family, media_types: str, extensions: str, reader: str = "", declined: str = ""
) -> tuple[str, Kind]:
    types, endings = tuple(media_types.split()), tuple(extensions.split())
    return name, Kind(name=name, family=family, media_types=types, extensions=endings, reader=reader, declined=declined)


_PICTURES: Final = "pictures.images"
_OFFICE, _SHEETS, _TEXTS = "documents.office", "documents.sheets", "documents.texts"
_FILMS: Final = "films.video"
_OOXML: Final = "application/vnd.openxmlformats-officedocument."
_ODF: Final = "application/vnd.oasis.opendocument."
_EXCEL: Final = "application/vnd.ms-excel"
_ISO_MEDIA: Final = "mp4 m4v mov qt 3gp 3g2 m4a m4b"
_REPACK: Final = "archives are not opened. Pack the files as ZIP."

KINDS: Final[dict[str, Kind]] = dict(
    (
        _kind("JPEG", "picture", "image/jpeg image/jpg image/pjpeg image/mpo", "jpg jpeg jpe jfif mpo", _PICTURES),
        _kind("PNG", "picture", "image/png image/apng image/x-png image/vnd.mozilla.apng", "png apng", _PICTURES),
        _kind("GIF", "picture", "image/gif", "gif", _PICTURES),
        _kind("WebP", "picture", "image/webp", "webp", _PICTURES),
        _kind("AVIF", "picture", "image/avif image/avif-sequence image/heif", "avif avifs heif", _PICTURES),
        _kind("HEIC", "picture", "image/heic image/heif image/heic-sequence", "heic heif hif heics", _PICTURES),
        _kind("BMP", "picture", "image/bmp image/x-ms-bmp image/x-bmp", "bmp dib", _PICTURES),
        _kind("TIFF", "picture", "image/tiff image/x-adobe-dng", "tif tiff dng", _PICTURES),
        _kind("SVG", "drawing", "image/svg+xml", "svg", "pictures.svg"),
        _kind("PDF", "document", "application/pdf application/x-pdf", "pdf", "documents.pdf"),
        _kind("DOCX", "document", f"{_OOXML}wordprocessingml.document application/msword", "docx docm dotx dotm", _OFFICE),
        _kind("PPTX", "document", f"{_OOXML}presentationml.presentation", "pptx pptm ppsx ppsm potx potm", _OFFICE),
        _kind("ODT", "document", f"{_ODF}text {_ODF}text-template", "odt ott", _OFFICE),
        _kind("ODP", "document", f"{_ODF}presentation {_ODF}presentation-template", "odp otp", _OFFICE),
        _kind("XLSX", "sheet", f"{_OOXML}spreadsheetml.sheet {_EXCEL}", "xlsx xlsm xltx xltm", _SHEETS),
        _kind("XLSB", "sheet", f"{_EXCEL}.sheet.binary.macroenabled.12 {_EXCEL}", "xlsb", _SHEETS),
        _kind("XLS", "sheet", f"{_EXCEL} application/x-ole-storage", "xls xlt", _SHEETS),
        _kind("ODS", "sheet", f"{_ODF}spreadsheet {_ODF}spreadsheet-template", "ods ots", _SHEETS),
        _kind("HTML", "document", "text/html application/xhtml+xml", "html htm xhtml shtml", "documents.markup"),
        _kind("EML", "mail", "message/rfc822", "eml", "documents.mail"),
        _kind("CSV", "text", "text/csv application/csv text/tab-separated-values", "csv tsv", _TEXTS),
        _kind("ICS", "text", "text/calendar", "ics ifb ical", _TEXTS),
        _kind("XML", "text", "application/xml text/xml", "xml", _TEXTS),
        _kind("text", "text", "text/plain", "txt text log md", _TEXTS),
        _kind("MP4", "video", "video/mp4 video/quicktime video/3gpp audio/mp4 video/x-m4v", _ISO_MEDIA, _FILMS),
        _kind("MOV", "video", "video/quicktime video/mp4", _ISO_MEDIA, _FILMS),
        _kind("WebM", "video", "video/webm audio/webm video/x-matroska audio/x-matroska", "webm mkv mka weba", _FILMS),
        _kind("M4A", "sound", "audio/mp4 audio/x-m4a audio/m4a audio/aac video/mp4", _ISO_MEDIA, _FILMS),
        _kind("MP3", "sound", "audio/mpeg audio/mp3 audio/x-mp3", "mp3 mpga", _FILMS),
        _kind("OGG", "sound", "audio/ogg application/ogg video/ogg audio/opus audio/vorbis", "ogg oga opus ogv ogx", _FILMS),
        _kind("WAV", "sound", "audio/wav audio/x-wav audio/wave audio/vnd.wave", "wav wave", _FILMS),
        _kind("FLAC", "sound", "audio/flac audio/x-flac", "flac", _FILMS),
        _kind("ZIP", "archive", "application/zip application/x-zip-compressed application/x-zip", "zip", "archives"),
        _kind("TAR", "archive", "application/x-tar", "tar", "archives"),
        _kind("GZ", "archive", "application/gzip application/x-gzip application/x-compressed-tar", "gz tgz svgz", "archives"),
        _kind("7z", "archive", "application/x-7z-compressed", "7z", declined=f"7z {_REPACK}"),
        _kind("RAR", "archive", "application/vnd.rar application/x-rar-compressed application/x-rar", "rar",
              declined=f"RAR {_REPACK}"),
        _kind("bzip2", "archive", "application/x-bzip2", "bz2 tbz2", declined=f"bzip2 {_REPACK}"),
        _kind("xz", "archive", "application/x-xz", "xz txz", declined=f"xz {_REPACK}"),
        _kind("zstd", "archive", "application/zstd", "zst", declined=f"Zstandard {_REPACK}"),
        _kind("DOC", "document", "application/msword application/x-ole-storage", "doc dot",
              declined="Old Word files are not read. Save it as DOCX or PDF."),
        _kind("PPT", "document", "application/vnd.ms-powerpoint application/x-ole-storage", "ppt pps pot",
              declined="Old PowerPoint files are not read. Save it as PPTX or PDF."),
        _kind("MSG", "mail", "application/vnd.ms-outlook application/x-ole-storage", "msg",
              declined="Outlook's own mail files are not read. Save it as EML."),
        _kind("locked office file", "document", "application/x-ole-storage application/vnd.ms-office",
              "docx docm xlsx xlsm xlsb pptx pptm", declined="The file is protected by a password and cannot be read."),
        _kind("OLE", "document", "application/x-ole-storage", "",
              declined="This old kind of office file is not read. Save it as DOCX, XLSX, PPTX or PDF."),
        _kind("RTF", "document", "application/rtf text/rtf", "rtf", declined="RTF files are not read. Save it as DOCX or PDF."),
        _kind("AVI", "video", "video/x-msvideo video/avi", "avi", declined="AVI videos are not read. Save it as MP4."),
        _kind("ASF", "video", "video/x-ms-wmv video/x-ms-asf audio/x-ms-wma", "wmv asf wma",
              declined="Windows Media files are not read. Save it as MP4 or MP3."),
        _kind("FLV", "video", "video/x-flv", "flv", declined="Flash videos are not read. Save it as MP4."),
        _kind("AAC", "sound", "audio/aac audio/x-aac audio/aacp", "aac",
              declined="Raw AAC sound is not read. Save it as M4A or MP3."),
        _kind("AMR", "sound", "audio/amr", "amr", declined="AMR sound is not read. Save it as M4A or MP3."),
        _kind("program", "program", "application/x-msdownload application/x-executable application/x-mach-binary",
              "exe dll scr com pif cpl sys msi elf so dylib lnk class", declined="Programs are not looked into."),
        _kind("script", "program", "text/x-shellscript application/x-sh application/x-shellscript", "sh bash zsh ksh",
              declined="Scripts that run by themselves are not looked into."),
    )
)  # fmt: skip

READERS: Final = tuple(sorted({kind.reader for kind in KINDS.values()} - {""}))


_PDF_END_BYTES: Final = 65_536


def kind_of(data: bytes) -> Kind | None:
    """Return what the bytes are, whatever they are called; None where no kind of the table is recognised.

    Looks at the beginning, and in ZIP and OLE files at their directory: a few milliseconds at the most.
    """
    for starts, found in _BEGINNINGS:
        if data.startswith(starts):
            name = found if isinstance(found, str) else found(data)
            if name:
                return KINDS[name]
    name = _media_without_a_beginning(data) or textual.name_of(data)
    if name in {"", "text"} and has_pdf(data):
        name = "PDF"
    return KINDS[name] if name else None


def has_pdf(data: bytes) -> bool:
    """Whether a PDF begins within the first kilobyte, from where readers take it, whatever stands before it."""
    return b"%PDF-" in data[:1024] and b"startxref" in data[-_PDF_END_BYTES:]


def _riff(data: bytes) -> str:
    return {b"WEBP": "WebP", b"WAVE": "WAV", b"AVI ": "AVI"}.get(data[8:12], "")


def _bmp(data: bytes) -> str:
    header_bytes = int.from_bytes(data[14:18], "little")
    return "BMP" if header_bytes in {12, 16, 40, 52, 56, 64, 108, 124} else ""


def _program(data: bytes) -> str:
    """Tell a DOS or Windows program from a text that begins with its two letters."""
    at = int.from_bytes(data[60:64], "little")
    return "program" if data[at : at + 2] in {b"PE", b"NE", b"LE", b"LX"} or b"\0" in data[:64] else ""


def _script(data: bytes) -> str:
    return "script" if data[2:32].lstrip(b" \t").startswith(b"/") else ""


def _zip(data: bytes) -> str:
    directory = zips.directory(data)
    if directory is None:
        return "ZIP"  # its reader says what is wrong with it
    names = {name.lower().replace(b"\\", b"/").lstrip(b"/") for name in directory.names}
    roots = {_ODF_ROOTS[kind] for kind in _ODF_ROOTS if data[30:150].startswith(b"mimetype" + kind)}
    if b"[content_types].xml" in names:
        roots |= {root for folder, root in _OOXML_ROOTS if any(name.startswith(folder) for name in names)}
        if b"xl/workbook.bin" in names:
            roots = {"XLSB" if root == "XLSX" else root for root in roots}
    # A file that is two kinds of document at once is taken apart, so that both are read.
    return roots.pop() if len(roots) == 1 else "ZIP"


_ODF_ROOTS: Final = {
    f"{_ODF}{word}".encode(): name for word, name in (("text", "ODT"), ("spreadsheet", "ODS"), ("presentation", "ODP"))
}
_OOXML_ROOTS: Final = ((b"word/", "DOCX"), (b"xl/", "XLSX"), (b"ppt/", "PPTX"))


def has_macros(data: bytes) -> bool:
    """Whether a ZIP-based office file holds macros."""
    directory = zips.directory(data) if data.startswith(zips.FIRST_BYTES) else None
    return directory is not None and any(name.lower().endswith(b"vbaproject.bin") for name in directory.names)


_OLE_STREAMS: Final = (  # in this order: a locked file holds nothing else, a mail may hold the others
    ("EncryptedPackage", "locked office file"),
    ("__properties_version1.0", "MSG"),
    ("WordDocument", "DOC"),
    ("PowerPoint Document", "PPT"),
    ("Workbook", "XLS"),
    ("Book", "XLS"),
)
_OLE_SECTORS_READ: Final = 256
_OLE_ENTRY_BYTES: Final = 128


def _ole(data: bytes) -> str:
    names = _ole_names(data)
    return next((name for stream, name in _OLE_STREAMS if stream in names), "OLE")


def _ole_names(data: bytes) -> set[str]:
    """Return the names in an OLE file's directory, following its chain of sectors ([MS-CFB] 2.2, 2.3, 2.6)."""
    size = 1 << min(12, max(9, int.from_bytes(data[30:32], "little")))
    sector, names = int.from_bytes(data[48:52], "little"), set[str]()
    for _ in range(_OLE_SECTORS_READ):
        start = (sector + 1) * size
        entries = data[start : start + size]
        for at in range(0, len(entries), _OLE_ENTRY_BYTES):
            length = min(64, int.from_bytes(entries[at + 64 : at + 66], "little"))
            names.add(entries[at : at + max(0, length - 2)].decode("utf-16-le", "replace"))
        table, place = divmod(sector, size // 4)
        if not entries or table >= 109:  # longer tables belong to files of more than 7 MB of directory
            break
        holder = (int.from_bytes(data[76 + 4 * table : 80 + 4 * table], "little") + 1) * size
        sector = int.from_bytes(data[holder + 4 * place : holder + 4 * place + 4], "little")
        if sector >= 0xFFFFFFFA:
            break
    return names


def _matroska(data: bytes) -> str:
    return "WebM" if b"webm" in data[:64] or b"matroska" in data[:64] else ""


def _mp3(data: bytes) -> str:
    """Tell an MPEG frame, layer III, from other bytes: neither the bit rate nor the sample rate is reserved."""
    return "MP3" if len(data) > 2 and data[2] >> 4 not in {0, 15} and data[2] >> 2 & 3 != 3 else ""


_HEIF_BRANDS: Final = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))


def _media_without_a_beginning(data: bytes) -> str:
    """Recognise what does not begin with fixed bytes: ISO media by their first box, TAR by its first header."""
    box = data[4:8]
    if box in {b"moov", b"mdat", b"wide", b"pnot", b"skip", b"free"} and data[:1] == b"\0":
        return "MOV"
    if box == b"ftyp":
        brands = {data[at : at + 4] for at in range(8, min(len(data), 256, int.from_bytes(data[:4], "big")), 4)}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        if brands & _HEIF_BRANDS:
            return "HEIC"
        return {b"qt  ": "MOV", b"M4A ": "M4A", b"M4B ": "M4A"}.get(data[8:12], "MP4")
    return "TAR" if _is_tar(data[:512]) else ""


def _is_tar(header: bytes) -> bool:
    """Whether the header's check sum holds: that of all its bytes, with its own eight taken as blanks (POSIX.1, ustar)."""
    if len(header) < 512 or not header[0]:
        return False
    try:
        expected = int(header[148:156].strip(b" \0") or b"x", 8)
    except ValueError:
        return False
    return sum(header) - sum(header[148:156]) + 8 * 32 == expected


_BEGINNINGS: Final[tuple[tuple[bytes | tuple[bytes, ...], str | Callable[[bytes], str]], ...]] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    ((b"GIF87a", b"GIF89a"), "GIF"),
    (b"RIFF", _riff),
    (b"BM", _bmp),
    ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "TIFF"),
    (b"%PDF-", "PDF"),
    ((zips.FIRST_BYTES, b"PK\5\6"), _zip),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _ole),
    (b"{\\rtf", "RTF"),
    (b"\x1a\x45\xdf\xa3", _matroska),
    (b"OggS", "OGG"),
    (b"fLaC", "FLAC"),
    (b"ID3", "MP3"),
    ((b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b"\xff\xe3", b"\xff\xe2"), _mp3),
    ((b"\xff\xf1", b"\xff\xf9"), "AAC"),
    (b"#!AMR", "AMR"),
    (b"FLV\1", "FLV"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "ASF"),
    (b"\x1f\x8b\x08", "GZ"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"MZ", _program),
    ((b"\x7fELF", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"), "program"),
    ((b"\xca\xfe\xba\xbe", b"\x4c\0\0\0\x01\x14\x02\0", b"\0asm\x01\0\0\0", b"dex\n03"), "program"),
    (b"#!", _script),
)
