"""From the bytes of a message to its verdict, with nothing left out between."""

from typing import Any, Final

from emulators.gemini import ModelEmulator
from pipelines.content import Attachment, Content, Intake, Part
from pipelines.media.intake import MediaReader
from pipelines.media.sandbox import Sandbox
from pipelines.moderation.moderate import moderate
from pipelines.moderation.policies import preset
from pipelines.moderation.policy import Channel
from pipelines.moderation.verdict import Verdict
from pipelines.ports import Files, LanguageModel
from tests.fakes import ListedFiles

BAD: Final = "FLASHBULB-TEST-HATE-S3-C95"  # the shipped policy removes it
POLICY: Final = preset().at(Channel(platform="test", id="general"))

File = tuple[str, bytes]


class Way:
    """Reads and judges messages. `asked` are the requests that reached the model."""

    def __init__(self, sandbox: Sandbox, models: LanguageModel, emulator: ModelEmulator) -> None:
        self._sandbox = sandbox
        self.models = models
        self._emulator = emulator

    @property
    def asked(self) -> list[Any]:
        return self._emulator.requests

    def reader(self, store: Files) -> MediaReader:
        """Return what reads files that lie in `store`."""
        return MediaReader(store, self._sandbox)

    async def read(self, *files: File, text: str = "") -> Intake:
        store = ListedFiles({f"test:{at}": data for at, (_, data) in enumerate(files)})
        attachments = tuple(
            Attachment(id=str(at), url=f"test:{at}", name=name, media_type="", size_bytes=len(data))
            for at, (name, data) in enumerate(files)
        )
        return await self.reader(store).intake(Content(text=text, attachments=attachments))

    async def judged(self, *files: File, text: str = "", earlier: tuple[Part, ...] = (), **options: Any) -> Verdict:
        model = options.pop("model", self.models)
        intake = await self.read(*files, text=text)
        verdict, _ = await moderate(intake, policy=POLICY, model=model, earlier=earlier, **options)
        return verdict
