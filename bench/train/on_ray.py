"""The engine that trains on a Ray cluster: one task a trial. Ray places tasks and tries lost ones again.

Every machine must have this package, the data and the working directory at the same path: checkpoints lie there, so
that a task which is tried again goes on where the lost one was. Results go to the store from where they are made.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from bench.errors import BenchError, first_line
from bench.plan import Trial
from bench.request import Request
from bench.train.interface import Ended, Order, Watcher
from bench.train.processes import TRIES
from bench.train.signals import Interrupts
from bench.train.worker import Event, Reporter, Site, Work, show, train

GPU_SHARE = 0.25
"""The part of a GPU that a trial asks for: these nets leave most of one idle."""
PATIENCE = 120.0
"""Seconds that a second try waits for the lock of a lost machine, which an NFS server keeps for up to 90 s."""


def _task(request: Request, order: Order, site: Site, work: Work, mailbox: Any) -> Ended:
    """One trial, in a process of Ray."""
    import ray

    def send(event: Event) -> None:
        with contextlib.suppress(ray.exceptions.RayError):  # nobody looks any more
            mailbox.put(event)

    site.enter()
    with Interrupts(impatient=False) as interrupts:
        return work(request, order, Reporter(order.number, send), interrupts)


@contextlib.contextmanager
def cluster(
    address: str,
    request: Request,
    trials: Sequence[Trial],
    gpu_share: float | None,
    store: str,
    slots: int | None = None,
) -> Iterator[OnRay]:
    """The cluster at `address`: 'local' starts one here for as long as this lasts, 'auto' takes the one that runs here.

    `slots` is how many trials a local one takes at once, by default one a core.

    BenchError where it cannot be reached, has no GPU though one is asked for, or spans machines that cannot share the
    store.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Its future default, which says so at length otherwise; tasks here never ask for zero GPUs in order to hide them.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise BenchError("--ray needs Ray: pip install 'gan-bench[ray]'") from error
    where: dict[str, Any] = {"address": address}
    if address == "local":
        where |= {"include_dashboard": False, "_node_ip_address": "127.0.0.1", "num_cpus": slots}
    elif address != "auto":
        _check_listens(address)
    if address.startswith("127."):  # Ray itself would look for the node of this machine's outer address
        where["_node_ip_address"] = address.partition(":")[0]
    try:
        ray.init(**where, log_to_driver=False, logging_level="ERROR")
    except Exception as error:  # ConnectionError, RuntimeError, ValueError, as the mood takes it
        raise _unreachable(address, first_line(error)) from error
    try:
        _check_store(store)
        yield OnRay(request, trials, _gpus(address, request, gpu_share), train)
    finally:
        ray.shutdown()


def _unreachable(address: str, cause: str) -> BenchError:
    return BenchError(
        f"--ray {address}: {cause}; allowed is local, auto or HOST:PORT of a running head, with RAY_AUTH_TOKEN where "
        "that asks for one"
    )


def _check_listens(address: str) -> None:
    """BenchError where nothing listens there: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, ValueError, OverflowError) as error:
        cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _unreachable(address, f"nothing answers there ({cause})") from error


def _gpus(address: str, request: Request, share: float | None) -> float:
    """The part of a GPU that each task asks for. One that asks for what is not there would wait for ever."""
    import ray

    there = ray.cluster_resources().get("GPU", 0)
    wanted = share is not None or request.device == "cuda"
    if wanted and not there:
        raise BenchError(
            f"--ray {address}: the cluster has no GPU, and trials that ask for one would wait for ever; "
            "leave --gpu-share out and use --device auto or cpu, or add a node with one"
        )
    return (share or GPU_SHARE) if there and request.device in ("auto", "cuda") else 0.0


def _check_store(uri: str) -> None:
    import ray

    from bench.track import shown

    machines = {node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]}
    if len(machines) > 1 and not uri.startswith("http"):
        raise BenchError(
            f"the cluster has {len(machines)} machines, which cannot share the store {shown(uri)}; start "
            "'mlflow server' and set MLFLOW_TRACKING_URI to its address"
        )


class OnRay:
    """The tasks of a cluster that is connected to; each takes one CPU thread and `gpus` of a GPU."""

    def __init__(self, request: Request, trials: Sequence[Trial], gpus: float, work: Work) -> None:
        self.request, self.gpus, self.work = request, gpus, work
        self.trials = dict(enumerate(trials))

    def run(self, orders: Sequence[Order], watcher: Watcher, interrupts: Interrupts) -> Iterator[Ended]:
        """See `Engine`."""
        import ray
        from ray.util.queue import Queue
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        mailbox = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})
        options = {"num_cpus": 1, "num_gpus": self.gpus, "max_retries": TRIES - 1}
        task = ray.remote(**options)(_task)
        site = Site.here(threads=1)
        # Whether a task is the second try of a trial, it cannot know: it always waits for another one to be dead.
        asked = (replace(order, patience=PATIENCE) for order in orders)
        running = {task.remote(self.request, order, site, self.work, mailbox): order for order in asked}
        told = False
        while running:
            if interrupts.pending and not told:
                told = True
                for reference in running:
                    ray.cancel(reference)
            done, _ = ray.wait(list(running), timeout=0.2)
            self._show(mailbox, watcher)
            for reference in done:
                order = running.pop(reference)
                try:
                    yield ray.get(reference)
                except (ray.exceptions.TaskCancelledError, KeyboardInterrupt):
                    pass
                except ray.exceptions.RayTaskError as error:
                    if not isinstance(error.cause, KeyboardInterrupt):
                        raise error.cause from error
                except ray.exceptions.RayError as error:  # of the worker or its machine
                    if not told:
                        lost = f"its process died {TRIES} times: {first_line(error)}"
                        yield Ended(order.number, lost=lost, patience=order.patience)
        interrupts.obey()

    def _show(self, mailbox: Any, watcher: Watcher) -> None:
        import ray

        with contextlib.suppress(ray.exceptions.RayError):
            for event in mailbox.get_nowait_batch(mailbox.qsize()):
                show(event, self.trials, watcher)
