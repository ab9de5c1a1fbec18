"""Omniracle: a self-hosted, bilingual Q&A knowledge site."""

__version__ = "0.1.0"
