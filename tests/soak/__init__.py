"""Faults, one after the other, on a real server with four workers while people write and read; nothing may be lost.

`make soak` runs it for minutes, tests/e2e/test_soak.py for seconds. Which fault survives what is in docs/deploying.md.
"""
