"""Samplers whose library is opened in a process of its own: nvml and rocm, with a stand-in for the makers' libraries
(tests/plugin/gpus.c) that tells, crashes and hangs as it is told."""
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile

import pytest

from fuse import mounted
from ldms import ROOT, SANITIZED, free_port, run, wait_for

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
LEAKS = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"} if SANITIZED else {}


@pytest.fixture(scope="module")
def library():
    """In a folder that every user may enter."""
    folder = tempfile.mkdtemp(prefix="ldms-gpus-")
    os.chmod(folder, 0o755)
    so = os.path.join(folder, "libgpus.so")
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-shared", "-fPIC", "-o", so,
                    os.path.join(ROOT, "tests/plugin/gpus.c")], check=True)
    yield so
    shutil.rmtree(folder)


@pytest.fixture
def cluster(open_cluster):
    return open_cluster


def gpus(cluster, mode):
    """What the stand-in does from now on; at once."""
    path = cluster.write("gpus.new", mode + "\n")
    os.rename(path, cluster.path("gpus"))


def samp(cluster, library, types=("nvml",), *args, deadline="1m"):
    text = "".join(f"load name={t}\nconfig name={t} {attrs}\nstart name={t} interval=50ms\n" for t, attrs in
                   [(t, f"library={library} deadline={deadline}") for t in types] + [("loadavg", "")])
    port = free_port()
    env = {**os.environ, **LEAKS, "GPUS": cluster.path("gpus")}
    return cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "-c", cluster.write("c.conf", text),
                                 *args], port, env=env)


def records(d, name="nvml"):
    return d.values(f"n1/{name}").get(f"n1/{name}", {}).get("gpu_list")


def status(d, name):
    def ask():
        r = run("ctl", "-h", "127.0.0.1", "-p", d.port, "--json", "plugn_status")
        return r.returncode == 0 and json.loads(r.stdout)
    return next(r for r in wait_for(ask, "the daemon to answer") if r["name"] == name)


