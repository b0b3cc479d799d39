"""A plain HTTP client for the emulated ModelsLab: it knows nothing of it but its address."""

import base64
import io
import json
from dataclasses import dataclass
from typing import Any

import aiohttp
from PIL import Image

from emulators.modelslab import ModelsLabEmulator

KEY = "a-key-of-nobody"
WISH = {"prompt": "a teal lake", "width": 256, "height": 256}
REALTIME = "v6/realtime/text2img"


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Any
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(kw_only=True)
class Client:
    """Asks an emulator; knows nothing of it but its address."""

    emulator: ModelsLabEmulator
    http: aiohttp.ClientSession

    async def post(self, path: str, **body: Any) -> Answer:
        address = f"{self.emulator.base_url}/{path}"
        async with self.http.post(address, json={"key": KEY, **body}, allow_redirects=False) as response:
            return Answer(status=response.status, headers=response.headers, text=await response.text())

    async def wish(self, path: str = "v6/images/text2img", **more: Any) -> Answer:
        return await self.post(path, **{"model_id": "flux", **WISH, **more})

    async def fetch(self, job: Any, family: str = "v6/images") -> Answer:
        return await self.post(f"{family}/fetch/{job}")

    async def get(self, url: str) -> tuple[int, str, bytes]:
        async with self.http.get(url) as response:
            return response.status, response.content_type, await response.read()

    async def picture(self, url: str) -> Image.Image:
        status, media_type, data = await self.get(url)
        assert (status, media_type) in ((200, "image/png"), (200, "image/jpeg"))
        return Image.open(io.BytesIO(data))

    async def bring(self, picture: Image.Image) -> str:
        file = io.BytesIO()
        picture.save(file, "PNG")
        data = base64.b64encode(file.getvalue()).decode()
        return str((await self.post("v6/base64_to_url", base64_string=f"data:image/png;base64,{data}")).json["output"][0])

    async def admin(self, verb: str, **body: Any) -> Any:
        async with self.http.post(f"{self.emulator.origin}/_admin/{verb}", json=body) as response:
            return response.status, await response.json()
