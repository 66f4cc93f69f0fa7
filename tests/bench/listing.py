"""listing.py - ls -l of 1,000 sets, each tool at each daemon"""
import os
import resource
import statistics
import subprocess
import time

import updates
from daemons import GaveUp, OURS

SETS = 1000
LIMIT_MS = 500
HANGS_S = 15  # then a tool is ended
CONSISTENT = ": consistent, "  # stands in the head of each set


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def tool_run(make, port):
    """(wall, CPU) in ms of one ls -l."""
    wall, cpu = time.monotonic(), children_cpu()
    try:
        r = subprocess.run(make.ls(port, "-l"), capture_output=True, text=True, timeout=HANGS_S,
                           env={**os.environ, **make.env})
    except subprocess.TimeoutExpired as e:
        seen = (e.stdout or b"").count(CONSISTENT.encode())
        raise GaveUp(f"{make.title}'s ls -l does not end: {seen} sets of {SETS} in {HANGS_S} s") from None
    wall, cpu = time.monotonic() - wall, children_cpu() - cpu
    if r.stdout.count(CONSISTENT) != SETS:
        raise GaveUp(f"{make.title}'s ls -l showed {r.stdout.count(CONSISTENT)} consistent sets of {SETS}")
    return wall * 1e3, cpu * 1e3


def tool_times(bench, make, port):
    """The medians of some runs."""
    return [statistics.median(t) for t in zip(*(tool_run(make, port) for _ in range(bench.pick(7, 3))))]


def run(bench):
    sources = updates.Sources(bench.yard, 1, SETS)
    try:
        for server in bench.makes:
            d = sources.daemons[0] if server is OURS else updates.aggregator(bench, server, sources, 1)
            seen = {make: bench.try_one(lambda m: tool_times(bench, m, d.ports[0]), make) or (None, None)
                    for make in bench.makes}
            words = f"ls -l of {SETS:,} sets of {server.title}"
            bench.compare(words, "ms", lambda make: seen[make][0], at_most=LIMIT_MS)
            bench.compare(f"{words}: CPU", "ms", lambda make: seen[make][1])
    finally:
        bench.yard.end_all()
