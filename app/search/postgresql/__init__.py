"""The search engine that keeps its index in the site's PostgreSQL database, for all hosts."""
