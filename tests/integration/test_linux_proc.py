"""linux_proc_sampler: processes that are announced, each as a set while it lives, and what is published of them."""
import json
import os
import subprocess
import time

import pytest

from ldms import LDMS, Daemon, free_port, run, wait_for
from recorded import digests, of, recorded
from trees import Tree

CONF = """msg_enable
load name=procs plugin=linux_proc_sampler
config name=procs producer=node-1 component_id=1 perm=0444 {attrs}
start name=procs interval=100ms
listen xprt=sock host=127.0.0.1 port={port}
"""


class Procs(Daemon):
    def __init__(self, cluster, attrs, *args):
        port = free_port()
        super().__init__(cluster, "samp", ["samp", "-c", cluster.write("procs.conf", CONF.format(attrs=attrs, port=port)),
                                           *args], port)
        cluster.daemons.append(self)
        wait_for(lambda: self.ls_run().returncode == 0, "the daemon to answer")

    def announce(self, *events):
        lines = "".join(json.dumps({"event": event, "timestamp": 1795187234, "data": data}) + "\n" for event, data in events)
        r = subprocess.run([LDMS, "msg", "pub", "-h", "127.0.0.1", "-p", str(self.port), "--json", "-l", "slurm"],
                           input=lines, capture_output=True, text=True, timeout=60)
        assert r.returncode == 0, r.stderr


@pytest.fixture
def sleeper():
    procs = []

    def start(**env):
        procs.append(subprocess.Popen(["sleep", "1000"], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL))
        wait_for(lambda: open(f"/proc/{procs[-1].pid}/comm").read() == "sleep\n", "sleep to run")
        return procs[-1]

    yield start
    for p in procs:
        p.kill()
        p.wait()


def event(pid, **more):
    return "task_init_priv", {"job_id": "17", "os_pid": pid, "task_pid": pid, "start": "1795187727.187727",
                              "start_tick": "170505", "exe": "/usr/bin/sleep", "is_thread": 0, "task_global_id": -1, **more}


def test_a_process(cluster, sleeper):
    """All of it, as ldmsd lays it out; it goes with the process."""
    samp = Procs(cluster, "sc_clk_tck=1 argv_msg=1 env_msg=1 fd_msg=1")
    log = open(cluster.path("sub"), "w+")
    sub = subprocess.Popen([LDMS, "msg", "sub", "-h", "127.0.0.1", "-p", str(samp.port), "-E", ".*_(argv|env|files)$"],
                           stdout=log)
    try:
        wait_for(lambda: "_(argv|env|files)$" in run("ctl", "-h", "127.0.0.1", "-p", samp.port, "msg_client_stats").stdout,
                 "the subscription")
        p = sleeper(FOO="b=c", A_SECRET="x", PATH="/usr/bin")
        samp.announce(event(p.pid))
        name = f"node-1/17/1795187727.187727/{p.pid}"
        wait_for(lambda: name in samp.values(), "the set")
        assert of(samp.ls_run("-l", name).stdout) == of(recorded("linux_proc_all"))
        v = samp.values(name)[name]
        assert samp.ls_run("-vv", name).stdout.count(digests()["linux_proc_sampler"][0]) == 1
        assert v["job_id"] == 17 and v["start_time"] == "1795187727.187727" and v["start_tick"] == 170505
        assert v["task_rank"] == 2**64 - 1 and v["parent"] == os.getpid() and v["exe"] == "/usr/bin/sleep"
        with open(f"/proc/{p.pid}/status") as f:
            status = {k: w.strip() for k, w in (line.split(":", 1) for line in f)}
        assert v["status_vmsize"] == int(status["VmSize"].split()[0]) and v["status_name"] == v["stat_comm"] == "sleep"
        assert v["status_uid"] == [int(u) for u in status["Uid"].split()]
        assert v["status_capbnd"] == int(status["CapBnd"], 16) and v["status_umask"] == int(status["Umask"], 8)
        assert v["status_sig_limit"] == int(status["SigQ"].split("/")[1])
        assert v["status_cpus_allowed"][0] == int(status["Cpus_allowed"].split(",")[-1], 16)
        assert v["status_cpus_allowed_list"] == status["Cpus_allowed_list"]
        assert v["status_nspid"][0] == v["stat_pid"] == v["status_pid"] == p.pid
        assert v["n_open_files"] == len(os.listdir(f"/proc/{p.pid}/fd")) and v["cmdline_len"] == 11
        assert v["stat_num_threads"] == 1 and v["stat_state"] == "S" and v["root"] == "/"
        p.kill()
        p.wait()
        wait_for(lambda: not samp.ls(), "the set to go")

        def said():
            log.flush()
            with open(cluster.path("sub")) as f:
                return [json.loads(line) for line in f if line.endswith("\n")]

        wait_for(lambda: [m for m in said() if m["data"][0].get("state") == "closed"], "its file to be closed")
        by = {m["schema"]: m for m in said()}
        assert by["linux_proc_sampler_argv_2"]["data"] == [{"k": 0, "v": "sleep"}, {"k": 1, "v": "1000"}]
        assert {d["k"]: d["v"] for d in by["linux_proc_sampler_env_2"]["data"]} == {"FOO": "b=c", "PATH": "/usr/bin"}
        head = by["linux_proc_sampler_env_2"]
        assert list(head) == ["schema", "producerName", "component_id", "pid", "job_id", "user", "timestamp", "task_rank",
                              "parent", "is_thread", "exe", "data"]
        assert (head["job_id"], head["pid"], head["producerName"]) == ("17", p.pid, "node-1")
        files = [m["data"][0] for m in said() if m["schema"] == "linux_proc_sampler_fd_1"]
        assert [(f["file"], f["state"]) for f in files] == [("/dev/null", "opened"), ("/dev/null", "closed")]
        assert files[0]["st_mode"] == 20666 and files[0]["st_ino"] == os.stat("/dev/null").st_ino
    finally:
        sub.kill()
        sub.wait()
        log.close()


