"""One sampler daemon: what it shows is what /proc says; how it starts and ends."""
import os
import re
import signal
import socket
import time

import pytest

from ldms import PATIENCE_S, free_port, run, wait_for

FIVE = "loadavg meminfo vmstat procstat2 procnetdev2"


def proc_meminfo():
    with open("/proc/meminfo") as f:
        return {k: int(v.split()[0]) for k, v in (line.split(":") for line in f)}


def test_five_samplers_show_proc(cluster):
    samp = cluster.samp("n1", FIVE)
    want = {f"n1/{s}" for s in FIVE.split()}
    values = wait_for(lambda: (v := samp.values()) and set(v) == want and v, "five consistent sets")
    mem, now = values["n1/meminfo"], proc_meminfo()
    assert mem["MemTotal"] == now["MemTotal"]
    assert list(mem)[:3] == ["component_id", "job_id", "app_id"]
    assert list(mem)[3:] == list(now)
    assert mem["component_id"] == 1
    with open("/proc/vmstat") as f:
        assert [line.split()[0] for line in f] == list(values["n1/vmstat"])[3:]
    with open("/proc/stat") as f:
        cpus = [line.split()[0] for line in f if line.startswith("cpu")]
    stat = values["n1/procstat2"]
    assert [r["name"] for r in stat["cpu_list"]] == cpus
    assert abs(stat["btime"] - (time.time() - float(open("/proc/uptime").read().split()[0]))) < 5
    with open("/proc/net/dev") as f:
        devs = [line.split(":")[0].strip() for line in f if ":" in line]
    assert [r["name"] for r in values["n1/procnetdev2"]["netdev_list"]] == devs


def test_samples_fall_on_the_wall_clock(cluster):
    samp = cluster.samp("n1", "loadavg", "--interval", "200ms", "--offset", "50ms")
    seen = set()

    def five():
        for s in samp.sets().values():
            if "C" in s["flags"]:
                seen.add(s["update"])
        return len(seen) >= 5

    wait_for(five, "five samples")
    # every one begins on a slot, and none before it
    phases = [int(t.split(".")[1]) % 200000 for t in seen]
    assert all(p >= 50000 for p in phases), phases


def test_digests_are_those_of_ldms(cluster):
    samp = cluster.samp("n1", "loadavg procstat2 procnetdev2")
    out = wait_for(lambda: (o := samp.ls_run("-v", "-v").stdout) and o.count("n1/") == 3 and o, "three sets")
    assert "8BE378143DF8894C6C911EE1934E5BF166BAD9C012013D1E9F1361F0ACC249E1" in out
    assert "78935B2B0B932E5FDFD20CF29B561B842978B4A5E75663A3AEB02FD5E3F7712E" in out
    assert "E8B9CC8D83FB4E5B779071E801CA351B69DCB9E9CE2601A0B127A2977F11C62A" in out


def test_once_and_list():
    r = run("samp", "--once", "meminfo")
    assert r.returncode == 0 and re.search(r"^D u64 +MemTotal +%d " % proc_meminfo()["MemTotal"], r.stdout, re.M)
    r = run("samp", "-l")
    assert r.returncode == 0
    for name in (*FIVE.split(), "synth"):
        assert re.search(rf"^ *{name}\b.*\S", r.stdout, re.M)
    r = run("samp", "--once", "memnfo")
    assert r.returncode != 0 and "meminfo" in r.stderr  # did you mean


def test_two_daemons_on_one_port(cluster):
    samp = cluster.samp("n1")
    wait_for(samp.ls)
    r = run("samp", "-x", f"sock:{samp.port}:127.0.0.1", "-n", "n2", "--samp", "loadavg")
    assert r.returncode == 7
    assert str(samp.port) in r.stderr and "in use" in r.stderr
    assert samp.alive()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_no_permission_for_port_411():
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as f:
        if int(f.read()) <= 411:
            pytest.skip("this system lets everybody use port 411")
    import subprocess

    from ldms import LDMS
    if subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "test", "-x", LDMS]).returncode:
        pytest.skip("the executable is in a folder that other users may not enter")
    r = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
                        "--bounding-set=-all", LDMS, "samp", "-x", "sock:411:127.0.0.1", "--samp", "loadavg"],
                       capture_output=True, text=True, timeout=PATIENCE_S)
    assert r.returncode != 0
    assert "411" in r.stderr and "1024" in r.stderr  # the cause, and a way out


def test_terminates_cleanly_at_any_moment(cluster):
    """SIGTERM while it starts and while it works: exit 0, no crash."""
    for i in range(30):
        samp = cluster.samp(f"n{i}", FIVE, "--interval", "20ms")
        # each a little later in its life: how many log lines it has, not how long it ran
        wait_for(lambda: samp.text().count("\n") >= min(i, 2) or not samp.alive())
        samp.kill(signal.SIGTERM)
        # before main() has begun the kernel ends it
        assert samp.proc.wait(PATIENCE_S) in ((0, -signal.SIGTERM) if i == 0 else (0,))


