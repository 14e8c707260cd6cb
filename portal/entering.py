"""Coming in by a link, and leaving."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse

from portal.access import LOGGED_IN_FOR, Access
from portal.showing import go, show

router = APIRouter()


@router.get("/enter")
def enter(request: Request) -> Response:
    """The page that a link leads to; its script sends the token, which no server or log has seen."""
    return show(request, "enter.html", needs_key=bool(request.app.state.key))


@router.post("/enter")
def exchange(request: Request, token: Annotated[str, Form()], key: Annotated[str, Form()] = "") -> Response:
    """A session for an invitation's token, and the key where one is needed."""
    wanted: str = request.app.state.key
    if wanted and not hmac.compare_digest(key.encode(), wanted.encode()):
        return _refused("the key is not this page's; ask who runs it")
    access: Access = request.app.state.access
    cookie = access.enter(token)
    if cookie is None:
        return _refused(
            "this link was used before, or is too old; make a new one with `adaptml ui --invite NAME`"
        )
    answer = JSONResponse({"entered": True})
    answer.set_cookie(
        access.cookie_name,
        cookie,
        max_age=int(LOGGED_IN_FOR.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.get("/enter/again")
def again(request: Request) -> dict[str, bool]:
    """Whether a session is there: the first request of a link on another site comes without its cookie."""
    return {"entered": bool(request.state.person)}


@router.post("/leave")
def leave(request: Request) -> Response:
    """End the session."""
    access: Access = request.app.state.access
    access.leave(request.cookies.get(access.cookie_name, ""))
    answer = go(request, "/enter")
    answer.delete_cookie(access.cookie_name)
    return answer


@router.get("/health")
def health() -> dict[str, str]:
    """That the page answers."""
    return {"status": "ok"}


def _refused(said: str) -> JSONResponse:
    # No status that browsers call an error: to be told no is an answer here.
    return JSONResponse({"entered": False, "said": said})
