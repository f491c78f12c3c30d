"""The API's jobs, and what it says of itself: how it is, what can be asked for, what everybody should read once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Query, Request, UploadFile

from masque import notice
from masque.jsonfile import JSON
from masque.studio import shapes
from masque.studio.asking import TheClient, TheStudio, job_as_json
from masque.studio.limits import LARGEST_FILE, MEGABYTE
from masque.studio.said import in_words
from masque.version import __version__

router = APIRouter()

MEGAPIXELS = 50
"""Millions of pixels of a photo, at most: `masque.image.MAX_MEGAPIXELS`, which this process need not import."""


NOT_MADE = "It carries no record of Masque: it was not made by Masque, or the record was removed."
OF_FILM = "Made by Masque; whether its pictures were changed since cannot be told of a film."
AS_WRITTEN = "Made by Masque; its pixels are as Masque wrote them."


@router.get("/door", response_model=shapes.DoorNeeds)
async def door(studio: TheStudio) -> dict[str, str]:
    """What lets a client in."""
    return {"needs": studio.door.needs, "version": __version__}


@router.post("/login", response_model=shapes.Token)
async def login(studio: TheStudio, request: Request, given: shapes.Password) -> dict[str, str]:
    """Come in with the password; wrong ones are answered ever more slowly."""
    address = request.client.host if request.client else "?"
    return {"token": studio.door.login(given.password, address)}


@router.get("/status", response_model=shapes.Status)
async def status(studio: TheStudio) -> dict[str, JSON]:
    """How Studio is."""
    quick = studio.workers["quick"]
    ready = quick.ready.is_set()
    return {
        "version": __version__,
        "ready": ready,
        "doing": None if ready else "Loading models",
        "limits": {"megabytes": LARGEST_FILE // MEGABYTE, "megapixels": MEGAPIXELS},
        "missing": list(quick.missing),
        "busy": studio.busy,
    }


@router.get("/choices", response_model=shapes.Choices)
async def choices(studio: TheStudio, client: TheClient) -> dict[str, JSON]:
    """All that edits can be asked for."""
    if studio.choices is None:
        studio.choices = (await studio.ask(client, "choices", {})).about
    return dict(studio.choices)


@router.get("/notice", response_model=shapes.Notice)
async def the_notice(studio: TheStudio) -> dict[str, JSON]:
    """What everybody should read once, and whether this machine's user has."""
    return {"text": list(notice.SENTENCES), "agreed": studio.remembers and notice.agreed()}


@router.post("/notice", response_model=shapes.Agreed)
async def agree(studio: TheStudio) -> dict[str, bool]:
    """Remember that it was read, where this machine is its user's own."""
    if studio.remembers:
        notice.remember()
    return {"agreed": True}


@router.get("/jobs/{key}", response_model=shapes.Job)
async def job_of(
    studio: TheStudio,
    client: TheClient,
    key: str,
    wait: Annotated[float, Query(ge=0, le=30, description="Seconds to wait for a change, at most.")] = 0.0,
    seen: Annotated[int | None, Query(description="The version that was seen last.")] = None,
) -> dict[str, JSON]:
    """How far a job is, at once or as soon as something of it has changed."""
    job = studio.job(client, key)
    if wait and not job.over:
        await job.changed(job.version if seen is None else seen, wait)
    return job_as_json(studio, job)


@router.delete("/jobs/{key}", response_model=shapes.Job)
async def cancel(studio: TheStudio, client: TheClient, key: str) -> dict[str, JSON]:
    """Cancel a job."""
    job = studio.job(client, key)
    if not job.over:
        studio.queue_of(job).cancel(job)
    return job_as_json(studio, job)


@router.post("/verify", response_model=shapes.Verdict)
async def verify(
    studio: TheStudio, client: TheClient, file: Annotated[UploadFile, File(description="A picture or film.")]
) -> dict[str, JSON]:
    """What a picture or film says of how it was made."""
    verdict = await studio.decoder.verify(await file.read(), client.turn)
    record, unchanged = verdict.get("record"), verdict.get("unchanged")
    if not isinstance(record, dict):
        return {"masque": False, "unchanged": None, "words": [NOT_MADE], "record": None}
    changed = f"Made by Masque and changed since: {verdict.get('reason')}."
    made = OF_FILM if unchanged is None else AS_WRITTEN if unchanged else changed
    state = None if unchanged is None else bool(unchanged)
    return {"masque": True, "unchanged": state, "words": [made, *in_words(record)], "record": record}
