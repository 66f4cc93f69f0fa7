"""Samplers that LDMS has not: the daemon's own counters, what a program prints, values picked out of files."""
import os

from ldms import free_port, run, wait_for

CONF = """load name=self
config name=self instance=n1/self
start name=self interval=100ms
load name=probe plugin=exec
config name=probe instance=n1/probe path={dir}/probe args=7
start name=probe interval=100ms
load name=stream plugin=exec
config name=stream instance=n1/stream path={dir}/stream keep=true
start name=stream interval=100ms
load name=file
config name=file instance=n1/file conf={dir}/files.conf
start name=file interval=100ms
load name=gone plugin=loadavg
config name=gone instance=n1/gone metrics=load1min
listen xprt=sock host=127.0.0.1 port={port}
"""


def program(cluster, name, text):
    path = cluster.write(name, "#!/bin/sh\n" + text)
    os.chmod(path, 0o755)


def test_own_samplers(cluster):
    port = free_port()
    program(cluster, "probe", 'echo "number $1"; echo "state all is well"\n')
    program(cluster, "stream", """echo '{"i":1,"l":[1]}'; read x <$0.more; echo '{"i":2,"l":[1,2]}'; exec sleep 1000\n""")
    os.mkfifo(cluster.path("stream.more"))
    cluster.write("sensors", "inlet: 21.5 C\n")
    cluster.write("files.conf", f"inlet D64 {cluster.dir}/sensors ^inlet: ([0-9.]+)\n")
    samp = cluster.daemon("samp", ["samp", "-n", "n1", "-c", cluster.write("samp.conf", CONF.format(dir=cluster.dir, port=port))],
                          port)
    v = wait_for(lambda: len(v := samp.values()) == 4 and v, "four sets")
    assert v["n1/probe"]["number"] == 7 and v["n1/probe"]["state"] == "all is well"
    assert v["n1/stream"]["i"] == 1 and v["n1/stream"]["l"] == [1]
    assert v["n1/file"]["inlet"] == 21.5
    with open(cluster.path("stream.more"), "w") as f:
        f.write("\n")
    wait_for(lambda: samp.values("n1/stream")["n1/stream"]["i"] == 2, "the program's second sample")
    program(cluster, "probe", "echo number 8; exit 1\n")
    samp.says("probe: ended with status 1")

    # the daemon tells of itself, also to an aggregator
    agg = cluster.agg("agg", [samp], "--interval", "100ms")
    v = wait_for(lambda: (v := agg.values().get("n1/self")) and v["sample_errors"] and v["conns"] and v["bytes_out"] and v,
                 "its own counters")
    assert v["samplers"] == 5 and v["samplers_degraded"] == 1 and v["samples"] > 0
    assert v["sets"] == 5 and 0 < v["set_bytes"] <= v["set_bytes_mapped"] and v["set_bytes_max"] == 512 << 20
    assert v["rss_bytes"] > 1 << 20 and v["open_files"] > 3 and v["cpu_user_us"] + v["cpu_sys_us"] > 0
    assert v["lateness_p50_us"] <= v["lateness_max_us"]
    assert samp.sets()["n1/self"]["schema"] == "ldms_self"


def test_an_aggregator_counts(cluster):
    samp = cluster.samp("n1", "loadavg", "--interval", "100ms")
    port = free_port()
    conf = cluster.write("agg.conf", "load name=self\nconfig name=self instance=a1/self\nstart name=self interval=100ms\n")
    agg = cluster.daemon("a1", ["agg", "-n", "a1", "-x", f"sock:{port}:127.0.0.1", "--prdcr", samp.addr(), "--interval", "100ms",
                                "-c", conf], port)
    v = wait_for(lambda: (v := agg.values("a1/self").get("a1/self")) and v["updates"] > 2 and v, "updates")
    assert v["producers"] == v["producers_connected"] == 1 and v["connects"] == 1 and v["updaters"] == 1


def test_without_a_daemon():
    r = run("samp", "--once", "self")
    assert r.returncode and "no daemon" in r.stderr
