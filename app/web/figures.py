"""The figures of a site as Prometheus' client wants them."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from app import __version__
from app.errors import IndexUnavailable
from app.storage import articles, jobs
from app.web.state import State
from app.workers.layout import BUCKETS_S
from app.workers.reading import Worker


def exposed(here: State) -> bytes:
    """Return all figures in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(here))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, here: State) -> None:
        self._here = here

    def collect(self) -> Iterable[Metric]:
        yield from self._counted()
        yield from self._workers()
        yield from self._library()

    def _counted(self) -> Iterable[Metric]:
        totals = self._here.table.totals()
        yield CounterMetricFamily("omniracle_requests", "Requests that were begun.", totals.requests)
        yield CounterMetricFamily("omniracle_response_bytes", "Bytes of bodies that were sent.", totals.bytes_out)
        durations = HistogramMetricFamily(
            "omniracle_request_duration_seconds", "How long answers took, by route.", labels=["route"]
        )
        responses = CounterMetricFamily(
            "omniracle_responses", "Answers by route and status.", labels=["route", "status"]
        )
        for name, route in zip(self._here.table.routes, totals.routes, strict=True):
            if not any(route.buckets):
                continue
            bounds = [*map(str, BUCKETS_S), "+Inf"]
            durations.add_metric([name], list(zip(bounds, accumulate(route.buckets), strict=True)), route.seconds)
            for number, count in enumerate(route.statuses, start=1):
                if count:
                    responses.add_metric([name, f"{number}xx"], count)
        yield durations
        yield responses

    def _workers(self) -> Iterable[Metric]:
        # By slot, which a new worker takes over: a label for each process id would grow for ever.
        rows = self._here.table.rows()
        yield GaugeMetricFamily("omniracle_workers", "Workers that live.", len(rows))
        kinds: dict[str, tuple[str, Callable[[Worker], float]]] = {
            "in_flight": ("Requests that are being answered.", lambda row: row.in_flight),
            "resident_bytes": ("Resident memory.", lambda row: row.rss_bytes),
            "cpu_seconds": ("Processor time since the worker's start.", lambda row: row.cpu_seconds),
            "loop_lag_seconds": ("How late the event loop was.", lambda row: row.loop_lag_ms / 1000),
            "heartbeat_age_seconds": ("How long ago the worker reported.", lambda row: row.heartbeat_age_s),
        }
        for name, (text, value) in kinds.items():
            gauge = GaugeMetricFamily(f"omniracle_worker_{name}", text, labels=["slot"])
            for row in rows:
                gauge.add_metric([str(row.slot)], value(row))
            yield gauge

    def _library(self) -> Iterable[Metric]:
        """Yield what the stores tell, and which of them tell nothing: then the other figures are needed most."""
        is_database_up = is_index_up = 0
        with suppress(SQLAlchemyError):
            with self._here.database.read() as session:
                number, last = articles.count(session), jobs.last_id(session)
            is_database_up = 1
            yield GaugeMetricFamily("omniracle_articles", "Answers in the library.", number)
        with suppress(IndexUnavailable, SQLAlchemyError):
            generation, position = self._here.index.generation(), self._here.index.position()
            is_index_up = 1
            yield GaugeMetricFamily("omniracle_index_generation", "The state of the search index.", generation)
            if is_database_up:
                waiting = max(0, last - position)
                yield GaugeMetricFamily("omniracle_index_jobs", "Changes that wait to be indexed.", waiting)
        yield GaugeMetricFamily("omniracle_database_up", "Whether the database answers.", is_database_up)
        yield GaugeMetricFamily("omniracle_index_up", "Whether there is a search index.", is_index_up)
        version = GaugeMetricFamily("omniracle_info", "The version that runs.", labels=["version"])
        version.add_metric([__version__], 1)
        yield version
