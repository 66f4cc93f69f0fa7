"""samplers.py - what a sample costs a daemon that runs one sampler: schedule, transaction and all"""
import os
import re
import subprocess
import time

from daemons import BUILD, GaveUp, conf_sampler, micros
from measure import Allocs, Cpu, Instructions, compiled, stretch, window

SAMPLERS = {"loadavg": 5, "meminfo": 10, "vmstat": 10, "procstat2": 10, "procnetdev2": 10}  # name: gain in instructions
FILES = {"loadavg": "/proc/loadavg", "meminfo": "/proc/meminfo", "vmstat": "/proc/vmstat", "procstat2": "/proc/stat",
         "procnetdev2": "/proc/net/dev"}
SLOW_S = 0.5   # interval under callgrind
FAST_S = 0.01  # interval of the native run: a window of seconds holds hundreds of samples
SETTLE_S = 0.2  # until the floor has started
PHASE = 0.1    # a sample is over by then


def floor(bench, name):
    """CPU ns of a wake-up and one pread of the sampler's file, at the interval of the native run."""
    exe = compiled(bench.yard, "floor.c")
    proc = subprocess.Popen([exe, FILES[name], str(micros(FAST_S))])
    try:
        meter, rounds = Cpu(), bench.pick(500, 200)
        time.sleep(SETTLE_S)
        meter.start(proc.pid)
        time.sleep(rounds * FAST_S)
        if proc.poll() is not None:
            raise GaveUp(f"floor.c ended with {proc.returncode}")
        return meter.stop(proc.pid) / rounds
    finally:
        proc.kill()
        proc.wait()


def in_a_loop(bench):
    """{sampler: (CPU ns of a sample, CPU ns of one pread of its file)}, without wake-ups and with warm caches."""
    exe = compiled(bench.yard, "samplers.c", os.path.join(BUILD, "libldms.a"), "-lev", "-lnettle", "-lpthread", "-lm")
    r = subprocess.run([exe], capture_output=True, text=True)
    if r.returncode:
        raise GaveUp(f"samplers.c: {r.stderr.strip()[-300:]}")
    return {m[1]: (float(m[2]), float(m[3]))
            for m in re.finditer(r"^(\w+) +CPU +(\d+) ns a sample +bare pread +(\d+) ns", r.stdout, re.M)}


def measure(bench, make, name, meter, interval_s, rounds):
    d = bench.yard.samp(make, conf_sampler(name, "n1", interval_s), wrap=meter.wrap, env=meter.env)
    try:
        d.wait_sets(1)
        if interval_s == FAST_S:
            used, share = stretch(d, meter, interval_s, rounds)
        else:
            used, share = window(d, meter, interval_s, PHASE, rounds, 1)
        bench.came(f"{make.title}, {name}, {type(meter).__name__}", share)
        return used
    finally:
        bench.yard.end_all([d])


def run(bench):
    loops = bench.try_one(lambda make: in_a_loop(bench), bench.makes[0]) or {}
    for name, gain in SAMPLERS.items():
        bench.compare(f"{name}: instructions per sample", "instructions",
                      lambda make: measure(bench, make, name, Instructions(bench.yard), SLOW_S, bench.pick(20, 8)),
                      part=1 / gain)
        bench.compare(f"{name}: CPU per sample", "ns",
                      lambda make: measure(bench, make, name, Cpu(), FAST_S, bench.pick(500, 200)))
        bench.report.line(f"{name}: floor, a wake-up and a pread", "ns",
                          bench.try_one(lambda make: floor(bench, name), bench.makes[0]), None)
        sample, pread = loops.get(name, (None, None))
        bench.report.line(f"{name}: a sample in a loop", "ns", sample, None)
        bench.report.line(f"{name}: floor, a pread in a loop", "ns", pread, None)
        bench.compare(f"{name}: allocations per sample", "calls",
                      lambda make: measure(bench, make, name, Allocs(bench.yard), FAST_S, bench.pick(200, 100)), at_most=0)
