"""Captures are collected on a cluster, and a worker of it goes away meanwhile."""

import os
import signal
import threading
import time

import pytest

from netinterf import Campaign
from netinterf.campaign.collecting.executors import dask_executor
from netinterf.errors import UsageError
from tests.unit.campaign.captures import entries, observations, write

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="workers are ended otherwise there"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),  # of what is not ours
]
distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")


def test_a_worker_that_goes_away_loses_nothing(tmp_path):
    """It is ended in the middle of a batch: the rows are those of a collect without a cluster."""
    write(tmp_path / "in", 40)
    Campaign(tmp_path / "whole").collect(tmp_path / "in")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        workers = [worker.pid for worker in cluster.workers.values()]

        def end_one():
            while len(list((tmp_path / "s" / "captures").glob("*"))) < 2:
                time.sleep(0.01)
            os.kill(workers[0], signal.SIGKILL)

        threading.Thread(target=end_one).start()
        with dask_executor(cluster.scheduler_address) as (executor, at_once):
            assert at_once == 2
            counts = Campaign(tmp_path / "s").collect(tmp_path / "in", executor=executor, in_flight=4)
    assert counts.judged == 40
    assert observations(tmp_path / "s") == observations(tmp_path / "whole")
    assert entries(tmp_path / "s") == entries(tmp_path / "whole")


def test_a_scheduler_that_is_not_there_is_one_line():
    """Its address is named."""
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(UsageError, match="no scheduler of Dask answers at tcp://127"),
        dask_executor("tcp://127.0.0.1:9"),
    ):
        pass