def test_names_and_exit(cluster, sleeper):
    conf = cluster.write("procs.json", json.dumps({
        "message_tag": "slurm", "instance_prefix": "c1", "exe_suffix": 1, "metrics": ["stat_pid", "syscall_name"],
        "syscalls": cluster.write("syscalls", "# names\n230 clock_nanosleep\n35 nanosleep\n"),
        "env_exclude": ["^A"], "fd_exclude": ["^/dev/"]}))
    samp = Procs(cluster, f"cfg_file={conf}")
    p = sleeper()
    samp.announce(event(p.pid, task_global_id=3))
    name = "c1/node-1/17/1795187727.187727/rank/3//usr/bin/sleep"
    v = wait_for(lambda: samp.values().get(name), "the set")
    assert list(v)[-2:] == ["stat_pid", "syscall_name"] and v["task_rank"] == 3
    assert v["syscall_name"] in ("clock_nanosleep", "nanosleep", "")  # "": not ours to see
    samp.announce(("task_exit", {"job_id": "17", "task_pid": p.pid}))
    wait_for(lambda: not samp.ls(), "the set to go")
    # without a time of its own it is when the kernel says that the process began
    samp.announce(("task_init_priv", {"job_id": 18, "os_pid": p.pid}))
    name, = wait_for(samp.ls, "the set")
    start = name.split("/")[3]
    with open(f"/proc/{p.pid}/stat") as f:
        tick = int(f.read().rsplit(")", 1)[1].split()[19])
    with open("/proc/stat") as f:
        btime = next(int(line.split()[1]) for line in f if line.startswith("btime"))
    hz = os.sysconf("SC_CLK_TCK")
    assert start == f"{btime + tick // hz}.{tick % hz * 1000000 // hz:06}"
    assert name == f"c1/node-1/18/{start}/{p.pid}/" + os.readlink(f"/proc/{p.pid}/exe")


