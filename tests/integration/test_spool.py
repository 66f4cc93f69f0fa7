"""A store that is dead: samples wait on disk, over kill -9, and every one is accounted for."""
import os
import signal

from ldms import free_port, policy, run, wait_for

CONF = """load name=synth
config name=synth producer=n1 instance=n1/synth
start name=synth interval=50ms offset=0
prdcr_add name=me type=local reconnect=1s
prdcr_start name=me
updtr_add name=all interval=50ms offset=10ms
updtr_prdcr_add name=all regex=.*
updtr_start name=all
load name=csv plugin=store_csv
config name=csv path={dir}/rows
strgp_add name=sp plugin=csv container=c regex=.* flush=100ms queue_bytes=1M queue_age=1m spool={dir}/spool \
spool_bytes=8M spool_age=1d
strgp_start name=sp
listen xprt=sock host=127.0.0.1 port={port}
"""


def test_a_dead_store(cluster):
    port, rows = free_port(), cluster.path("rows")
    cluster.write("rows", "a file where the store wants a folder\n")
    conf = cluster.write("store.conf", CONF.format(dir=cluster.dir, port=port))
    d = cluster.daemon("store", ["store", "-c", conf], port)
    st = wait_for(lambda: (s := policy(port)) and s["spooled"] > 20 and s, "samples in the spool")
    assert "Not a directory" in st["why"] and st["since"] > 0 and st["overflow"] == "spool"
    assert "Spooled" in run("ctl", "-h", "127.0.0.1", "-p", port, "strgp_status").stdout
    d.restart()  # kill -9
    after = wait_for(lambda: policy(port), "its status")
    assert after["spooled"] >= st["spooled"] and after["produced"] >= st["produced"]
    os.unlink(rows)
    wait_for(lambda: (s := policy(port)) and s["stored"] > st["spooled"] and not s["spooled"] and not s["why"], "rows")
    assert d.stop(signal.SIGTERM) == 0
    d.start()
    st = wait_for(lambda: policy(port), "its status")
    assert d.stop(signal.SIGTERM) == 0
    (file,) = [os.path.join(p, f) for p, _, files in os.walk(rows) for f in files]
    with open(file) as f:
        times = [float(line.split(",")[0]) for line in f if line[0] != "#"]
    assert times == sorted(set(times)), "stored twice, or out of order"
    assert len(times) >= st["stored"]


def test_a_renamed_policy(cluster):
    """What waits in the spool of a policy that was renamed is said, and stored when the folder is renamed, too."""
    port, rows = free_port(), cluster.path("rows")
    cluster.write("rows", "a file where the store wants a folder\n")
    text = CONF.format(dir=cluster.dir, port=port)
    d = cluster.daemon("store", ["store", "-c", cluster.write("store.conf", text)], port)
    st = wait_for(lambda: (s := policy(port)) and s["spooled"] > 20 and s, "samples in the spool")
    assert "no policy here has that name" not in d.text()
    assert d.stop(signal.SIGTERM) == 0
    cluster.write("store.conf", text.replace("name=sp", "name=renamed"))
    d.start()
    d.says("wait in it, and no policy here has that name")
    assert d.stop(signal.SIGTERM) == 0
    os.rename(cluster.path("spool/renamed"), cluster.path("spool/other"))
    os.rename(cluster.path("spool/sp"), cluster.path("spool/renamed"))
    os.unlink(rows)
    d.start()
    wait_for(lambda: (s := policy(port)) and s["stored"] > st["spooled"] and not s["spooled"], "rows")


def test_slips(cluster):
    def check(words):
        conf = cluster.write("slip.conf", "load name=csv plugin=store_csv\nconfig name=csv path=/tmp\n"
                             f"strgp_add name=sp plugin=csv schema=s {words}\n")
        r = run("check", conf)
        return r.stdout + r.stderr

    assert "overflow=spool: say where, too: spool=DIR" in check("overflow=spool")
    assert "go with overflow=spool" in check("overflow=drop-oldest spool=/tmp/x")
    assert "at least 4M" in check("spool=/tmp/x spool_bytes=1k")
    assert "spool_age: an age is a positive time" in check("spool=/tmp/x spool_age=-1s")
    assert "drop-oldest|spool" in check("overflow=never")
