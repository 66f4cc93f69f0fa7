"""Jobs on a node: what tells of them, and job_id and app_id in the sets of other samplers."""
import json
import os
import time

from ldms import free_port, run, wait_for

SOURCES = {"info": "jobinfo file={dir}/jobinfo", "id": "jobid file={dir}/jobid",
           "slots": "slurm_sampler", "lists": "slurm_sampler2 delete_time=0"}


def conf(cluster, port):
    lines = "msg_enable\nstream_enable\n"
    for name, what in SOURCES.items():  # those who want job data come first: they look for it until it is there
        lines += (f"load name=mem_{name} plugin=meminfo\n"
                  f"config name=mem_{name} instance=n1/mem_{name} job_set=n1/{name}\nstart name=mem_{name} interval=50ms\n")
    for name, what in SOURCES.items():
        plugin, _, attrs = what.format(dir=cluster.dir).partition(" ")
        lines += (f"load name={name} plugin={plugin}\nconfig name={name} instance=n1/{name} component_id=5 {attrs}\n"
                  f"start name={name} interval=50ms\n")
    return cluster.write("jobs.conf", lines + f"listen xprt=sock host=127.0.0.1 port={port}\n")


def test_job_data(cluster):
    port = free_port()
    samp = cluster.daemon("samp", ["samp", "-n", "n1", "-c", conf(cluster, port)], port)

    def ids():
        v = samp.values()
        return {n: (v[f"n1/mem_{n}"]["job_id"], v[f"n1/mem_{n}"]["app_id"]) for n in SOURCES if f"n1/mem_{n}" in v}

    wait_for(lambda: ids() == {n: (0, 0) for n in SOURCES}, "samples without a job")
    start = int(time.time()) - 10

    def event(name, **data):
        text = json.dumps({"schema": "slurm", "event": name, "timestamp": start, "context": "n1", "data": data})
        assert run("msg", "pub", "-h", "127.0.0.1", "-p", port, "--json", "slurm", text).returncode == 0

    def put(name, text):
        with open(cluster.path(name + ".new"), "w") as f:
            f.write(text)
        os.rename(cluster.path(name + ".new"), cluster.path(name))

    event("init", job_id=1001, nnodes=1, local_tasks=1, total_tasks=1, uid=0, gid=0)
    event("step_init", job_id=1001, step_id=3, job_name="j", job_user="u")
    put("jobinfo", f"JOB_ID=1001\nJOB_APP_ID=3\nJOB_STATUS=1\nJOB_START={start}\nJOB_END=0\n")
    put("jobid", "JOBID=1001\nAPPID=3\n")
    wait_for(lambda: ids() == {n: (1001, 3) for n in SOURCES}, "the job everywhere")
    start += 5
    event("exit", job_id=1001)
    put("jobinfo", f"JOB_ID=1001\nJOB_APP_ID=3\nJOB_STATUS=2\nJOB_START={start - 5}\nJOB_END={start}\n")
    os.unlink(cluster.path("jobid"))
    wait_for(lambda: ids() == {n: (0, 0) for n in SOURCES}, "no job any more")
    event("init", job_id=1002, nnodes=1, local_tasks=1, total_tasks=1)
    wait_for(lambda: {ids()[n] for n in ("slots", "lists")} == {(1002, 0)}, "the next job")
    values = samp.values()
    assert [j["job_id"] for j in values["n1/lists"]["job_list"]] == [1002]
    assert values["n1/slots"]["job_id"][:2] == [1001, 1002] and values["n1/slots"]["job_state"][:2] == [4, 1]


def test_bad_events(cluster):
    port = free_port()
    samp = cluster.daemon("samp", ["samp", "-n", "n1", "-c", cluster.write("samp.conf", "stream_enable\n"
                          "load name=slurm_sampler2\nconfig name=slurm_sampler2 stream=jobs\n"
                          f"listen xprt=sock host=127.0.0.1 port={port}\n")], port)
    wait_for(lambda: samp.ls_run().returncode == 0, "the daemon to answer")

    def pub(text, kind="--json"):
        assert run("msg", "pub", "-s", "-h", "127.0.0.1", "-p", port, kind, "jobs", text).returncode == 0

    pub('{"event":"exit","timestamp":1,"data":{"job_id":1}}')
    samp.says("slurm_sampler2: a message of jobs: 'exit' event was received for job 1 with no job_data")
    pub("not for it", "--string")
    pub('{"event":"init","timestamp":1,"data":{"job_id":1,"total_tasks":1}}')
    wait_for(lambda: samp.values().get("n1/slurm_sampler2", {}).get("job_list"), "the job")
