"""One way to read features and to write results: vectorised, in key order, with bound parameters."""

from adaptml.database.reading import Reader
from adaptml.database.writing import Writer


class Database(Reader, Writer):
    """The data tables of one database.

    A data table is any table or view with a text column `id`; its other columns are features: text, list
    of text, number or real vector. Names of tables and columns are looked up in the database's own
    catalogue before they are used, and quoted by its dialect; values are always bound parameters.

    Example:
        >>> with Database("sqlite:///:memory:") as database:
        ...     database.tables()
        []
    """
