"""stores.py - what rows of 50 metrics cost in each store, and how many a second there can be

A row into CSV is what an aggregator that stores takes more than the same one that does not; both makes write the same
lines.  Rows a second are seen in the file's growth, with more and more sets ten times a second, until there are no more;
source and aggregator share the machine's processors.
"""
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time

import updates
from daemons import BUILD, GaveUp, OURS, conf_collect, conf_csv, wait_for
from measure import Cpu
from rows import stored

METRICS = 50
SETS = 1000
CPU_INTERVAL_S = 0.25
RATE_INTERVAL_S = 0.1
RATE_SETS = (5000, 10000, 20000, 40000, 80000, 160000)  # until more do not give more rows
MORE = 1.1
SETTLE_S, WINDOW_S = 3, 4
TAIL = 1 << 20
FILL = os.path.join(BUILD, "tests", "bench", "sqlite_fill")


def cpu(bench, make, sources, conf=""):
    return updates.per_update(bench, make, sources, Cpu(), CPU_INTERVAL_S, bench.pick(40, 20), conf)


def cpu_per_row(bench, make, sources):
    """The median of three differences: the machine has other things to do, too."""
    return statistics.median(stored(bench, make, sources, cpu) for _ in range(bench.pick(5, 3)))


# ---- rows a second ----

class Memory:
    """A folder in memory where there is one: what is measured is no disk."""

    def __enter__(self):
        at = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.dir = tempfile.mkdtemp(prefix="ldms-bench-", dir=at)
        return self.dir

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)


def line_bytes(path):
    """Of a line, on the average of the last ones."""
    with open(path, "rb") as f:
        f.seek(max(0, os.path.getsize(path) - TAIL))
        lines = f.read().split(b"\n")[1:-1]
    if not lines:
        raise GaveUp(f"no rows in {path}")
    return sum(map(len, lines)) / len(lines) + 1


def rate(bench, make, sets):
    sources = updates.Sources(bench.yard, 2, sets, METRICS, RATE_INTERVAL_S)
    with Memory() as folder:
        d = None
        try:
            conf = conf_collect(sources.ports, RATE_INTERVAL_S, RATE_INTERVAL_S / 4) + conf_csv(folder, "synth")
            d = bench.yard.agg(make, conf, memory="4G")
            path = os.path.join(folder, "c", "synth")
            wait_for(lambda: d.check() or (os.path.exists(path) and os.path.getsize(path) > TAIL), "rows")
            time.sleep(SETTLE_S)
            before, since = os.path.getsize(path), time.monotonic()
            time.sleep(WINDOW_S)
            grown, lasted = os.path.getsize(path) - before, time.monotonic() - since
            return grown / line_bytes(path) / lasted
        finally:
            bench.yard.end_all([d] if d else [])
            sources.end()


def most_rows(bench, make):
    best = 0
    for sets in RATE_SETS:
        got = rate(bench, make, sets)
        if got < best * MORE:
            return max(got, best)
        best = got
    return best


# ---- the embedded store ----

def filled(bench, *args):
    """What sqlite_fill says: {word: number}."""
    if not os.access(FILL, os.X_OK):
        raise GaveUp(f"{FILL} is not there; make units")
    path = bench.yard.path("fill-" + "-".join(args) + ".db")
    r = subprocess.run([FILL, path, *args], capture_output=True, text=True, check=True)
    return path, {k: float(v) for k, v in re.findall(r"(\w+)=([\d.]+)", r.stdout)}


def sqlite(bench):
    """1,000 nodes, 50 metrics, a transaction each second of samples; then a day of 100 nodes and one metric, asked for."""
    try:
        _, seen = filled(bench, "1000", bench.pick("120", "30"), str(METRICS), "1")
        bench.report.line("sqlite: rows", "1/s", seen["rows_per_s"], None)
        bench.report.line("sqlite: CPU per row", "ns", seen["cpu_us_per_row"] * 1e3, None)
        bench.report.line("sqlite: of a value", "bytes", seen["bytes_per_value"], None)
        hours = bench.pick(24, 2)
        path, _ = filled(bench, "100", str(hours * 3600), "1", "60")
        since = time.monotonic()
        subprocess.run([OURS.program, "query", path, "bench", "--metric", "metric_1", "--every", "10m", "--agg", "max"],
                       stdout=subprocess.DEVNULL, check=True)
        bench.report.line(f"query: one metric of 100 nodes, {hours} h", "ms", (time.monotonic() - since) * 1e3, None)
    except (GaveUp, subprocess.CalledProcessError) as e:
        bench.report.note(f"sqlite: {e}")


def run(bench):
    sources = updates.Sources(bench.yard, 1, SETS, METRICS)
    try:
        bench.compare("CSV, 50 metrics: instructions per row", "instructions",
                      lambda make: stored(bench, make, sources, updates.instructions), part=1 / 8)
    finally:
        sources.end()
    sources = updates.Sources(bench.yard, 1, SETS, METRICS, CPU_INTERVAL_S)
    try:
        bench.compare("CSV, 50 metrics: CPU per row", "ns", lambda make: cpu_per_row(bench, make, sources), part=1 / 4)
    finally:
        sources.end()
    bench.compare("CSV, 50 metrics: rows, at most", "1/s", lambda make: most_rows(bench, make), times=5)
    sqlite(bench)
