"""`python -m modelling.app`: what the service's container runs."""

import sys

from adaptml.errors import AdaptmlError, one_line
from adaptml.listening import listen
from adaptml.project import Project
from modelling.app.api_key import keyed_service
from modelling.app.workers import run_service

if __name__ == "__main__":
    with Project() as project:
        try:
            listener = listen("0.0.0.0", 8000)  # noqa: S104 - the container's
            run_service(keyed_service(project), project, listener, project.settings.service_workers)
        except AdaptmlError as error:
            sys.exit(f"error: {one_line(error)}")
