"""Questions to the rooms, answered by child processes within about a second."""

from portal.asks.core import Ask, AskError, Kind

__all__ = ["Ask", "AskError", "Kind"]
