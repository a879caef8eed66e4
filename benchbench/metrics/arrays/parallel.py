"""Threads: several frames in parallel, each with single-threaded BLAS.

Each frame is computed by one thread and results are combined in the order of the frames, so no
result depends on the number of threads. BLAS is limited to one thread because it splits its sums
differently for each number of threads, and because its idle threads use CPU time when several
processes share a machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

__all__ = ["ordered_map", "single_threaded_blas"]

A = TypeVar("A")
B = TypeVar("B")


def single_threaded_blas() -> AbstractContextManager[Any]:
    """A context in which the loaded BLAS libraries use one thread."""
    limits: AbstractContextManager[Any] = threadpool_limits(1, "blas")
    return limits


def ordered_map(function: Callable[[A], B], items: Iterable[A], threads: int) -> Iterator[B]:
    """Map in the order of `items`; at most two results per thread wait in memory."""
    threads = min(threads, os.cpu_count() or 1)
    if threads == 1:
        yield from map(function, items)
        return
    queue = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        waiting: list[Future[B]] = [
            pool.submit(function, item) for item in islice(queue, 2 * threads)
        ]
        while waiting:
            result = waiting.pop(0).result()
            waiting.extend(pool.submit(function, item) for item in islice(queue, 1))
            yield result
