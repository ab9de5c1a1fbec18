"""The search index: every import of Whoosh stands below this package."""
