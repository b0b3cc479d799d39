"""The one table of limits. A policy may tighten them, nothing may loosen them.

Where a number was measured or recommended is said beside it; the ground for the pixel and memory numbers is the memory per
pixel that Pillow 13 needs for each format.
"""

from typing import Final

# What is judged.
FRAMES_JUDGED: Final = 16  # pictures of one animation or multi-picture file, as separate parts
TEXT_JUDGED_CHARS: Final = 60_000  # of one message; Slack allows 40,000, Discord 4,000
TEXT_PART_CHARS: Final = 12_000  # longer texts become several parts
DOCUMENT_CHARS: Final = 200_000  # of one document, sheet, mail or text file: some 100 pages
CODES_JUDGED: Final = 20  # QR and bar codes of one file
METADATA_JUDGED_BYTES: Final = 2_000
ATTACHMENTS_JUDGED: Final = 10  # Discord and the console allow 10 files a message

FILES_JUDGED: Final = 100  # of one message, with everything that lies inside its files
FILES_DEPTH: Final = 2  # a file in an archive in an archive
PICTURES_JUDGED: Final = 160  # of one message: ten files of 16 frames each
PAGES_JUDGED: Final = 20  # of one document, as pictures; the text of the others is read as well
PAGES_READ: Final = 200  # of one document, as text

# Files.
FILE_BYTES: Final = 50 * 1024 * 1024  # of any file but a picture
IMAGE_BYTES: Final = 25 * 1024 * 1024
LONGEST_SIDE_PX: Final = 20_000
LARGEST_ASPECT: Final = 50  # beyond it a picture would shrink to a strip that nobody can read
PREPARED_SIDE_PX: Final = 1024
MARKED_SIDE_PX: Final = 1600  # of a page that is shown to people with what was found framed
MARKS_DRAWN: Final = 200  # on one page
ANIMATION_FRAMES: Final = 400
ANIMATION_PIXELS: Final = 200_000_000
ANIMATION_CPU_S: Final = 2.0  # for looking through all frames
IMAGE_PIXELS: Final = {
    "JPEG": 100_000_000,
    "PNG": 50_000_000,
    "GIF": 50_000_000,
    "WEBP": 40_000_000,
    "AVIF": 50_000_000,
    "HEIF": 50_000_000,
    "BMP": 50_000_000,
    "TIFF": 50_000_000,
}
JOBS_AT_ONCE: Final = 4  # of one message, so that another's single picture never waits behind a whole archive
MEMBERS_S: Final = 60.0  # after which no further file inside a message's files is begun
UNPACKED_BYTES: Final = 60 * 1024 * 1024  # of one archive, mail or document, counted while unpacking
UNPACKED_RATIO: Final = 100  # of an archive; an office file may reach twice as much
OFFICE_MEMBERS: Final = 2_000
SHEET_CELLS: Final = 5_000_000  # in the rectangle that a sheet claims
VIDEO_S: Final = 180.0  # of a video that are looked at
SOUND_S: Final = 300.0  # of a soundtrack or voice note that are listened to

# Media workers, each a process of its own.
WORKER_MEMORY_BYTES: Final = 1_536 * 1024 * 1024
WORKER_CPU_S: Final = 5
WORKER_WALL_S: Final = 10.0
VIDEO_CPU_S: Final = 20  # for videos and sound
VIDEO_WALL_S: Final = 40.0
WORKER_JOBS: Final = 500  # then the worker is replaced
BYTES_IN_FLIGHT: Final = 64 * 1024 * 1024  # of all files being prepared; others wait

# Models. `READ` < `REQUEST` < `TOTAL`: one read, one request, all providers and re-asks together.
MODEL_READ_S: Final = 8.0
MODEL_REQUEST_S: Final = 12.0
MODEL_TOTAL_S: Final = 25.0
DOCUMENT_READ_S: Final = 60.0  # the same three for documents, whose answers are long
DOCUMENT_REQUEST_S: Final = 75.0
DOCUMENT_TOTAL_S: Final = 150.0
DOCUMENT_TOKENS: Final = 50_000  # of one question about a document, estimated: beyond it the document is split
MODEL_REQUESTS_PER_PROVIDER: Final = 2
MODEL_CALLS_IN_FLIGHT: Final = 24  # pydantic-ai queues in the client beyond 20 to 30
MODEL_RATE_LIMIT_PAUSE_S: Final = 20.0  # where the vendor names no time

# What is made for members.
MADE_BYTES: Final = 32 * 1024 * 1024  # of one result

# Durable work.
ACCEPT_S: Final = 0.8  # then the platform is not acknowledged and sends again
DRAIN_S: Final = 20

# What people type.
COMMAND_CHARS: Final = 4_000
MESSAGE_CHARS: Final = 12_000  # in the console
NAME_CHARS: Final = 80
