"""The database: every SQL statement stands below this package."""
