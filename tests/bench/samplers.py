"""samplers.py - what a sample costs a daemon that runs one sampler: schedule, transaction and all"""
import os
import re
import subprocess
import sys
import threading
import time

from daemons import BUILD, ROOT, GaveUp, conf_sampler, micros
from measure import Allocs, Cpu, Instructions, compiled, stretch, window

sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))
from trees import Tree  # noqa: E402

TENTH, FIFTH = 10, 5  # gain in instructions; a fifth where ldmsd needs less than 20,000, so that the schedule counts
SAMPLERS = {"loadavg": FIFTH, "meminfo": TENTH, "vmstat": TENTH, "procstat2": TENTH, "procnetdev2": TENTH}
FILES = {"loadavg": "/proc/loadavg", "meminfo": "/proc/meminfo", "vmstat": "/proc/vmstat", "procstat2": "/proc/stat",
         "procnetdev2": "/proc/net/dev"}
OTHERS = {  # of these the instructions and allocations alone: (attributes, gain)
    "clock": ({}, None),
    "dstat": ({"io": 1, "stat": 1, "statm": 1}, TENTH),
    "dstat, all groups": ({"io": 1, "stat": 1, "statm": 1, "mmalloc": 1, "fd": 1, "fdtypes": 1, "sc_clk_tck": 1}, TENTH),
    "filesingle": ({"conf": "FILES"}, FIFTH),
    "procdiskstats": ({}, TENTH),
    "procinterrupts": ({}, TENTH),
    "procnet": ({}, TENTH),
    "procnetdev": ({"ifaces": "lo,eth0"}, TENTH),
    "procstat": ({}, FIFTH),
}
SINGLES = "".join(f"v{i} /proc/sys/vm/{name} U64 0\n" for i, name in enumerate(
    ("dirty_ratio", "swappiness", "min_free_kbytes", "overcommit_memory")))
LARGE = {  # on made-up files of a large machine, which are mounted in place of these: (file, one step of its time, gain)
    "procstat2, 256 processors": ("/proc/stat", lambda t, step: t.cpus(256, step=step), TENTH),
    "procstat, 256 processors": ("/proc/stat", lambda t, step: t.cpus(256, step=step), TENTH),
    "procinterrupts, 256 processors": ("/proc/interrupts", lambda t, step: t.cpus(256, step=step), TENTH),
    "procdiskstats, 200 disks": ("/proc/diskstats", lambda t, step: t.disks(200, step=step), TENTH),
}
LUSTRE_OPS = ("ioctl open close mmap page_fault seek fsync readdir setattr truncate flock getattr create unlink mkdir rename "
              "statfs alloc_inode setxattr getxattr getxattr_hits removexattr inode_permission").split()
MEMORY = "256M"  # for sets of a large machine
SLOW_S = 0.5   # interval under callgrind
FAST_S = 0.01  # interval of the native run: a window of seconds holds hundreds of samples
SETTLE_S = 0.2  # until the floor has started
PHASE = 0.1    # a sample is over by then


def floor_cpu(bench, files, interval_s, rounds, shared=False):
    """CPU ns a round of bare preads: each file with a wake-up of its own, or all with one."""
    proc = subprocess.Popen([compiled(bench.yard, "floor.c", "-lpthread"), *(["-1"] if shared else []),
                             str(micros(interval_s)), *files])
    try:
        meter = Cpu()
        time.sleep(SETTLE_S)
        meter.start(proc.pid)
        time.sleep(rounds * interval_s)
        if proc.poll() is not None:
            raise GaveUp(f"floor.c ended with {proc.returncode}")
        return meter.stop(proc.pid) / rounds
    finally:
        proc.kill()
        proc.wait()


def in_a_loop(bench):
    """{sampler: (CPU ns of a sample, CPU ns of one pread of its file)}, without wake-ups and with warm caches."""
    exe = compiled(bench.yard, "samplers.c", os.path.join(BUILD, "libldms.a"), "-lev", "-lnettle", "-ljansson",
                   "-lpthread", "-lm")
    r = subprocess.run([exe], capture_output=True, text=True)
    if r.returncode:
        raise GaveUp(f"samplers.c: {r.stderr.strip()[-300:]}")
    return {m[1]: (float(m[2]), float(m[3]))
            for m in re.finditer(r"^(\w+) +CPU +(\d+) ns a sample +bare pread +(\d+) ns", r.stdout, re.M)}


