"""Trees of daemons: data reach the top, restarts are followed, rows are written."""
import os
import signal

from ldms import free_port, wait_for

MS = ("--interval", "100ms")


def tree(cluster):
    """Three samplers, a first-level aggregator, a second-level one that stores."""
    samps = [cluster.samp(f"n{i}", "loadavg meminfo procnetdev2", *MS) for i in (1, 2, 3)]
    l1 = cluster.agg("l1", samps, *MS, "--offset", "20ms")
    l2 = cluster.agg("l2", [l1], *MS, "--offset", "40ms", "--strgp", "meminfo procnetdev2",
                     "--to", "csv:" + cluster.path("rows"))
    return samps, l1, l2


def all_sets(names=("n1", "n2", "n3")):
    return {f"{n}/{s}" for n in names for s in ("loadavg", "meminfo", "procnetdev2")}


def advances(daemon, name):
    """Does the set get new data?"""
    first = daemon.sets().get(name, {}).get("update")
    return wait_for(lambda: (u := daemon.sets().get(name, {}).get("update")) not in (None, first) and u,
                    f"{name} at {daemon.name} to advance")


def test_two_levels(cluster):
    samps, l1, l2 = tree(cluster)
    values = wait_for(lambda: (v := l2.values()) and set(v) == all_sets() and v, "nine sets at the top")
    for n in (1, 2, 3):
        assert values[f"n{n}/meminfo"]["component_id"] == n
        assert any(r["name"] == "lo" for r in values[f"n{n}/procnetdev2"]["netdev_list"])
    sets = l2.sets()
    assert all(s["flags"][:2] == "CR" for s in sets.values())
    mirror, origin = sets["n1/meminfo"], samps[0].sets()["n1/meminfo"]
    for key in ("schema", "meta_size", "data_size", "heap_size", "uid", "gid", "perm"):
        assert mirror[key] == origin[key]
    # each level says the schedule that it reads on
    assert sets["n1/meminfo"]["info"]["updt_hint_us"] == "100000:40000"
    advances(l2, "n2/loadavg")


def test_rows_of_the_tree(cluster):
    _, _, l2 = tree(cluster)
    mem, net = cluster.path("rows/meminfo/meminfo"), cluster.path("rows/procnetdev2/procnetdev2")
    wait_for(lambda: os.path.exists(mem) and all(open(mem).read().count(f",n{i},") > 3 for i in (1, 2, 3)), "rows")
    assert l2.stop() == 0
    with open(mem) as f:
        lines = f.read().splitlines()
    assert lines[0].startswith("#Time,Time_usec,ProducerName,component_id,job_id,app_id,MemTotal,")
    assert all(line.count(",") == lines[0].count(",") for line in lines)
    rows = [line.split(",") for line in lines[1:]]
    assert len({(r[0], r[2]) for r in rows}) == len(rows), "a sample was stored twice"
    with open(net) as f:
        lines = f.read().splitlines()
    assert lines[0].startswith("#Time,Time_usec,ProducerName,component_id,job_id,app_id,netdev_list_entry_idx,")
    assert {line.split(",")[7] for line in lines[1:]} >= {"lo"}


def test_what_has_no_sample_yet_is_not_torn(cluster):
    """A sampler with an interval of a day, read all the time, elsewhere and where it is."""
    day = ("--interval", "1d")
    samp = cluster.samp("n1", "loadavg", *day, "--to", "none:")
    agg = cluster.agg("l1", [samp], *MS, "--to", "none:")
    samp.says("is ready")
    for line in ("updtr_add name=often interval=50ms", "updtr_prdcr_add name=often regex=.*", "updtr_start name=often"):
        samp.ctl(*line.split())
    for d in (samp, agg):
        p = wait_for(lambda d=d: (st := d.ask("prdcr_status")) and st[0]["oversampled"] > 3 and st[0], "reads")
        assert (p["torn"], p["updates"]) == (0, 0)


