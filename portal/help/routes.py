"""The page of help; what it shows is in its templates, so that every page can show it too."""

from fastapi import APIRouter, Request, Response

from adaptml.example import has_example
from portal.showing import project_of, show

router = APIRouter()


@router.get("/help")
def help_page(request: Request) -> Response:
    """Every term, keys, the tour, and where to read on."""
    return show(request, "help/help.html", example=has_example(project_of(request)))
