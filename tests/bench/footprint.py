"""footprint.py - memory, and how soon there is something to see"""
import os
import statistics
import subprocess
import time

import updates
from daemons import conf_collect, conf_sampler, wait_for
from measure import memory
from samplers import SAMPLERS

INTERVAL_S = 1
BEHIND_S = 0.2  # a level samples or updates this much later than the one below
SAMPLES = 5  # before memory is looked at
SMALL, LARGE = 1000, 10000  # sets


def conf_five():
    return "".join(conf_sampler(name, "n1", INTERVAL_S) for name in SAMPLERS)


def node_memory(bench, make):
    d = bench.yard.samp(make, conf_five())
    try:
        d.wait_sets(len(SAMPLERS))
        last = max(d.stamps().values()) + SAMPLES * INTERVAL_S
        wait_for(lambda: min(d.stamps().values(), default=0) >= last - 0.5, "later samples")
        return memory(d.pid)
    finally:
        bench.yard.end_all([d])


def mirror_memory(bench, make, sets):
    sources = updates.Sources(bench.yard, 1, sets)
    try:
        d = updates.aggregator(bench, make, sources, INTERVAL_S)
        last = max(d.stamps().values()) + SAMPLES * INTERVAL_S
        wait_for(lambda: min(d.stamps().values(), default=0) >= last - 0.5, "later updates", pause=0.5)
        return memory(d.pid)["Rss"]
    finally:
        bench.yard.end_all()


def run_memory(bench):
    seen = {make.title: bench.try_one(lambda m: node_memory(bench, m), make) or {} for make in bench.makes}

    def pick(*keys):
        return lambda make: sum(seen[make.title][k] for k in keys) / 1024 if seen[make.title] else None

    bench.compare("five samplers: resident", "KiB", pick("Rss"), part=1 / 2)
    bench.compare("five samplers: private", "KiB", pick("Private_Clean", "Private_Dirty"), part=1 / 2)
    bench.compare("five samplers: private and dirty", "KiB", pick("Private_Dirty"), part=1 / 2)
    bench.compare("a mirrored set of 50 u64", "bytes",
                  lambda make: (mirror_memory(bench, make, LARGE) - mirror_memory(bench, make, SMALL)) / (LARGE - SMALL),
                  part=1 / 2)


def first_answer(bench, make):
    """ms from the start of a five-sampler daemon until its own ls lists a set."""
    def listed():
        d.check()
        r = subprocess.run(make.ls(d.ports[0]), capture_output=True, text=True, env={**os.environ, **make.env})
        return "n1/" in r.stdout

    d = bench.yard.samp(make, conf_five())
    try:
        wait_for(listed, "answer", pause=0.001)
        return (time.monotonic() - d.started) * 1e3
    finally:
        bench.yard.end_all([d])


def first_data(bench, make):
    """ms from the start of a sampler and two aggregators, each a bit behind the one below, to all sets at the top."""
    ports = [bench.yard.port() for _ in range(3)]
    levels = [bench.yard.samp(make, conf_five(), ports=ports[:1])]
    for below, port in zip(ports, ports[1:]):
        conf = conf_collect([below], INTERVAL_S, BEHIND_S * len(levels))
        levels.append(bench.yard.agg(make, conf, ports=[port]))
    try:
        levels[-1].wait_sets(len(SAMPLERS), pause=0.005)
        return (time.monotonic() - levels[0].started) * 1e3
    finally:
        bench.yard.end_all(levels)


def run_start(bench):
    times = bench.pick(7, 3)
    bench.compare(f"start to the first answered ls (median of {times})", "ms",
                  lambda make: statistics.median(first_answer(bench, make) for _ in range(times)))
    bench.compare(f"start to data at the second level (worst of {times})", "ms",
                  lambda make: max(first_data(bench, make) for _ in range(times)), at_most=INTERVAL_S * 1000 + 1000)
