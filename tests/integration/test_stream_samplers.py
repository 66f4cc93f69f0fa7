"""Samplers that live by what programs publish: streams and messages in the log, and JSON objects as sets."""
import json

from ldms import free_port, run, wait_for

CONF = """stream_enable
msg_enable
load name=hello_sampler
config name=hello_sampler stream=hello
load name=hello_ldms_msg
config name=hello_ldms_msg match=^he.*o$
load name=objects plugin=json_stream_sampler
config name=objects producer=n1 stream=objects instance_fmt=%P/%S component_id=1
load name=tagged plugin=json_stream_sampler
config name=tagged producer=n1 message_tag=objects instance_fmt=%P/tagged/%S perm=0444
listen xprt=sock host=127.0.0.1 port={port}
"""


def test_attributes(cluster):
    for attrs, words in (("hello_ldms_msg match=[", "match=: regular expression '['"),
                         ("json_stream_sampler stream=x", "instance_fmt= is missing"),
                         ("slurm_sampler job_count=0", "job_count=0"), ("file", "conf= is missing"), ("exec", "path= is missing")):
        name, _, rest = attrs.partition(" ")
        conf = cluster.write("bad.conf", f"load name={name}\nconfig name={name} {rest}\n")
        r = run("check", conf)
        assert r.returncode and "bad.conf:2" in r.stdout + r.stderr and words in r.stdout + r.stderr


def test_published(cluster):
    port = free_port()
    samp = cluster.daemon("samp", ["samp", "-c", cluster.write("samp.conf", CONF.format(port=port))], port)
    wait_for(lambda: samp.ls_run().returncode == 0, "the daemon to answer")

    def pub(*args):
        assert run("msg", "pub", "-h", "127.0.0.1", "-p", port, *args).returncode == 0

    pub("-s", "--json", "hello", '{"a":1}')
    samp.says('hello_sampler: stream_type: JSON, msg: "{"a":1}", msg_len: 8')
    pub("-s", "--string", "hello", "world")
    samp.says('hello_sampler: stream_type: STRING, msg: "world", msg_len: 6')
    pub("--string", "helloo", "to the channel")
    samp.says("hello_ldms_msg: helloo: to the channel")
    pub("--string", "ahello", "to another channel")

    pub("-s", "--json", "objects", json.dumps({"schema": "job", "id": 7, "tasks": [{"pid": 1}, {"pid": 2}]}))
    wait_for(lambda: samp.values().get("n1/job", {}).get("tasks") == [{"pid": 1}, {"pid": 2}], "the set of the object")
    agg = cluster.agg("agg", [samp], "--interval", "100ms")
    wait_for(lambda: agg.values().get("n1/job", {}).get("id") == 7, "the set at an aggregator")
    # more than the set has room for: it comes again, larger, and the aggregator follows
    pub("-s", "--json", "objects", json.dumps({"schema": "job", "id": 8, "tasks": [{"pid": i} for i in range(100)], "new": 1}))
    wait_for(lambda: len(agg.values().get("n1/job", {}).get("tasks", [])) == 100, "100 tasks at the aggregator")
    pub("-s", "--string", "objects", "no object")
    samp.says("objects: a message of objects: is no valid JSON: line 1")
    pub("--json", "objects", json.dumps({"schema": "other", "x": 1.5}))
    wait_for(lambda: samp.values().get("n1/tagged/other", {}).get("x") == 1.5, "the set of a message")
    sets = samp.sets()
    assert sets["n1/job"]["perm"] == "-rw-rw----" and sets["n1/tagged/other"]["perm"] == "-r--r--r--"
    assert "to another channel" not in samp.text()
