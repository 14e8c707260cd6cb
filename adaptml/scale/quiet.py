"""How much Dask says on stderr."""

import logging


def quiet_dask(level: int) -> None:
    """Only what is of this level or above; what errors tell in one line needs no more."""
    # Dask gives its client a level of its own.
    for name in ("distributed", "distributed.client", "tornado.application"):
        logging.getLogger(name).setLevel(level)
