"""Watching: what moved in the rows that came since a `label` run, compared with those that it was given."""
