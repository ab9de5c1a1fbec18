"""The worker processes: the table in which each reports."""
