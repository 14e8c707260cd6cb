"""The command line: one file a command, which parses, calls and prints."""

import sys
from runpy import run_module


def main() -> None:
    """Run the command line.

    `adaptml -m MODULE …` is `python -m MODULE …` in the environment of this command, whatever `python` is
    here: MLflow makes an environment for a project, which has none of our packages, unless told not to.
    """
    if sys.argv[1:2] == ["-m"] and len(sys.argv) > 2:
        del sys.argv[:2]
        run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        return
    from adaptml.cli.app import app

    app()
