"""The address of a database, as people and hosting companies write it."""

import sqlalchemy as sa
from sqlalchemy import exc

from adaptml.database import postgresql
from adaptml.errors import SettingsError, one_line


def parse(url: str, setting: str) -> sa.URL:
    """Read an address; a PostgreSQL is reached by psycopg unless the address names another driver.

    Args:
        url: SQLAlchemy address; `postgres://` is `postgresql://`, as libpq reads it.
        setting: what names the address, for messages.

    Raises:
        SettingsError: it is no address, or a sign in its password has to be written in another way.
    """
    try:
        parsed = sa.make_url(url)
    except (exc.ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise unreadable(error, setting) from error
    if "@" in (parsed.host or ""):  # what stands before it is the end of a password, and is not shown
        raise SettingsError(
            f"{setting} cannot be read as an address: the password before its host holds @ as it is; "
            "percent-encode it: %40 for @, %3A for :, %2F for /, %23 for #, %25 for %"
        )
    if parsed.drivername in ("postgres", postgresql.KIND):
        return parsed.set(drivername=f"{postgresql.KIND}+{postgresql.DRIVER}")
    return parsed


def unreadable(error: Exception, setting: str) -> SettingsError:
    """The error for an address that is none."""
    return SettingsError(
        f"{setting} cannot be read as an address ({one_line(error)}); expected such as sqlite:///data.db"
    )
