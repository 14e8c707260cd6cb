"""The first page: tasks and where each stands, tables, jobs, services."""
