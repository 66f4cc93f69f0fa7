"""What all samplers share: sources that are missing, that hang and come back; lateness; what the tool tells of them."""
import json
import os
import re

from ldms import free_port, run, wait_for

MS = ("--interval", "50ms")


def ctl(d, *args):
    return run("ctl", "-h", "127.0.0.1", "-p", d.port, "--json", *args)


def status(d, name):
    rows = wait_for(lambda: (r := ctl(d, "plugn_status")).returncode == 0 and json.loads(r.stdout), "the daemon to answer")
    return next(r for r in rows if r["name"] == name)


def sysroot(cluster, **files):
    root = cluster.path("root")
    os.makedirs(root + "/proc")
    for name, text in files.items():
        put(root, name, text)
    return root


def put(root, name, text):
    with open(f"{root}/proc/{name}.new", "w") as f:
        f.write(text)
    os.rename(f"{root}/proc/{name}.new", f"{root}/proc/{name}")


LOADAVG, MEMINFO = "0.10 0.20 0.30 1/200 4711\n", "MemTotal:       1000 kB\nMemFree:         500 kB\n"


def test_a_missing_source_is_said_once_and_looked_for(cluster):
    root = sysroot(cluster, loadavg=LOADAVG)
    samp = cluster.samp("n1", "loadavg meminfo", "--sysroot", root, *MS)
    wait_for(lambda: samp.values("n1/loadavg"), "the other one")
    st = wait_for(lambda: (st := status(samp, "meminfo")) and st["errors"] >= 2 and st, "a second attempt")
    assert st["degraded"] and f"{root}/proc/meminfo: cannot be opened" in st["why"]
    assert 0 <= st["retry_in_us"] <= 60_000_000 and "retry_in_us" not in status(samp, "loadavg")
    assert samp.text().count("/proc/meminfo") == 1
    samp.says("retrying once it is started, every 1s, later every 1m")
    put(root, "meminfo", MEMINFO)
    wait_for(lambda: samp.values("n1/meminfo").get("n1/meminfo", {}).get("MemFree") == 500, "meminfo to come back")
    samp.says("meminfo: /proc/meminfo is there again")
    assert not status(samp, "meminfo")["degraded"]


def test_required_refuses(cluster):
    root = sysroot(cluster, loadavg=LOADAVG)
    conf = cluster.write("c.conf", "load name=meminfo\nconfig name=meminfo required=true\n")
    r = run("samp", "-c", conf, "--sysroot", root)
    assert r.returncode == 2 and "/proc/meminfo: cannot be opened" in r.stderr


def test_a_source_that_hangs_delays_only_itself(cluster):
    root = sysroot(cluster, meminfo=MEMINFO)
    os.mkfifo(root + "/proc/loadavg")  # to open it waits for a writer
    port = free_port()
    conf = cluster.write("c.conf", """
        load name=stuck plugin=loadavg
        config name=stuck
        start name=stuck interval=50ms
        load name=alone plugin=loadavg
        config name=alone exclusive_thread=1
        load name=meminfo
        config name=meminfo
        start name=meminfo interval=50ms""")
    samp = cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "-c", conf, "--sysroot", root], port)
    wait_for(lambda: status(samp, "stuck")["overdue"], "it to be overdue")
    samp.says("has not answered for")
    n = status(samp, "meminfo")["samples"]
    wait_for(lambda: status(samp, "meminfo")["samples"] > n + 3, "the other one to go on")
    r = ctl(samp, "start", "name=alone", "interval=50ms")
    assert r.returncode and "does not answer" in r.stderr + r.stdout
    with open(root + "/proc/loadavg", "w") as f:  # both readers have it open, or will
        os.unlink(root + "/proc/loadavg")
        put(root, "loadavg", LOADAVG)
        f.write(LOADAVG)
    wait_for(lambda: samp.values("n1/stuck"), "it to come back")
    samp.says("stuck: its source (/proc/loadavg) has answered")
    wait_for(lambda: not status(samp, "alone")["overdue"], "the other one to come back, too")
    wait_for(lambda: ctl(samp, "start", "name=alone", "interval=50ms").returncode == 0, "it to start")
    wait_for(lambda: samp.values("n1/alone"), "its sample")
    names = [t["name"] for t in json.loads(ctl(samp, "thread_stats").stdout)["xthreads"]]
    assert set(names) == {"xthread_alone"}
    assert ctl(samp, "stop", "name=alone").returncode == 0
    assert ctl(samp, "term", "name=alone").returncode == 0
    assert json.loads(ctl(samp, "thread_stats").stdout)["xthreads"] == []


def test_it_ends_while_a_source_hangs(cluster):
    root = sysroot(cluster, meminfo=MEMINFO)
    os.mkfifo(root + "/proc/loadavg")
    samp = cluster.samp("n1", "loadavg meminfo", "--sysroot", root, *MS)
    wait_for(lambda: status(samp, "loadavg")["overdue"], "it to be overdue")
    assert ctl(samp, "stop", "name=loadavg").returncode == 0
    assert ctl(samp, "term", "name=loadavg").returncode == 0
    wait_for(lambda: samp.ls() == ["n1/meminfo"], "its sets to go")
    assert samp.stop() == 0


