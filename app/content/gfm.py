"""GitHub-flavoured Markdown's block structure."""