def test_a_sampler_restarts(cluster):
    samps, l1, l2 = tree(cluster)
    wait_for(lambda: set(l2.ls()) == all_sets(), "nine sets")
    samps[1].stop(signal.SIGKILL)
    wait_for(lambda: set(l2.ls()) == all_sets(("n1", "n3")), "the dead sampler's sets to go, two levels up")
    samps[1].start()
    wait_for(lambda: set(l2.values()) == all_sets(), "nine sets with data")
    advances(l2, "n2/meminfo")


def test_an_aggregator_restarts(cluster):
    samps, l1, l2 = tree(cluster)
    wait_for(lambda: set(l2.ls()) == all_sets(), "nine sets")
    l1.stop(signal.SIGKILL)
    wait_for(lambda: not l2.sets(), "the top to lose all")
    l1.start()
    wait_for(lambda: set(l2.values()) == all_sets(), "nine sets with data")
    l2.restart()
    wait_for(lambda: set(l2.values()) == all_sets(), "nine sets with data after the top's restart")
    advances(l2, "n3/loadavg")


def test_a_store_restart_continues_the_file(cluster):
    samp = cluster.samp("n1", "loadavg", *MS)
    agg = cluster.agg("a", [samp], *MS, "--strgp", "loadavg", "--to", "csv:" + cluster.path("rows"))
    csv = cluster.path("rows/loadavg/loadavg")
    wait_for(lambda: os.path.exists(csv) and open(csv).read().count("\n") > 3, "rows")
    agg.restart()
    n = open(csv).read().count("\n")
    wait_for(lambda: open(csv).read().count("\n") > n + 3, "more rows")
    assert agg.stop() == 0
    lines = open(csv).read().splitlines()
    assert sum(line.startswith("#") for line in lines) == 1
    assert all(line.count(",") == lines[0].count(",") for line in lines)


def test_a_set_that_ends_upstream_ends_downstream(cluster):
    port = free_port()
    conf = cluster.write("agg.conf", f"listen xprt=sock port={port}\n"
                         "updtr_add name=u interval=100ms\nupdtr_prdcr_add name=u regex=.*\n"
                         "updtr_match_add name=u regex=^meminfo$ match=schema\nupdtr_start name=u\n")
    samp = cluster.samp("n1", "loadavg meminfo", *MS)
    with open(conf, "a") as f:
        f.write(f"prdcr_add name=n1 type=active xprt=sock host=127.0.0.1 port={samp.port} reconnect=100ms\n"
                "prdcr_start_regex regex=.*\n")
    agg = cluster.daemon("agg", ["agg", "-c", conf], port)
    wait_for(lambda: agg.ls() == ["n1/meminfo"], "only the schema that the updater matches")
    samp.stop()
    wait_for(lambda: agg.ls_run().returncode == 0 and agg.ls() == [], "no set")


def test_the_same_set_from_two_producers(cluster):
    a, b = cluster.samp("n1", "loadavg", *MS), cluster.samp("n1", "loadavg", *MS)
    agg = cluster.agg("agg", [a, b], *MS)
    wait_for(lambda: agg.ls() == ["n1/loadavg"])
    agg.says("n1/loadavg is offered by another producer as well")
    first = advances(agg, "n1/loadavg")
    a.stop()
    wait_for(lambda: agg.sets().get("n1/loadavg", {}).get("update", "") > first, "the other one to take over")


def test_synthetic_sets_of_every_size(cluster):
    port = free_port()
    conf = cluster.write("synth.conf", f"listen xprt=sock port={port}\n" + "".join(
        f"load name={n} plugin=synth\nconfig name={n} producer=p instance={n} {a} perm=0444\n"
        f"start name={n} interval=100ms\n" for n, a in {
            "many": "sets=300 metrics=20", "wide": "metrics=5000", "arrays": "metrics=3 type=d64[] array=1000",
            "records": "metrics=2 records=50"}.items()))
    samp = cluster.daemon("samp", ["samp", "-c", conf], port)
    agg = cluster.agg("agg", [samp], *MS)
    values = wait_for(lambda: (v := agg.values()) and len(v) == 303 and v, "303 sets")
    assert len(values["wide"]) == 5003
    assert len(values["records"]) >= 3
