"""`python -m app` is `omniracle`."""

from app.cli import main

main()
