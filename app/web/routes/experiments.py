"""Experiments: anybody may let the site show on itself which worker gets a request."""

import json
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.errors import Forbidden, InvalidInput, NotFound, SignInNeeded
from app.models import Experiment, ExperimentMode
from app.services import experimenting
from app.services.experimenting import CHOICES, Choice, conclusion, described
from app.services.limits import EXPERIMENT
from app.storage import experiments
from app.web.access import PUBLIC, account_of, address_of
from app.web.charts import Bar, bars
from app.web.forms import is_form, read_form
from app.web.language import translate
from app.web.live import choices, is_operator
from app.web.parameters import RowId, local_path
from app.web.state import Here, State
from app.web.templating import render

router = APIRouter(prefix="/-/experiments", include_in_schema=False, dependencies=[PUBLIC])

NOT_KEPT = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class Shown:
    """An experiment as templates show it."""

    experiment: Experiment
    bars: list[Bar]
    sentence: str


async def asked_for(request: Request) -> tuple[experimenting.Request, dict[str, str]]:
    """Return the experiment that a program or a form asks for, and the form's other fields.

    Raises InvalidInput for anything else.
    """
    if is_form(request):
        form = {name: str(value) for name, value in (await read_form(request)).items()}
        if form.get("choice") not in list(Choice):
            raise InvalidInput("There is no such experiment.")
        return CHOICES[Choice(form["choice"])], form
    try:
        values = json.loads(await request.body())
        mode = ExperimentMode(values["mode"])
        numbers = [values.get("requests", 200), values.get("concurrency", 1)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InvalidInput('Send {"mode": "new" or "keep-alive", "requests": 200, "concurrency": 1}.') from error
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in numbers):
        raise InvalidInput("The numbers of requests and connections must be whole numbers.")
    return experimenting.Request(mode, *numbers), {}


@router.post("")
def run(
    request: Request, here: Here, asked: Annotated[tuple[experimenting.Request, dict[str, str]], Depends(asked_for)]
) -> Response:
    """Carry out an experiment: JSON for programs, a part of a page for scripts, a page of its own for all others."""
    wanted, form = asked
    _check_may(request, here, wanted)
    here.limits.count(EXPERIMENT, address_of(request))
    host, port = request.scope.get("server") or (None, None)
    if not host or not port:
        raise InvalidInput("The site does not listen on a port of its own, so it cannot run experiments.")
    experiment = experimenting.run(here.database, here.probes, wanted, here.table.rows(), host, port)
    if not form:
        return JSONResponse(described(experiment) | {"conclusion": _sentence(experiment)}, headers=NOT_KEPT)
    if "part" in form:
        return render(request, "parts/experiment.html", headers=NOT_KEPT, shown=shown(experiment))
    back = local_path(form.get("next", "/-/workers"))
    return RedirectResponse(f"/-/experiments/{experiment.id}?{urlencode({'next': back})}", 303)


@router.get("/{experiment_id}")
def show(request: Request, here: Here, experiment_id: RowId, next: str = "/-/workers") -> Response:  # noqa: A002
    """Show one experiment and what it means."""
    with here.database.read() as session:
        experiment = experiments.get(session, experiment_id)
    if experiment is None:
        raise NotFound("There is no such experiment.")
    back = local_path(next)
    return render(
        request,
        "experiment.html",
        headers=NOT_KEPT,
        shown=shown(experiment),
        back=back,
        choices=choices(request),
    )


def shown(experiment: Experiment) -> Shown:
    """Return an experiment with its bars and its sentence, in the reader's language."""
    counts = [(str(pid), number) for pid, number in experiment.counts]
    return Shown(experiment, bars(counts, str(experiment.blocked_pid)), _sentence(experiment))


def _check_may(request: Request, here: State, wanted: experimenting.Request) -> None:
    if here.settings.experiments == "off":
        raise NotFound("Experiments are turned off here.")
    is_for_operators = here.settings.experiments == "operators" or wanted.mode == ExperimentMode.BLOCKED
    if is_for_operators and not is_operator(request):
        if account_of(request) is None:
            raise SignInNeeded("Please sign in first.")
        raise Forbidden("Your account does not have permission to do this.")


def _sentence(experiment: Experiment) -> str:
    sentence = conclusion(experiment)
    return translate(sentence.message, sentence.params)
