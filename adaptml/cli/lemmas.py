"""`adaptml lemmas TEXT`: what becomes of the words of a text."""

from typing import Annotated

import typer
from rich.cells import cell_len, set_cell_size

from adaptml.errors import TaskError
from adaptml.project import Project


def command(
    text: Annotated[str, typer.Argument(help="Any text.")],
    language: Annotated[
        str | None, typer.Option(help="ISO code of its language. Default: en.", show_default=False)
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(metavar="TASK", help="In the language of this task instead.", show_default=False),
    ] = None,
) -> None:
    """Show the tokens of a text and their lemmas, which keyword rules look for.

    A sign, such as a comma, has no lemma. Of a hashtag and of CamelCase the words inside count as well.

    Example: `adaptml lemmas "We can't cancel! #CustomerService" --language en`
    """
    from adaptml.features.lemmas import DEFAULT_LANGUAGE, has_lemmas, token_lemmas
    from adaptml.features.words import split
    from adaptml.tasks.schema import LANGUAGE, LANGUAGE_CODE

    if language is not None and task is not None:
        raise TaskError(f"given --language {language} and --task {task}; give one of them")
    if task is not None:
        with Project() as project:
            language = project.task(task).language
    chosen = language or DEFAULT_LANGUAGE
    if not LANGUAGE.fullmatch(chosen):
        raise TaskError(f"--language is {chosen!r}; expected {LANGUAGE_CODE}")
    rows = [(token, " ".join(token_lemmas(token, chosen)) or "–") for token in split(text)]
    width = max(cell_len(token) for token, _ in [("token", ""), *rows])
    for token, lemmas in [("token", "lemmas"), *rows]:
        typer.echo(f"{set_cell_size(token, width)}  {lemmas}")  # not by rich, which reads names of emoji
    if not has_lemmas(chosen):
        typer.echo(f"no dictionary for the language {chosen}: words stay as they are written")
