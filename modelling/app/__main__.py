"""`python -m modelling.app`: what the service's container runs."""

import sys

from adaptml.errors import AdaptmlError, one_line
from adaptml.listening import listen, run_server
from adaptml.project import Project
from modelling.app.api_errors import refusal
from modelling.app.api_key import keyed_app

if __name__ == "__main__":
    with Project() as project:
        try:
            run_server(keyed_app(project), listen("0.0.0.0", 8000), project.settings, refusal)  # noqa: S104 - the container's
        except AdaptmlError as error:
            sys.exit(f"error: {one_line(error)}")