def test_odd_events_and_attributes(cluster):
    samp = Procs(cluster, "metrics=stat_pid")
    samp.announce(event(2**22 + 5), ("task_init_priv", {"job_id": 1}), ("task_exit", {"job_id": 1, "os_pid": 4}),
                  ("init", {"job_id": 1}))
    samp.says("neither task_pid nor os_pid names a process")
    assert samp.ls() == []
    for attrs, words in (("metrics=stat_pd", "did you mean stat_pid?"), ("argv_fmt=3", "argv_fmt=3"),
                         ("cfg_file=/nowhere", "/nowhere"), ("env_exclude=/nowhere", "env_exclude=/nowhere"),
                         ("argv_sep=ab", "argv_sep=ab"), ("fd_msg=x", "fd_msg=x"),
                         ("syscalls=" + cluster.write("bad", "x y\n"), "bad:1: 'x y': must be NUMBER NAME"),
                         ("fd_exclude=" + cluster.write("bad2", "ok\n[\n"), "bad2:2:"),
                         ("cfg_file=" + cluster.write("bad.json", '{"metrcs":[]}'), "no attribute 'metrcs'")):
        r = run("samp", "--once", "linux_proc_sampler", attrs)
        assert r.returncode and words in r.stderr, r.stderr


def test_many_processes(cluster):
    """5,000 in one go, of a made-up tree; those that go, go."""
    tree = Tree(cluster.path("root")).recorded().process(1000)
    for pid in range(1001, 6000):  # links are made faster than files
        os.makedirs(tree.path(f"/proc/{pid}"))
        for name in ("io", "status"):
            os.link(tree.path(f"/proc/1000/{name}"), tree.path(f"/proc/{pid}/{name}"))
        tree.put(f"/proc/{pid}/stat", open(tree.path("/proc/1000/stat")).read().replace("1000 (", f"{pid} (", 1))
    samp = Procs(cluster, "metrics=stat_pid,stat_comm,status_vmrss,io_read_b", "--sysroot", tree.root)
    samp.announce(*(event(pid, start=f"1795187727.{pid:06}") for pid in range(1000, 6000)))
    wait_for(lambda: len(samp.ls()) == 5000, "5,000 sets", 60)
    v = wait_for(lambda: samp.values("node-1/17/1795187727.004711/4711"), "one of them")
    assert v["node-1/17/1795187727.004711/4711"]["stat_pid"] == 4711
    for pid in range(2000, 3000):
        tree.delete(f"/proc/{pid}")
    names = wait_for(lambda: len(n := samp.ls()) == 4000 and n, "1,000 of them to go", 60)
    assert not [n for n in names if 2000 <= int(n.rsplit("/", 1)[1]) < 3000]


def test_processes_of_before(cluster, sleeper):
    """A folder tells of those that were announced before the daemon began."""
    a, b = sleeper(), sleeper()
    os.mkdir(cluster.path("tracked"))
    cluster.write(f"tracked/{a.pid}", json.dumps({"event": "task_init_priv", "data": event(a.pid)[1]}))
    cluster.write(f"tracked/{b.pid}", "")
    cluster.write(f"tracked/{2**22 + 7}", "")
    samp = Procs(cluster, f"metrics=stat_pid published_pid_dir={cluster.path('tracked')}")
    names = wait_for(lambda: len(n := samp.ls()) == 2 and n, "both sets")
    assert f"node-1/17/1795187727.187727/{a.pid}" in names and [n for n in names if n.startswith("node-1/0/")]
    assert sorted(os.listdir(cluster.path("tracked"))) == sorted([str(a.pid), str(b.pid)])


def test_app_sampler(cluster, sleeper):
    """The older form, for Slurm's tasks."""
    port = free_port()
    samp = cluster.daemon("samp", ["samp", "-c", cluster.write("app.conf", CONF.format(port=port, attrs="metrics=stat_pid").replace(
        "linux_proc_sampler", "app_sampler"))], port)
    wait_for(lambda: samp.ls_run().returncode == 0, "the daemon to answer")
    p = sleeper()
    Procs.announce(samp, ("task_init_priv", {"job_id": 1001, "step_id": 3, "task_pid": p.pid, "task_global_id": 2}))
    v = wait_for(lambda: samp.values().get(f"node-1/app_sampler/1001/{p.pid}"), "the task's set")
    assert list(v) == ["component_id", "job_id", "app_id", "task_rank", "stat_pid"]
    assert v == {"component_id": 1, "job_id": 1001, "app_id": 3, "task_rank": 2, "stat_pid": p.pid}
    Procs.announce(samp, ("task_exit", {"job_id": 1001, "task_pid": p.pid}))
    wait_for(lambda: not samp.ls(), "the set to go")
