"""The application as any ASGI server can run it: `uvicorn app.main:app`."""

from app.config import load_settings
from app.web.application import create_app

app = create_app(load_settings())
