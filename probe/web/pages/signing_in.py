"""How people sign in and out: a form that takes a token, and gives a cookie for it. And the page that tells why something is not shown."""

from __future__ import annotations

from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from probe.web.access import API, SIGN_IN, SIGN_OUT, Gatekeeper
from probe.web.pages.markup import answered
from probe.web.problems import RequestProblem

_MOST_FIELDS = 20
_FOR_PROGRAMS = (API, "/metrics", "/probe", "/healthz", "/readyz")


def signing_in(gatekeeper: Gatekeeper) -> APIRouter:
    """The routes of signing in and out."""
    router, sessions = APIRouter(include_in_schema=False), gatekeeper.sessions

    @router.get(SIGN_IN)
    async def show_form(request: Request, next_place: str = Query("/", alias="next")) -> Response:
        # A browser sends the cookie along with a link from elsewhere only once the page itself leads on.
        is_from_elsewhere = request.headers.get("sec-fetch-site") == "cross-site"
        context = {"next": _own(next_place), "is_wrong": False, "leads_on": is_from_elsewhere}
        return answered(request, "login.html", context, None)

    @router.post(SIGN_IN)
    async def sign_in(request: Request) -> Response:
        refuse_other_sites(request)
        form = await form_of(request)
        token, place = await gatekeeper.sign_in(form.get("token", "").strip()), _own(form.get("next", "/"))
        if token is None:
            return answered(request, "login.html", {"next": place, "is_wrong": True, "leads_on": False}, None, 401)
        response = RedirectResponse(place, 303)
        sessions.begin(token, response, is_secure=request.url.scheme == "https")
        return response

    @router.post(SIGN_OUT)
    async def sign_out(request: Request) -> Response:
        await form_of_session(request)
        response = RedirectResponse(SIGN_IN, 303)
        sessions.end(request.headers, response, is_secure=request.url.scheme == "https")
        return response

    return router


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form. Raises RequestProblem."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise RequestProblem(415, "a form is wanted")
    try:
        body = (await request.body()).decode("ascii")
        fields = parse_qs(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise RequestProblem(400, "this is no form") from None
    return {name: values[0] for name, values in fields.items()}


async def form_of_session(request: Request) -> dict[str, str]:
    """The fields of a form that a page of this session sent. Raises RequestProblem where another did."""
    form = await form_of(request)
    session = request.state.caller.session
    if session is None or not session.sent(form.get("csrf", "")):
        raise RequestProblem(403, "this form is not of your session; load its page again")
    return form


def problem_page(request: Request, problem: RequestProblem) -> Response | None:
    """What a person is told of a problem; None where a program asks. Whoever has to sign in first is led there."""
    if request.url.path.startswith(_FOR_PROGRAMS) or "text/html" not in request.headers.get("accept", ""):
        return None
    if problem.status == 401 and request.method in ("GET", "HEAD") and request.url.path != SIGN_IN:
        place = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"{SIGN_IN}?next={quote(place, safe='/')}", 303)
    page = answered(request, "problem.html", {"problem": problem}, None, problem.status)
    page.headers.update(problem.headers)
    return page


def _own(place: str) -> str:
    """A path of this service; the estate's page where it leads elsewhere."""
    is_own = place.startswith("/") and not place.startswith(("//", "/\\")) and place.isprintable() and place.isascii()
    return place if is_own and "\\" not in place else "/"


def refuse_other_sites(request: Request) -> None:
    """See to it that no page of another site sent a form, as one that signs somebody in as somebody else. Raises RequestProblem."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if site not in ("same-origin", "none") or (origin is not None and origin.lower() != own.lower()):
        raise RequestProblem(403, "this form was sent by a page of another site")
