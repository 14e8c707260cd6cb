"""How much Dask says on stderr."""

import logging


def quiet_dask(level: int) -> None:
    """Only what is of this level or above; what errors tell in one line needs no more."""
    for name in ("distributed", "tornado.application"):
        logging.getLogger(name).setLevel(level)