def children(d):
    """Those that it has begun: {pid: type}."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                parent = int(f.read().rsplit(")", 1)[1].split()[1])
            with open(f"/proc/{pid}/cmdline") as f:
                words = f.read().split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == d.proc.pid and words[:2] == ["ldms", "child"]:
            found[int(pid)] = words[2]
    return found


def others_go_on(d):
    n = status(d, "loadavg")["samples"]
    wait_for(lambda: status(d, "loadavg")["samples"] > n + 3, "the other sampler to go on")


def test_every_value(cluster, library):
    gpus(cluster, "2")
    d = samp(cluster, library, ("nvml", "rocm"))
    nv = wait_for(lambda: records(d), "NVIDIA's")
    assert nv[0] == {
        "index": 0, "uuid": "GPU-00000000", "name": "Stand-in 0", "gpu_utilization": 40, "memory_utilization": 20,
        "memory_used": 1 << 30, "memory_total": 80 << 30, "temperature": 50, "power": 300000, "clock": 1000,
        "clock_compute": 1100, "clock_memory": 1200, "ecc_corrected": 30, "ecc_uncorrected": 3, "pcie_sent": 700,
        "pcie_received": 800, "performance_state": 2}
    assert (nv[1]["index"], nv[1]["uuid"], nv[1]["power"], nv[1]["ecc_uncorrected"]) == (1, "GPU-00000001", 300001, 4)
    amd = wait_for(lambda: records(d, "rocm"), "AMD's")
    assert amd[0] == {
        "index": 0, "uuid": "0x000000000000abc0", "name": "Stand-in 0", "gpu_utilization": 40, "memory_utilization": 20,
        "memory_used": 1 << 30, "memory_total": 64 << 30, "temperature": 50, "power": 300000, "clock": 1000,
        "clock_compute": -1, "clock_memory": 1400, "ecc_corrected": 30, "ecc_uncorrected": 2, "pcie_sent": -1,
        "pcie_received": -1, "performance_state": 2}
    assert (amd[1]["clock"], amd[1]["power"]) == (1001, 300001)  # its power is asked for in another way
    first = children(d)
    assert sorted(first.values()) == ["nvml", "rocm"]
    # one falls off the bus, and comes back
    gpus(cluster, "2 lost=0 begins")
    for name in ("nvml", "rocm"):
        wait_for(lambda: [(g["index"], g["performance_state"]) for g in records(d, name)] == [(1, 1 + 2)],
                 "only the other one, and the library begun anew")
    gpus(cluster, "2 old")
    for name in ("nvml", "rocm"):
        wait_for(lambda: [g["index"] for g in records(d, name)] == [0, 1], "both")
        assert records(d, name)[1]["clock"] == 1001
    # more than there was room for
    gpus(cluster, "40")
    wait_for(lambda: len(records(d) or ()) == 40, "forty")
    gpus(cluster, "1 poor")
    for name in ("nvml", "rocm"):
        g, = wait_for(lambda: len(records(d, name) or ()) == 1 and records(d, name), "one that tells nothing")
        assert g["name"] == "Stand-in 0" and {v for k, v in g.items() if k not in ("index", "name", "uuid")} == {-1}
    gpus(cluster, "0")
    wait_for(lambda: records(d) == [], "none")
    assert d.stop() == 0
    assert not [p for p in first if os.path.exists(f"/proc/{p}")]


def test_no_library(cluster, library):
    """It is looked for again and again, and found without a restart."""
    gpus(cluster, "1")
    there = cluster.path("libnvidia-ml.so.1")
    d = samp(cluster, there)
    st = wait_for(lambda: (st := status(d, "nvml"))["errors"] >= 2 and st, "a second attempt")
    assert st["degraded"] and f"{there} is not there: " in st["why"] and "retry_in_us" in st
    d.says("install the maker's driver, or give library=; retrying once it is started, every 1s, later every 1m")
    assert children(d) == {}
    shutil.copy(library, there)
    wait_for(lambda: records(d), "its processors")
    d.says("nvml: libnvidia-ml.so.1 is there again")


@pytest.mark.parametrize("mode, words", [
    ("crash", "its process ended with status" if SANITIZED else "its process was ended by signal 11"),
    ("exit", "its process ended with status 7"),
    ("babble", "its process answered with 5 bytes that are none of ours"),
    ("hang", "its process has not answered within 1s (deadline=) and was killed"),
    ("fail", "libnvidia-ml.so.1: nvmlDeviceGetCount_v2(): Unknown Error"),
])
def test_what_a_library_can_do(cluster, library, mode, words):
    """It degrades its own instance, and is asked again without a restart of the daemon."""
    gpus(cluster, "1")
    d = samp(cluster, library, deadline="1s" if mode == "hang" else "1m")
    wait_for(lambda: records(d), "its processors")
    before = children(d)
    gpus(cluster, "1 " + mode)
    st = wait_for(lambda: (st := status(d, "nvml"))["degraded"] and st, "it to be degraded")
    assert words in st["why"]
    d.says(words)
    others_go_on(d)
    assert not status(d, "loadavg")["degraded"]
    gpus(cluster, "2")
    wait_for(lambda: not status(d, "nvml")["degraded"], "it to be back")
    wait_for(lambda: len(records(d)) == 2, "its processors")
    assert (children(d) == before) == (mode == "fail")  # a library that only says no is not begun anew


def test_a_driver_that_never_answers(cluster, library):
    """Its process cannot even be killed; no second one is begun, until the first one has ended."""
    gpus(cluster, "1")
    d = samp(cluster, library, deadline="1s")
    wait_for(lambda: records(d), "its processors")
    first, = children(d)
    with mounted(cluster.path("mount"), device=b"1") as fs:
        fs.hang("device")
        gpus(cluster, f"1 read={cluster.path('mount')}/device")
        wait_for(fs.hanging, "it to hang")
        wait_for(lambda: f"its process {first} was killed and has not ended yet: it waits in the kernel" in
                 status(d, "nvml")["why"], "that it cannot be killed")
        others_go_on(d)
        assert list(children(d)) == [first] and fs.hanging() == 1
        gpus(cluster, "2")
        fs.go_on()
        wait_for(lambda: not status(d, "nvml")["degraded"], "it to be back")
        wait_for(lambda: len(records(d)) == 2, "its processors")
        assert first not in children(d) and not os.path.exists(f"/proc/{first}")


def test_it_dies_with_the_daemon(cluster, library):
    """Also while the library hangs, and the daemon had no time to say good-bye."""
    gpus(cluster, "1")
    d = samp(cluster, library, ("nvml", "rocm"))
    wait_for(lambda: records(d) and records(d, "rocm"), "its processors")
    pids = children(d)
    assert len(pids) == 2
    gpus(cluster, "1 hang")
    d.stop(signal.SIGKILL)
    wait_for(lambda: not [p for p in pids if os.path.exists(f"/proc/{p}")], "its processes to end")


@as_root
def test_as_another_user(cluster, library):
    gpus(cluster, "1")
    os.chmod(cluster.path("gpus"), 0o644)
    d = samp(cluster, library, ("nvml",), "--user", "nobody")
    wait_for(lambda: records(d), "its processors")
    nobody = pwd.getpwnam("nobody").pw_uid
    pid, = children(d)
    with open(f"/proc/{pid}/status") as f:
        st = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    assert st["Uid"].split() == [str(nobody)] * 4 and int(st["CapEff"], 16) == 0
    assert {os.readlink(f"/proc/{pid}/fd/{n}").split(":")[0] for n in ("0", "1", "2", "3")} == {"/dev/null", "socket"}
    assert sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2", "3"]


def test_in_the_sandbox(cluster, library):
    """It runs nothing else, not even itself: that is said."""
    gpus(cluster, "1")
    d = samp(cluster, library, ("nvml",), "--sandbox")
    st = wait_for(lambda: (st := status(d, "nvml"))["degraded"] and st, "it to be degraded")
    assert "its process cannot be run: " in st["why"]
    assert "with --sandbox no program can: give this sampler a daemon without" in st["why"]
    others_go_on(d)


def test_bad_attributes():
    for attrs, words in (("library=" + 5000 * "x", "library=: longer than"),
                         ("deadline=0", "deadline=0: must be a time above 0")):
        for name in ("nvml", "rocm"):
            r = run("samp", "--once", name, attrs)
            assert r.returncode and words in r.stderr
    r = run("child", "nvml", stdin=subprocess.DEVNULL)
    assert r.returncode == 1 and "of no use by hand" in r.stderr
    assert "child" not in run("help").stdout
