"""Samplers that live by events, beside those of an installed ldmsd: both get the same events, and have the same sets."""
import json
import subprocess

import pytest

from ldms import LDMS, Cluster, free_port, run, wait_for
from real import needs_ldmsd, real
from recorded import of, values

CONF = """metric_sets_default_authz perm=0777
msg_enable
stream_enable
load name=slurm_sampler
config name=slurm_sampler producer=n1 instance=n1/slurm component_id=3 job_count={slots} task_count=3
start name=slurm_sampler interval=1000000
load name=slurm_sampler2
config name=slurm_sampler2 producer=n1 instance=n1/slurm2 component_id=3
start name=slurm_sampler2 interval=1000000
load name=json plugin=json_stream_sampler
config name=json producer=n1 stream=objects instance_fmt=%P/%S component_id=3
start name=json interval=1000000
load name=linux_proc_sampler
config name=linux_proc_sampler producer=n1 instance=n1/procs component_id=3 message_tag=procs sc_clk_tck=1
start name=linux_proc_sampler interval=200000
load name=app_sampler
config name=app_sampler producer=n1 instance=n1/app component_id=3 stream=tasks
start name=app_sampler interval=200000
"""

TASKS = {"nnodes": 1, "local_tasks": 2, "total_tasks": 4, "ncpus": 4, "nodeid": 0, "uid": 1000, "gid": 100, "workflow_id": None}


def slurm(event, at, job, **data):
    return json.dumps({"schema": "slurm", "event": event, "timestamp": at, "context": "n1", "data": {"job_id": job, **data}})


def job(number, at, tag):
    """The events of a job of two tasks that ends."""
    yield slurm("init", at, number, **TASKS)
    yield slurm("step_init", at, number, subscriber_data={"job_tag": tag}, job_name=f"name{number}", job_user="alice", step_id=5,
                alloc_mb=100, **TASKS)
    for t in range(2):
        yield slurm("task_init_priv", at, number, step_id=5, task_id=t, task_global_id=t + 2, task_pid=number * 10 + t, **TASKS)
    for t in range(2):
        yield slurm("task_exit", at + 5, number, step_id=5, task_id=t, task_global_id=t + 2, task_pid=number * 10 + t,
                    task_exit_status=256 * t)
    yield slurm("exit", at + 5, number)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    c = Cluster(tmp_path_factory.mktemp("both"))
    sleeper = subprocess.Popen(["sleep", "1000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port = free_port()
        ours = c.daemon("ours", ["samp", "-x", f"sock:{port}:127.0.0.1", "-c", c.write("ours.conf", CONF.format(slots=4))], port)
        port = free_port()
        theirs = real(c, "theirs", c.write("theirs.conf", CONF.format(slots=2)), port)  # which makes twice as many
        events = [*job(1001, 1795187234, "a"), *list(job(1002, 1795187300, "b"))[:4], slurm("exit", 1, 77)]
        objects = [{"schema": "obj", "s": "text"}, {"schema": "rec", "r": [{"x": 1}, {"x": 2}]}, {"schema": "num", "i": 5}]
        proc = {"event": "task_init_priv", "timestamp": 1795187234, "data": {
            "job_id": "0", "os_pid": sleeper.pid, "task_pid": sleeper.pid, "start": "1795187234.123456", "start_tick": "77",
            "exe": "/usr/bin/sleep", "is_thread": 0, "task_global_id": -1, "uid": 4294967295}}
        for d in (ours, theirs):
            wait_for(lambda: d.ls_run().returncode == 0, f"{d.name} to answer")
            for tag, lines, how in (("slurm", events, ()), ("objects", map(json.dumps, objects), ("-s",)),
                                    ("procs", [json.dumps(proc)], ()),
                                    ("tasks", [slurm("task_init_priv", 1795187234, 1003, task_pid=sleeper.pid, task_id=0,
                                                     task_global_id=7)], ())):
                r = subprocess.run([LDMS, "msg", "pub", "-h", "127.0.0.1", "-p", str(d.port), "--json", "-l", *how, tag],
                                   input="".join(line + "\n" for line in lines), capture_output=True, text=True, timeout=60)
                assert r.returncode == 0, r.stderr
        for d in (ours, theirs):
            wait_for(lambda: len(v := d.values()) == 7 and 1002 in v["n1/slurm"]["job_id"] and
                     v["n1/slurm"]["task_pid_1"][:2] == [10020, 10021] and v, f"seven sets of {d.name}")
        yield ours, theirs
    finally:
        sleeper.kill()
        sleeper.wait()
        c.end()


@needs_ldmsd
def test_slurm(both):
    for name in ("n1/slurm", "n1/slurm2"):
        mine, real_one = (d.ls_run("-l", name).stdout for d in both)
        assert of(mine) == of(real_one)
        assert mine.split("\n", 1)[1] == real_one.split("\n", 1)[1]  # and every value


@needs_ldmsd
def test_objects(both):
    mine, real_ones = (d.values() for d in both)
    for name in ("obj", "rec", "num"):
        assert mine[f"n1/{name}"] == real_ones[f"n1/{name}"]
    mine, real_ones = (d.sets() for d in both)
    for name in ("obj", "rec", "num"):
        assert mine[f"n1/{name}"]["perm"] == real_ones[f"n1/{name}"]["perm"]


@needs_ldmsd
def test_a_process(both):
    # app_sampler of ldmsd has another component_id than it was given, and no names of users
    moving = {"component_id", "sample_us", "io_read_b", "io_n_read", "oom_score", "status_voluntary_ctxt_switches"}
    names = [n for n in both[0].sets() if n.startswith(("n1/0/1795187234.123456/", "n1/app_sampler/1003/"))]
    assert len(names) == 2
    for name in names:
        mine, real_one = (d.ls_run("-l", name).stdout for d in both)
        assert of(mine) == of(real_one)
        mine, real_one = values(mine), values(real_one)
        if "app_sampler" in name:
            moving |= {f"status_{who}_{what}" for who in ("real", "eff", "sav", "fs") for what in ("user", "group")}
        assert {k: v for k, v in mine.items() if k not in moving} == {k: v for k, v in real_one.items() if k not in moving}


@needs_ldmsd
def test_digests(both):
    mine, real_ones = ({s["dir_info"]["name"]: (s["dir_info"]["schema"], s["dir_info"]["digest"]) for s in json.loads(
        run("ls", "-h", "127.0.0.1", "-p", d.port, "-v", "-l", "--json").stdout)["long_sets"]} for d in both)
    assert mine.keys() == real_ones.keys()
    assert {n: d for n, d in mine.items() } == {n: d for n, d in real_ones.items() }
