"""All addresses of this room."""

from fastapi import APIRouter

from portal.new_task import changing, editing, importing, making, overview

router = APIRouter()
for part in (importing, making, overview, editing, changing):  # /tasks/new comes before /tasks/{task}
    router.include_router(part.router)
