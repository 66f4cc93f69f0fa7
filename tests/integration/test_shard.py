"""Daemons that share one aggregator's sets without lists, each into several stores."""
import json
import os

from ldms import free_port, run, wait_for

SAMP = """load name=synth
config name=synth producer=n1 instance=n1/synth sets=12 metrics=2
start name=synth interval=100ms offset=0
listen xprt=sock host=127.0.0.1 port={port}
"""


def stored(d):
    """The sets that each policy has stored: {policy: {set}}."""
    r = run("ctl", "-h", "127.0.0.1", "-p", d.port, "--json", "store_time_stats")
    return {p: set(v["sets"]) for p, v in json.loads(r.stdout).items()} if r.returncode == 0 else {}


def test_each_set_once(cluster):
    port = free_port()
    samp = cluster.daemon("samp", ["samp", "-c", cluster.write("samp.conf", SAMP.format(port=port))], port)
    stores = []
    for k in (1, 2):
        rows, db = cluster.path(f"rows{k}"), cluster.path(f"rows{k}.db")
        sport = free_port()
        stores.append(cluster.daemon(f"store{k}", ["store", "-x", f"sock:{sport}:127.0.0.1", "--prdcr", samp.addr(),
                                                   "--interval", "100ms", "--shard", f"{k}/2", "--to", "csv:" + rows,
                                                   "--to", "sqlite:" + db, "--spool", cluster.path(f"spool{k}")], sport))
    names = {f"n1/synth/{i}" for i in range(12)}
    wait_for(lambda: all(set.union(*(stored(d).get(p, set()) for d in stores)) == names
                         for p in ("strgp_all.0", "strgp_all.1")), "all sets in both stores")
    one, two = (stored(d) for d in stores)
    for p in ("strgp_all.0", "strgp_all.1"):
        assert one[p] and two[p] and not one[p] & two[p]
    assert one["strgp_all.0"] == one["strgp_all.1"]
    st = json.loads(run("ctl", "-h", "127.0.0.1", "-p", stores[1].port, "--json", "strgp_status").stdout)
    assert [s["shard"] for s in st] == ["2/2"] * 2 and all(s["overflow"] == "spool" for s in st)
    for k in (1, 2):
        assert os.path.getsize(cluster.path(f"rows{k}.db")) and os.listdir(cluster.path(f"rows{k}"))
        assert sorted(os.listdir(cluster.path(f"spool{k}"))) == ["strgp_all.0", "strgp_all.1"]


def test_slips(cluster):
    r = run("store", "--prdcr", "localhost", "--to", "csv:" + cluster.path("rows"), "--shard", "3/2")
    assert r.returncode and "'3/2' is no shard: write K/N" in r.stderr
    r = run("agg", "--prdcr", "localhost", "--shard", "1/2")
    assert r.returncode and "--shard: say where the rows go, too" in r.stderr
