#!/usr/bin/env python3
"""What it costs to keep many daemons: `ldms maestro` with a link to each of N, which are a few processes on loopback.

    python3 tests/bench/maestro.py [-n 10000] [--seconds 20] [--poll 5s]

Prints the time until all agree, and the processor and memory that maestro then takes, polling them.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from ldms import LDMS, free_port, wait_for  # noqa: E402

PROCESSES = 4
LIMITS = "limits conns=0 conns_per_addr=0 guests=0\n"


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def private_mb(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return sum(int(n) for n in re.findall(r"^Private_\w+: +(\d+) kB", f.read(), re.M)) / 1024


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-n", type=int, default=10000, help="daemons")
    p.add_argument("--seconds", type=float, default=20, help="of the steady state")
    p.add_argument("--poll", default="5s", help="as maestro's")
    o = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        conf, log, path = (os.path.join(folder, f) for f in ("limits.conf", "maestro.log", "cluster.yaml"))
        with open(conf, "w") as f:
            f.write(LIMITS)
        ports = [free_port() for _ in range(PROCESSES)]
        # every address of 127.0.0.0/8 is this machine
        hosts = [f"127.{1 + i // 62500}.{i // 250 % 250}.{1 + i % 250}" for i in range(o.n)]
        with open(path, "w") as f:
            json.dump({"daemons": [{"names": f"d-{i}", "hosts": h, "endpoints": [
                {"names": f"d-{i}-ep", "ports": ports[i % PROCESSES], "xprt": "sock", "maestro_comm": True}]}
                for i, h in enumerate(hosts)]}, f)
        run = [subprocess.Popen([LDMS, "samp", "-x", f"sock:{port}", "-n", f"p{port}", "-c", conf],
                                stderr=subprocess.DEVNULL) for port in ports]
        try:
            with open(log, "w") as f:
                began = time.monotonic()
                m = subprocess.Popen([LDMS, "maestro", "--poll", o.poll, "-v", "INFO", path], stderr=f)
            run.append(m)
            wait_for(lambda: f"{o.n} daemons: {o.n} agree" in open(log).read(), "all to agree", 120)
            print(f"{o.n} daemons: all agree after {time.monotonic() - began:.1f} s and {cpu_s(m.pid):.1f} s of processor")
            before, t = cpu_s(m.pid), time.monotonic()
            time.sleep(o.seconds)
            took = time.monotonic() - t
            print(f"steady, polled every {o.poll}: {100 * (cpu_s(m.pid) - before) / took:.1f} % of a core, "
                  f"{private_mb(m.pid):.0f} MB private")
        finally:
            for r in run:
                r.terminate()
            for r in run:
                r.wait()


if __name__ == "__main__":
    main()
