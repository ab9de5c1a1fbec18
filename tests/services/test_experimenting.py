"""What is said of an experiment is true of its counts."""

import pytest

from app.models import Experiment, ExperimentMode
from app.models.columns import now
from app.services.experimenting import conclusion
from app.workers.distribution import lag_agreement


def said(mode, sequence, workers=2, **more):
    counts = [(pid, sequence.count(pid)) for pid in range(1, workers + 1)]
    experiment = Experiment(
        started_at=now(),
        mode=mode,
        requests=more.pop("requests", len(sequence)),
        concurrency=more.pop("concurrency", 1),
        server_start="1-1",
        counts=counts,
        lag_agreement=lag_agreement(sequence, workers),
        **more,
    )
    sentence = conclusion(experiment)
    return sentence.message % sentence.params


@pytest.mark.parametrize(
    ("mode", "sequence", "more", "expected"),
    [
        (ExperimentMode.NEW, [1, 2] * 100, {}, "almost in turn"),
        (ExperimentMode.NEW, [2] * 200, {}, "One worker took all 200"),
        (ExperimentMode.NEW, [1, 1, 2, 1] * 50, {}, "one worker took 150 of 200 new connections, another 50"),
        (ExperimentMode.NEW, [1, 2, 2], {}, "Too few to say more"),
        (ExperimentMode.NEW, [1], {}, "New connections: 1, to 1 of 2 workers"),
        (ExperimentMode.NEW, [1, 2] * 100, {"has_own_queues": True}, "A hash of the addresses"),
        (ExperimentMode.NEW, [1] * 20, {"workers": 1}, "There is only one worker"),
        (ExperimentMode.KEPT, [1] * 50, {}, "One keep-alive connection, one worker: all 50"),
        (ExperimentMode.KEPT, [1] * 30 + [2] * 20, {}, "1 keep-alive connections went to 2 of 2"),
        (ExperimentMode.KEPT, [1] * 30, {"failed": 20, "requests": 50}, "30 of 50 requests"),
        (ExperimentMode.KEPT, [1, 2] * 50, {"concurrency": 16}, "16 keep-alive connections went to 2 of 2"),
        (ExperimentMode.BLOCKED, [2] * 60, {"blocked_pid": 1}, "it took 0 of 60 new connections"),
        (ExperimentMode.BLOCKED, [1] * 9 + [2] * 30, {"blocked_pid": 1, "has_own_queues": True}, "was handed 9 of 39"),
    ],
)
def test_the_sentence(mode, sequence, more, expected):
    assert expected in said(mode, sequence, **more)
