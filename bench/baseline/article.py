"""The usual way of moderating uploads with Gemini. Run by `bench/article.py`, in an environment of its own.

One message a line on standard input, as JSON: `id`, `text`, `file` (a path, or null). One answer a line on standard output:
`id`, `safe`. With `--threads` each message has a thread of its own, without it one is finished before the next is read.

It has no chat to speak to, stores nothing, and finds every file on the disk: all of that is in its favour.
"""

import argparse
import json
import sys
import threading
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")  # it says at each start that its support has ended

import google.generativeai as genai  # type: ignore[import-untyped]  # noqa: E402
from PIL import Image  # noqa: E402

PROMPT = (
    "You are a content moderator. Is the following content safe for a community? Look for hate, violence, sexual content,"
    ' harassment and spam. Answer with JSON only: {"safe": true or false, "reason": "..."}'
)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--endpoint", required=True)
    arguments.add_argument("--model", required=True)
    arguments.add_argument("--threads", action="store_true")
    arguments.add_argument(
        "--from-path", action="store_true", help="open pictures by their path: the SDK sends such a file as it is"
    )
    how = arguments.parse_args()
    genai.configure(api_key="any", transport="rest", client_options={"api_endpoint": how.endpoint})
    model = genai.GenerativeModel(how.model)

    def answer(message: dict[str, Any]) -> None:
        said = moderate(model, message["text"], message["file"], from_path=how.from_path)
        sys.stdout.write(json.dumps({"id": message["id"], "safe": said["safe"]}) + "\n")
        sys.stdout.flush()

    print("READY", flush=True)
    for line in sys.stdin:
        message = json.loads(line)
        if how.threads:
            threading.Thread(target=answer, args=(message,)).start()
        else:
            answer(message)


def moderate(model: Any, text: str, file: str | None, *, from_path: bool) -> Any:
    """Judge a picture or a text, synchronously. What fails is called safe: that is how it is done there."""
    try:
        if file is None:
            content: Any = text
        else:
            # A bot has downloaded it, so that the bytes are in memory; the SDK then packs the picture anew.
            content = Image.open(file if from_path else BytesIO(Path(file).read_bytes()))
        response = model.generate_content([PROMPT, content])
        return json.loads(response.text)
    except Exception:  # noqa: BLE001 - the very thing that is measured
        return {"safe": True}


if __name__ == "__main__":
    main()
