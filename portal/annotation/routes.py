"""The addresses of page 5, below /tasks/{task}/annotation."""

from fastapi import APIRouter

from portal.annotation import agreeing, gold, labelling, progress, sampling

router = APIRouter()
for part in (progress, sampling, agreeing, gold, labelling):
    router.include_router(part.router, prefix="/tasks/{task}/annotation")
