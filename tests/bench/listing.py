"""listing.py - ls -l of 1,000 sets, each tool at each daemon"""
import os
import statistics
import subprocess
import time

import updates
from daemons import GaveUp, OURS

SETS = 1000
LIMIT_MS = 500


def tool_run(make, port):
    """(wall, CPU) in ms of one ls -l."""
    since = time.monotonic()
    proc = subprocess.Popen(make.ls(port, "-l"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            env={**os.environ, **make.env})
    sets = sum(1 for line in proc.stdout if b": consistent, " in line)
    _, status, used = os.wait4(proc.pid, 0)
    proc.returncode = status
    wall = (time.monotonic() - since) * 1e3
    if sets != SETS:
        raise GaveUp(f"{make.title}'s ls -l showed {sets} consistent sets of {SETS}")
    return wall, (used.ru_utime + used.ru_stime) * 1e3


def run(bench):
    sources = updates.Sources(bench.yard, 1, SETS)
    try:
        for server in bench.makes:
            d = sources.daemons[0] if server is OURS else updates.aggregator(bench, server, sources, 1)
            seen = {}

            def times(make, d=d, seen=seen):
                if make.title not in seen:
                    seen[make.title] = [tool_run(make, d.ports[0]) for _ in range(bench.pick(7, 3))]
                return zip(*seen[make.title])

            bench.compare(f"ls -l of {SETS:,} sets of {server.title}", "ms",
                          lambda make: statistics.median(next(times(make))), at_most=LIMIT_MS)
            bench.compare(f"ls -l of {SETS:,} sets of {server.title}: CPU", "ms",
                          lambda make: statistics.median(list(times(make))[1]))
    finally:
        bench.yard.end_all()
