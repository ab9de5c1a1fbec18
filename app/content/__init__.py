"""Pure: Markdown text in, values out."""
