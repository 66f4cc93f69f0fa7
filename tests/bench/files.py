"""files.py - a configuration of 30,000 producers: reading it, and asking for their status; a cluster file of as many nodes"""
import os
import subprocess
import sys
import time

from daemons import OURS, wait_for
from listing import children_cpu

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))
from wire import Wire  # noqa: E402

PRDCRS = 30000
STATUS = 0x104
READ_MS, STATUS_MS, CLUSTER_MS = 500, 1000, 1000


def conf(start):
    """They are nowhere: what is measured is not the connecting."""
    return "".join(f"prdcr_add name=n{i:05d} type=active xprt=sock host=127.1.{i // 250}.{i % 250 + 1} port=1 "
                   f"reconnect=600s\n" + (f"prdcr_start name=n{i:05d}\n" if start else "") for i in range(PRDCRS))


def check_ms(bench, make):
    """CPU time of `ldms check`: all lines are read and tried, and nothing is begun."""
    if make is not OURS:
        return None
    path = bench.yard.write("producers.conf", conf(True) + "updtr_add name=u interval=1s\nupdtr_start name=u\n"
                                                           "updtr_prdcr_add name=u regex=.*\n")
    before = children_cpu()
    subprocess.run([*make.ls(1)[:1], "check", "--strict", path], check=True)
    return (children_cpu() - before) * 1e3


def cluster_ms(bench, make, *words):
    """CPU time of reading a cluster file of so many nodes, with aggregators on two levels, and doing something with it."""
    if make is not OURS:
        return None
    program = make.ls(1)[0]
    nodes = subprocess.run([program, "plan", "--nodes", f"n[00001-{PRDCRS}]", "--aggs", "100", "--stores", "1", "--samp",
                            "meminfo loadavg"], check=True, capture_output=True, text=True).stdout
    path = bench.yard.write("cluster.yaml", nodes)
    before = children_cpu()
    subprocess.run([program, *words, path], check=True, stdout=subprocess.DEVNULL)
    return (children_cpu() - before) * 1e3


def status_ms(bench, make):
    """From the question to the last byte of the answer."""
    if make is not OURS:
        return None
    d = bench.yard.agg(make, conf(False))
    try:
        wait_for(lambda: listens(d.ports[0]), "a port")
        peer, times = Wire(d.ports[0]).accepted(), []
        for _ in range(3):
            begun = time.monotonic()
            peer.control(STATUS)
            times.append((time.monotonic() - begun) * 1e3)
        return min(times)
    finally:
        bench.yard.end_all([d])


def listens(port):
    try:
        Wire(port).sock.close()
        return True
    except OSError:
        return False


def run(bench):
    bench.compare(f"{PRDCRS:,} producers: read and tried", "ms", lambda make: check_ms(bench, make), at_most=READ_MS)
    bench.compare(f"{PRDCRS:,} producers: prdcr_status", "ms", lambda make: status_ms(bench, make), at_most=STATUS_MS)
    for name, words in (("checked", ("check",)), ("the configurations of all", ("maestro", "plan"))):
        bench.compare(f"{PRDCRS:,} nodes in a cluster file: {name}", "ms",
                      lambda make, words=words: cluster_ms(bench, make, *words), at_most=CLUSTER_MS)
