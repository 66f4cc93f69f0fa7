"""updates.py - what an update of a mirrored set costs an aggregator

The sources are our samplers with made-up sets of 50 u64, and the same for both aggregators.
"""
import math
import subprocess
import time

from daemons import GaveUp, OURS, conf_collect, conf_sampler
from measure import Allocs, Calls, Cpu, Instructions, compiled, window

METRICS = 50
OFFSET = 0.2  # of the interval: the sources sample at 0
PHASE = 0.8   # a round is over by then, or the aggregator does not keep up
MEMORY = "1G"
SLOW_UPDATES = 2500  # a second: what an aggregator manages under callgrind or strace
SETS_CALLS_MAX = 40  # a round of 1,000 sets of one producer, on each side


class Sources:
    """Producers that together serve this many sets, 1 a second unless said."""

    def __init__(self, yard, producers, sets, metrics=METRICS, interval_s=1):
        self.yard, self.sets = yard, sets
        each = sets // producers
        self.daemons = [yard.samp(OURS, conf_sampler("synth", f"p{i}", interval_s, sets=each, metrics=metrics), memory=MEMORY)
                        for i in range(producers)]
        self.ports = [d.ports[0] for d in self.daemons]
        for d in self.daemons:
            d.wait_sets(each)

    def end(self):
        self.yard.end_all(self.daemons)


def aggregator(bench, make, sources, interval_s, conf="", meter=None):
    d = bench.yard.agg(make, conf_collect(sources.ports, interval_s, OFFSET * interval_s) + conf, memory=MEMORY,
                       wrap=meter.wrap if meter else (), env=meter.env if meter else None)
    d.wait_sets(sources.sets, pause=1)
    return d


def per_update(bench, make, sources, meter, interval_s, rounds, conf="", warm=0):
    d = aggregator(bench, make, sources, interval_s, conf, meter)
    try:
        used, share = window(d, meter, interval_s, PHASE, rounds, sources.sets, warm)
        bench.came(f"{make.title}, {sources.sets} sets of {len(sources.ports)}, {type(meter).__name__}", share)
        return used
    finally:
        bench.yard.end_all([d])


def slow(sets):
    """An interval, in whole seconds, in which an aggregator under a slow tool keeps up."""
    return math.ceil(1 + sets / SLOW_UPDATES)


def instructions(bench, make, sources, conf="", rounds=2):
    return per_update(bench, make, sources, Instructions(bench.yard), slow(sources.sets), rounds, conf)


def cpu(bench, make, sources, conf=""):
    return per_update(bench, make, sources, Cpu(), 1, bench.pick(10, 5), conf)


def calls(bench, make, sources):
    return per_update(bench, make, sources, Calls(bench.yard), slow(sources.sets), bench.pick(3, 2))


def allocs(bench, make, sources):
    return per_update(bench, make, sources, Allocs(bench.yard), 1, 3, warm=3)


def source_calls(bench, make, sources):
    """System calls of the first source in a round, its own sampling included."""
    d = aggregator(bench, make, sources, 1)
    try:
        used, share = window(sources.daemons[0], Calls(bench.yard), 1, PHASE, 4, 1)
        bench.came(f"the source of {make.title}", share / (sources.sets // len(sources.ports)))
        return used
    finally:
        bench.yard.end_all([d])


def scenario(bench, producers, sets, cpu_part, instructions_part):
    words = f"{sets:,} sets of {producers}"
    sources = Sources(bench.yard, producers, sets)
    try:
        bench.compare(f"{words}: instructions per update", "instructions",
                      lambda make: instructions(bench, make, sources), part=instructions_part)
        bench.compare(f"{words}: CPU per update", "ns", lambda make: cpu(bench, make, sources), part=cpu_part)
        if (producers, sets) == (1, 1000):
            bench.compare(f"{words}: system calls per round", "calls",
                          lambda make: calls(bench, make, sources) * sets, at_most=SETS_CALLS_MAX)
            bench.compare(f"{words}: the source's calls per round", "calls",
                          lambda make: source_calls(bench, make, sources), at_most=SETS_CALLS_MAX)
        else:
            bench.compare(f"{words}: system calls per update", "calls", lambda make: calls(bench, make, sources))
        bench.compare(f"{words}: allocations per update", "calls", lambda make: allocs(bench, make, sources), at_most=0)
    finally:
        sources.end()


def run(bench):
    scenario(bench, 1, 1000, None, None)
    scenario(bench, 16, 1000 // 16 * 16, None, None)
    scenario(bench, 1, 10000, 1 / 3, 1 / 3)
    scenario(bench, 16, 10000, 1 / 3, 1 / 3)


def exchange_floor(bench, producers):
    """CPU ns of a message to another process of this machine and its answer, for that many of them once a second."""
    proc = subprocess.Popen([compiled(bench.yard, "exchange.c"), str(producers)], stdout=subprocess.PIPE, text=True)
    try:
        if not proc.stdout.readline():
            raise GaveUp(f"exchange.c ended with {proc.wait()}")
        meter, rounds = Cpu(), bench.pick(10, 5)
        meter.start(proc.pid)
        time.sleep(rounds)
        return meter.stop(proc.pid) / (rounds * producers)
    finally:
        proc.kill()
        proc.wait()


def run_many(bench):
    many = bench.pick(500, 100)
    scenario(bench, many, many, 1 / 2, None)
    bench.report.line(f"{many:,} sets of {many}: floor, an exchange", "ns",
                      bench.try_one(lambda make: exchange_floor(bench, many), bench.makes[0]), None)