def test_exclusive_by_start_and_lateness(cluster):
    port = free_port()
    conf = cluster.write("c.conf", """
        load name=loadavg
        config name=loadavg
        start name=loadavg interval=50ms exclusive_thread=1
        load name=meminfo
        config name=meminfo
        start name=meminfo interval=50ms""")
    samp = cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "-c", conf], port)
    wait_for(lambda: len(samp.values()) == 2, "samples")
    wait_for(lambda: json.loads(ctl(samp, "daemon_status").stdout).get("samples", {}).get("count", 0) > 4, "some more")
    names = [t["name"] for t in json.loads(ctl(samp, "thread_stats").stdout)["xthreads"]]
    assert set(names) == {"xthread_loadavg"}
    for st in (status(samp, "loadavg"), status(samp, "meminfo"), json.loads(ctl(samp, "daemon_status").stdout)["samples"]):
        assert 0 <= st["late_p50_us"] <= st["late_p99_us"] <= st["late_max_us"]
    stats = json.loads(ctl(samp, "stats").stdout)
    assert stats["us samples are late (p99)"] <= stats["us samples are late (max)"]


def test_job_set(cluster):
    """The job of a set in the same daemon: here one of test values stands for the scheduler's."""
    port = free_port()
    conf = cluster.write("c.conf", """
        load name=meminfo
        config name=meminfo job_set=n1/job job_start=none job_end=none job_id=u64 app_id=u32
        start name=meminfo interval=50ms
        load name=all_example
        config name=all_example instance=n1/job
        start name=all_example interval=50ms""")
    samp = cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "-c", conf], port)

    def job():
        v = samp.values()
        return v.get("n1/meminfo", {}).get("job_id") and v

    v = wait_for(job, "the job's number")
    assert 0 < v["n1/meminfo"]["job_id"] <= v["n1/job"]["u64"]
    assert ctl(samp, "stop", "name=all_example").returncode == 0
    assert ctl(samp, "term", "name=all_example").returncode == 0
    wait_for(lambda: samp.values("n1/meminfo")["n1/meminfo"]["job_id"] == 0, "the job to go with its set")


# -- the tool


def test_list(cluster):
    root = sysroot(cluster, loadavg=LOADAVG)
    r = run("samp", "-l", "--sysroot", root)
    rows = {line.split()[0]: line for line in r.stdout.splitlines()}
    assert "not here" not in rows["loadavg"] and "not here" not in rows["synth"]
    assert f"(not here: {root}/proc/meminfo: No such file or directory)" in rows["meminfo"]
    rows = {r["name"]: r for r in json.loads(run("samp", "-l", "--json", "--sysroot", root).stdout)}
    assert rows["loadavg"]["here"] and not rows["meminfo"]["here"] and "No such file" in rows["meminfo"]["why"]
    assert list(rows) == sorted(rows)


def test_auto(cluster):
    root = sysroot(cluster, loadavg=LOADAVG, meminfo=MEMINFO)
    port = free_port()
    samp = cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "--auto", "--samp", "synth", *MS,
                                 "--sysroot", root], port)
    wait_for(lambda: {"n1/loadavg", "n1/meminfo", "n1/synth"} <= set(samp.values()), "what is there")
    assert not [s for s in samp.ls() if re.search("vmstat|example|variable", s)]


def test_help_of_a_sampler(cluster):
    r = run("samp", "help", "procstat2", "loadavg", "metrics=load1min")
    assert r.returncode == 0
    for words in ("procstat2 - ", "\nreads /proc/stat", "soft_interrupt", "set_array_card", "cpu_rec", "jiffies",
                  "schema loadavg100000", "gauge"):
        assert words in r.stdout
    assert re.search(r"^ +user +D u64 +counter +jiffies", r.stdout, re.M)
    root = sysroot(cluster)
    r = run("samp", "help", "loadavg", "--sysroot", root)
    assert r.returncode == 0 and "(not here:" in r.stdout and "load15min" in r.stdout
    r = run("samp", "help", "memnfo")
    assert r.returncode == 1 and "did you mean 'meminfo'?" in r.stderr
    assert run("samp", "help").returncode == 1


def test_once_of_several(cluster):
    r = run("samp", "--once", "loadavg", "metrics=load1min", "meminfo", "--json", "-n", "n1")
    sets = {s["dir_info"]["name"]: s for s in json.loads(r.stdout)["long_sets"]}
    assert r.returncode == 0 and list(sets) == ["n1/loadavg", "n1/meminfo"]
    assert [m["name"] for m in sets["n1/loadavg"]["metrics"]] == ["component_id", "job_id", "app_id", "load1min"]
    root = sysroot(cluster, loadavg=LOADAVG)
    r = run("samp", "--once", "meminfo", "loadavg", "--sysroot", root)
    assert r.returncode == 1 and "load15min" in r.stdout  # the others are shown all the same
    assert r.stderr.count("\n") == 1 and f"{root}/proc/meminfo" in r.stderr
    assert run("samp", "--once").returncode == 1
