"""`python -m labelstudio.annotator_agreement TASK`, as the original project was typed."""

from adaptml.cli.annotator_agreement import command
from adaptml.cli.support import run_command


def main() -> None:
    """Run the command as a program; its form is the same as that of `adaptml annotator-agreement`."""
    run_command(command)
