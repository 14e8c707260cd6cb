"""The command line: one file a command, which parses, calls and prints."""


def main() -> None:
    """Run the command line."""
    from adaptml.cli.app import app

    app()