def instead(tree, path):
    """A wrap that runs a daemon with a file of the tree in place of the system's, if we may do that."""
    r = subprocess.run(["unshare", "-m", "mount", "--bind", tree.path(path), path], capture_output=True, text=True)
    if r.returncode:
        raise GaveUp(f"{path} cannot be replaced for a daemon: {r.stderr.strip()}")
    return ("unshare", "-m", "sh", "-c", f"mount --bind {tree.path(path)} {path} && exec \"$@\"", "sh")


def measure(bench, make, name, meter, interval_s, rounds, attrs=None, wrap=(), sets=1):
    """`name` is the sampler's, and maybe more words behind a comma."""
    d = bench.yard.samp(make, conf_sampler(name.split(",")[0], "n1", interval_s, **(attrs or {})),
                        wrap=(*wrap, *meter.wrap), env=meter.env, memory=MEMORY if wrap else None)
    try:
        d.wait_sets(sets)
        if interval_s == FAST_S:
            used, share = stretch(d, meter, interval_s, rounds)
        else:
            used, share = window(d, meter, interval_s, PHASE, rounds, sets)
        if name != "procnet":  # whose sets move when there is something new
            bench.came(f"{make.title}, {name}, {type(meter).__name__}", share)
        return used
    finally:
        bench.yard.end_all([d])


def run_one(bench, name, gain, **how):
    """Instructions and allocations."""
    bench.compare(f"{name}: instructions per sample", "instructions",
                  lambda make: measure(bench, make, name, Instructions(bench.yard), SLOW_S, bench.pick(20, 8), **how),
                  **({"part": 1 / gain} if gain else {}))
    bench.compare(f"{name}: allocations per sample", "calls",
                  lambda make: measure(bench, make, name, Allocs(bench.yard), FAST_S, bench.pick(200, 100), **how), at_most=0)


def run(bench):
    loops = bench.try_one(lambda make: in_a_loop(bench), bench.makes[0]) or {}
    for name, gain in SAMPLERS.items():
        run_one(bench, name, gain)
        bench.compare(f"{name}: CPU per sample", "ns",
                      lambda make: measure(bench, make, name, Cpu(), FAST_S, bench.pick(500, 200)))
        bench.report.line(f"{name}: floor, a wake-up and a pread", "ns",
                          bench.try_one(lambda make: floor_cpu(bench, [FILES[name]], FAST_S, bench.pick(500, 200)),
                                        bench.makes[0]), None)
        sample, pread = loops.get(name, (None, None))
        bench.report.line(f"{name}: a sample in a loop", "ns", sample, None)
        bench.report.line(f"{name}: floor, a pread in a loop", "ns", pread, None)


class Busy:
    """Makes a step of the tree's time between any two samples of SLOW_S."""

    def __init__(self, tree, step):
        self.tree, self.step, self.end = tree, step, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        k = 0
        while not self.end.wait(SLOW_S - (time.time() - SLOW_S / 2) % SLOW_S):
            k += 1
            self.step(self.tree, k)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()


def lustre_step(tree, step, mounts=4):
    """Files of a client of which two in three operations go on; the folder stands for llite."""
    for i in range(mounts):
        tree.lustre_mount(f"fs{i}-ffff{i}", step=step, at="", **{
            op: 1000 * k + i + (step if k % 3 else 0) for k, op in enumerate(LUSTRE_OPS)})


def run_lustre(bench):
    tree = Tree(bench.yard.path("lustre"))
    lustre_step(tree, 0)
    with Busy(tree, lustre_step):
        run_one(bench, "lustre_client, a mount of four", TENTH, attrs={"test_path": tree.path("/llite")}, sets=4)


def run_all(bench):
    """The other samplers that both have, and large machines."""
    files = bench.yard.write("singles", SINGLES)
    for name, (attrs, gain) in OTHERS.items():
        run_one(bench, name, gain, attrs={k: files if v == "FILES" else v for k, v in attrs.items()})
    run_lustre(bench)
    tree = Tree(bench.yard.path("tree")).cpus(256).disks(200)
    for name, (path, step, gain) in LARGE.items():
        wrap = bench.try_one(lambda make: instead(tree, path), bench.makes[0])
        if wrap:
            with Busy(tree, step):
                run_one(bench, name, gain, wrap=wrap)
