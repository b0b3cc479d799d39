"""What is said where an optional package is absent. It is made absent in a process of its own."""

import json
import subprocess
import sys

from pipelines.media.extras import missing_readers

WITHOUT = """
import json, sys
sys.modules.update({"av": None, "pillow_heif": None})
from pipelines.media import extras
from pipelines.media.films import video
from pipelines.media.read import Asked, NotRead
try:
    video.read(bytes.fromhex("0000001c6674797069736f6d"), Asked())
except NotRead as declined:
    print(json.dumps([declined.status, str(declined), extras.missing_readers()]))
"""


def test_without_the_package_a_video_is_unreadable_and_says_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True, timeout=60)

    status, why, missing = json.loads(done.stdout)
    assert status == "unreadable"
    assert "flashbulb[video]" in why
    assert [sentence.split(" are ")[0] for sentence in missing] == ["HEIC pictures", "Videos and sound"]
    assert "flashbulb[heic]" in missing[0]


def test_with_the_packages_nothing_is_missing() -> None:
    installed = [name for name in ("pillow_heif", "av") if _is_installed(name)]

    assert len(missing_readers()) == 2 - len(installed)


def _is_installed(name: str) -> bool:
    try:
        __import__(name)
    except ImportError:
        return False
    return True
