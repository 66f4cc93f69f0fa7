"""test_sampler: sets of any shape by configuration, also while it samples; a slip is an answer, not an end."""
from ldms import free_port, run, wait_for

CONF = """stream_enable
load name=hello plugin=hello_sampler
config name=hello stream=said
load name=ts plugin=test_sampler
config name=ts action=add_schema schema=s metrics=component_id:meta:u64:7:1:u,a:data:u64:5:1:bytes,\
r:data:record:{{x:u64:1:1:u;y:char_array:q:8:u}}:u,l:data:list:[u64:3:1]:4:u,lr:data:list:[record:r:]:2:u
config name=ts action=add_set schema=s instance=n1/one
start name=ts interval=100ms offset=0
listen xprt=sock host=127.0.0.1 port={port}
"""


def test_sets_by_configuration(cluster):
    port = free_port()
    samp = cluster.daemon("samp", ["samp", "-c", cluster.write("samp.conf", CONF.format(port=port))], port)
    one = wait_for(lambda: (v := samp.values("n1/one")) and v["n1/one"]["lr"] and v["n1/one"], "a list that is not empty")
    assert one["component_id"] == 7 and one["a"] > 5
    assert all(r["x"] == one["a"] - 4 and r["y"] == "bcdefghijklmnopqrstuvwxyza"[(one["a"] - 5) % 26] * 7 for r in one["lr"])

    def config(words):
        return run("ctl", "-h", "127.0.0.1", "-p", port, "config", "name=ts", *words.split())

    r = config("action=add_schema schema=bad metrics=a:data:u65:1:1:u")
    assert r.returncode and "'u65' is no type" in r.stderr
    assert config("action=add_set schema=s instance=n1/two component_id=12").returncode == 0
    wait_for(lambda: (v := samp.values("n1/two")) and v["n1/two"]["component_id"] == 12, "the second set")
    r = config("action=add_set schema=s instance=n1/two")
    assert r.returncode and "n1/two" in r.stderr
    cluster.write("message", '{"a":1}\n')
    assert config(f"action=add_stream stream=said path={cluster.path('message')} type=json port={port}").returncode == 0
    samp.says('hello: stream_type: JSON, msg: "{"a":1}')
    # it all goes with the instance, through an aggregator, too
    agg = cluster.agg("agg", [samp], "--interval", "100ms")
    wait_for(lambda: sorted(agg.values()) == ["n1/one", "n1/two"], "both sets at the aggregator")
    for verb in ("stop", "term"):
        assert run("ctl", "-h", "127.0.0.1", "-p", port, verb, "name=ts").returncode == 0
    wait_for(lambda: not agg.values(), "no sets at the aggregator")


def test_a_bad_line_in_a_file(cluster):
    conf = cluster.write("bad.conf", "load name=ts plugin=test_sampler\n"
                         "config name=ts action=add_schema schema=s metrics=l:data:list:[record:r:]:2:u\n")
    r = run("check", conf)
    assert r.returncode and "bad.conf:2" in r.stderr + r.stdout and "no record 'r'" in r.stderr + r.stdout
