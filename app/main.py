"""The application as any ASGI server can run it: `uvicorn app.main:app`."""

import logging

from app import logs
from app.environment import load_settings
from app.web.application import create_app

logs.configure(logging.INFO)
app = create_app(load_settings())
