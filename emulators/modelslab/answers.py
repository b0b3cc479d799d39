"""How answers about jobs look: what the vendor documents, and the other shapes that were seen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from emulators.modelslab.faults import without_faults
from emulators.modelslab.jobs import Job
from emulators.modelslab.operations import flag, number, samples, size_of, text

Json = dict[str, Any]

INJECTED: Final = "injected, terms, that, nobody, wrote"
TIP: Final = "Your image is processing in background, you can get this image using fetch API"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the emulator is: `origin` is its own, `foreign` that of the host which must never be asked."""

    origin: str
    foreign: str

    def results(self, job: Job) -> tuple[list[str], list[str]]:
        """Return the two addresses of each file, as the job's faults have them."""
        names = job.names[1:] if "fewer_outputs" in job.faults else job.names
        if "evil_output" in job.faults:
            evil = self.evil(str(job.faults["evil_output"]), "/generations/0.png")
            return [evil] * len(names), [evil] * len(names)
        return (
            [f"{self.origin}/generations/{name}" for name in names],
            [f"{self.origin}/proxy/generations/{name}" for name in names],
        )

    def fetch_result(self, job: Job) -> str:
        path = f"/api/{job.operation.family}/fetch/{job.id}"
        if "evil_fetch_result" in job.faults:
            return self.evil(str(job.faults["evil_fetch_result"]), path)
        return self.origin + path

    def evil(self, where: str, path: str) -> str:
        """Return an address that nobody may follow."""
        match where:
            case "link-local":
                return "http://169.254.169.254/latest/meta-data/"
            case "file":
                return "file:///etc/hosts"
            case "loopback":
                return self.foreign.replace("127.0.0.1", "localhost") + path
            case _:
                return self.foreign + path


def processing(job: Job, at: Addresses, now_s: float, *, submitted: bool) -> Json:
    """Return the answer while a job is not done."""
    if not submitted and job.operation.family == "v6/image_editing":
        return {"status": "processing", "message": "Request is still processing", "output": "", "tip": TIP}
    answer: Json = {
        "status": "processing",
        "tip": TIP,
        "eta": job.faults["eta_lie"] if "eta_lie" in job.faults else _eta(job, now_s),
        "message": "Try to fetch request after seconds estimated",
        "fetch_result": at.fetch_result(job),
        "id": _id(job),
        "output": [],
    }
    if submitted:
        answer |= {"meta": _meta(job), "future_links": at.results(job)[0]}
        _deform_processing(answer, job)
    return answer


def success(job: Job, at: Addresses, outputs: Sequence[str], *, submitted: bool) -> Json:
    """Return the answer when a job is done; `outputs` may be other than addresses."""
    answer: Json = {"status": "success", "id": _id(job), "output": list(outputs), "proxy_links": at.results(job)[1]}
    if submitted:
        answer = {
            "status": "success",
            "generationTime": round(job.ends_s - job.starts_s, 2),
            **answer,
            "webhook_status": "",
            "meta": _meta(job),
        }
        if job.operation.family == "v6/images":
            answer["nsfw_content_detected"] = False
    if job.operation.made == "sound":
        answer |= {"audio_time": number(job.body, "duration", 10), "links": list(outputs)}
    if "nsfw" in job.faults:
        answer["nsfw_content_detected"] = True
    _deform_result(answer, job)
    return answer


def failed(job: Job) -> Json:
    """Return the answer when a job has failed for good."""
    if "provider_error" in job.faults:
        message = "The provider could not complete the request"
        return {"status": "error", "id": _id(job), "code": "provider_error", "message": message}
    return {"status": "failed", "id": _id(job), "message": "Something went wrong while generating", "output": ""}


def unknown(job: Job) -> Json:
    return {"status": "queued", "id": _id(job), "output": []}


def _id(job: Job) -> int | str:
    return str(job.id) if "id_string" in job.faults else job.id


def _eta(job: Job, now_s: float) -> int:
    return max(1, math.ceil(job.ends_s - now_s)) if math.isfinite(job.ends_s) else 20


def _meta(job: Job) -> Json:
    """Return what the server says it was asked. Only here is the seed told."""
    body, prompt = job.body, without_faults(job.prompt)
    negative = text(body, "negative_prompt")
    if "meta_rewrite" in job.faults:
        prompt, negative = f"masterpiece, {prompt}, HDR 4K", f"{negative}, {INJECTED}".strip(", ")
    width, height = size_of(body, (512, 512))
    realtime = job.operation.family == "v6/realtime"
    sides = {"width": width, "height": height} if realtime else {"W": width, "H": height}
    return {
        "prompt": prompt,
        "model_id": body.get("model_id"),
        "negative_prompt": negative,
        "safety_checker": "yes" if flag(body, "safety_checker") else "no",
        **(sides if job.operation.made == "picture" else {}),
        "seed": job.seed,
        "n_samples": samples(body),
        "instant_response": "yes" if flag(body, "instant_response") else "no",
        "base64": "no",
        "temp": "yes" if flag(body, "temp") else "no",
        "file_prefix": job.names[0] if job.names else None,
    }


def _deform_processing(answer: Json, job: Job) -> None:
    for fault, field in (
        ("processing_no_id", "id"),
        ("processing_no_fetch_result", "fetch_result"),
        ("processing_no_eta", "eta"),
    ):
        if fault in job.faults:
            del answer[field]
    if "processing_output_string" in job.faults:
        answer["output"] = ""
    if "processing_messege" in job.faults:
        answer["messege"] = answer.pop("message")


def _deform_result(answer: Json, job: Job) -> None:
    faults = job.faults
    if "proxy_dict" in faults:
        answer["proxy_links"] = {str(at): url for at, url in enumerate(answer["proxy_links"])}
    if "proxy_null" in faults:
        answer["proxy_links"] = None
    if "output_string" in faults:
        answer["output"] = answer["output"][0] if answer["output"] else ""
    for fault, nothing in (("output_null", None), ("output_empty", [])):
        if job.takes(fault):
            answer |= {"output": nothing, "proxy_links": nothing}
            answer.pop("links", None)