def test_bad_configuration_is_refused_whole(cluster):
    conf = cluster.write("bad.conf", "load name=meminfo\nconfg name=meminfo instance=x\nstart name=meminfo interval=1x\n"
                         "listen xprt=sock hst=5\ninclude path=/nowhere/at/all\n")
    r = run("samp", "-c", conf)
    assert r.returncode == 38  # that of the first error: no such function
    for words in ("bad.conf:2:1: unknown verb 'confg'; did you mean 'config'?", "bad.conf:3:29: start: attribute 'interval'",
                  "bad.conf:4:18: listen: unknown attribute 'hst'; did you mean 'host'?", "bad.conf:5:9: include:",
                  "4 errors"):
        assert words in r.stderr, words


def test_configuration_file(cluster):
    port = free_port()
    cluster.write("inc.conf", "load name=meminfo   # a comment\nconfig name=meminfo producer=${WHO} \\\n"
                  "    instance=${WHO}/mem component_id=7 perm=0444\n")
    conf = cluster.write("samp.conf", f"listen xprt=sock port={port}\ninclude path={cluster.dir}/inc.con[f]\n"
                         "start name=meminfo interval=100ms offset=0\nenv WHO=node7\n")
    samp = cluster.daemon("samp", ["samp", "-c", conf], port)
    values = wait_for(lambda: samp.values("node7/mem"), "node7/mem")
    assert values["node7/mem"]["component_id"] == 7
    assert samp.sets()["node7/mem"]["perm"] == "-r--r--r--"


def test_a_missing_source_degrades_only_itself(cluster):
    root = cluster.path("root")
    os.makedirs(root + "/proc")
    with open(root + "/proc/loadavg", "w") as f:
        f.write("0.10 0.20 0.30 1/200 4711\n")
    samp = cluster.samp("n1", "loadavg meminfo", "--sysroot", root, "--interval", "100ms")
    wait_for(lambda: samp.values("n1/loadavg"), "loadavg")
    samp.says("meminfo")
    assert "/proc/meminfo" in samp.text()
    with open(root + "/proc/meminfo.new", "w") as f:
        f.write("MemTotal:       1000 kB\nMemFree:         500 kB\n")
    os.rename(root + "/proc/meminfo.new", root + "/proc/meminfo")
    values = wait_for(lambda: samp.values("n1/meminfo"), "meminfo to come back")
    assert values["n1/meminfo"]["MemFree"] == 500


def test_up(cluster):
    port = free_port()
    up = cluster.daemon("up", ["up", "--dir", cluster.path("rows"), "-n", "n1", "-x", f"sock:{port}:127.0.0.1",
                               "--interval", "100ms"], port)
    wait_for(lambda: len(up.ls()) == 5, "five sets")
    db = cluster.path("rows/ldms.db")

    def rows():
        return run("query", db, "loadavg", "--csv").stdout.splitlines()

    wait_for(lambda: os.path.exists(db) and len(rows()) > 4, "rows")
    assert up.stop() == 0
    lines = rows()
    assert lines[0].startswith("time,producer,component_id,job_id,app_id,load1min")
    assert all(line.count(",") == lines[0].count(",") for line in lines)
    stamps = [line.split(",")[0] for line in lines[1:]]
    assert len(set(stamps)) == len(stamps), "a sample was stored twice"


def test_no_sample_is_stored_twice(cluster):
    """Also where a set is written while it is being taken."""
    names = ["loadavg", "vmstat", "procinterrupts"]
    port = free_port()
    up = cluster.daemon("up", ["up", "--dir", cluster.path("rows"), "-n", "n1", "-x", f"sock:{port}:127.0.0.1",
                               "--samp", " ".join(names), "--interval", "2ms"], port)
    db = cluster.path("rows/ldms.db")

    def stamps(name):
        rows = run("query", db, name, "--metric", "component_id", "--csv").stdout.splitlines()[1:]
        return [row.split(",")[0] for row in rows]

    wait_for(lambda: os.path.exists(db) and len(stamps("vmstat")) > 1000, "rows")
    assert up.stop() == 0
    for name in names:
        seen = stamps(name)
        assert len(set(seen)) == len(seen), name


def test_a_port_scan_is_harmless(cluster):
    samp = cluster.samp("n1")
    wait_for(samp.ls)
    for junk in (b"", b"\x00", b"GET / HTTP/1.0\r\n\r\n", os.urandom(4096), b"\x00\x01\x00\x00\xff\xff\xff\xff" * 8,
                 b"\x00\x01\x00\x00\x00\x00\x00\x64" + b"\x00" * 92):
        with socket.create_connection(("127.0.0.1", samp.port)) as s:
            s.sendall(junk)
    half = [socket.create_connection(("127.0.0.1", samp.port)) for _ in range(50)]
    assert samp.ls() == ["n1/loadavg"]
    for s in half:
        s.close()
    assert samp.alive()
