"""HTTP: FastAPI, Starlette and Jinja2 live only below this package."""
