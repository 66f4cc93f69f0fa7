"""Advertising beside an installed ldmsd 4.5.3: its samplers come to our aggregator, ours to its."""
import pytest

from ldms import free_port, wait_for
from test_advertise import HERE, MS, agg, all_there, conf_agg, prdcr, state, status
from test_real_peers import PREFIX, real

pytestmark = pytest.mark.skipif(not PREFIX, reason="no ldmsd is installed; set LDMSD_PREFIX to where one is")

UPDATER = "updtr_add name=u interval=200ms offset=50ms\nupdtr_prdcr_add name=u regex=.*\nupdtr_start name=u\n"


def real_samp(cluster, name, *aggs, extra=""):
    port = free_port()
    conf = cluster.write(name + ".conf", f"metric_sets_default_authz perm=0777\nload name=loadavg\nconfig name=loadavg "
                         f"producer={name} instance={name}/loadavg\nstart name=loadavg interval=200ms\n" + "".join(
                             f"advertiser_add name={name}-{i} xprt=sock host=localhost port={a.port} reconnect=300ms {extra}\n"
                             f"advertiser_start name={name}-{i}\n" for i, a in enumerate(aggs)))
    return real(cluster, name, conf, port)


def real_agg(cluster, name, *lines):
    port = free_port()
    return real(cluster, name, cluster.write(name + ".conf", "\n".join(lines) + "\n" + UPDATER), port)


def advances(daemon, name):
    wait_for(lambda: daemon.sets().get(name, {}).get("update"))
    first = daemon.sets()[name]["update"]
    wait_for(lambda: daemon.sets().get(name, {}).get("update", first) != first, f"{name} at {daemon.name} to advance")


def test_ours_comes_to_a_real_aggregator(cluster):
    a = real_agg(cluster, "ra", "prdcr_listen_add name=l ip=127.0.0.0/8", "prdcr_listen_start name=l")
    s = cluster.samp("n1", "loadavg", *MS, "--to", f"localhost:{a.port}")
    all_there(a, "n1")
    advances(a, "n1/loadavg")
    assert status(a)[prdcr(s)]["type"] == "advertised, passive"
    assert state(s, f"n1-localhost:{a.port}") == "CONNECTED"
    s.restart()
    wait_for(lambda: state(a, prdcr(s)) == "CONNECTED" and a.values())
    a.restart()
    all_there(a, "n1")
    # one that stands by is served to as soon as it is started
    b = real_agg(cluster, "rb", "prdcr_listen_add name=l disable_start=true", "prdcr_listen_start name=l")
    t = cluster.samp("n2", "loadavg", *MS, "--to", f"localhost:{b.port}")
    wait_for(lambda: state(b, prdcr(t)) == "STANDBY")
    assert state(t, f"n2-localhost:{b.port}") == "CONNECTED"
    assert a.alive() and b.alive()


def test_a_real_aggregator_does_not_want_ours(cluster):
    a = real_agg(cluster, "ra", "prdcr_listen_add name=l regex=^nobody$", "prdcr_listen_start name=l")
    s = cluster.samp("n1", "loadavg", *MS, "--to", f"localhost:{a.port}")
    wait_for(lambda: "doesn't match" in status(s).get(f"n1-localhost:{a.port}", {}).get("why", ""), "the refusal")
    assert a.alive()


def test_a_real_aggregator_connects_back_to_ours(cluster):
    port = free_port()
    a = real_agg(cluster, "ra", f"prdcr_listen_add name=l type=active advertiser_xprt=sock advertiser_port={port} "
                 "reconnect=300ms", "prdcr_listen_start name=l")
    conf = cluster.write("s.conf", f"listen xprt=sock port={port}\nload name=loadavg\n"
                         "config name=loadavg producer=n1 instance=n1/loadavg\nstart name=loadavg interval=100ms\n")
    s = cluster.daemon("n1", ["samp", "-c", conf, "-n", "n1", "--to", f"localhost:{a.port}", *MS], port)
    all_there(a, "n1")
    assert s.alive() and a.alive()


def test_a_real_sampler_comes_to_ours(cluster):
    aggs = [agg(cluster, "a1", ".*"), agg(cluster, "a2", "127.0.0.0/8")]
    s, t = real_samp(cluster, "r1", *aggs), real_samp(cluster, "r2", *aggs, extra="rail=2")
    for a in aggs:
        all_there(a, "r1", "r2")
        advances(a, "r1/loadavg")
    assert {r["state"] for r in status(s).values()} == {"CONNECTED"}
    s.restart()
    for a in aggs:
        all_there(a, "r1", "r2")
    aggs[0].restart()
    all_there(aggs[0], "r1", "r2")
    wait_for(lambda: state(aggs[0], prdcr(s)) == "CONNECTED")
    assert s.alive() and t.alive()


def test_a_real_sampler_that_we_do_not_want_or_connect_back_to(cluster):
    no = conf_agg(cluster, "no", "prdcr_listen_add name=l regex=^nobody$", "prdcr_listen_start name=l")
    later = conf_agg(cluster, "later", "prdcr_listen_add name=l disable_start=true", "prdcr_listen_start name=l")
    s = real_samp(cluster, "r1", no, later)
    no.says("advertises itself and is refused")
    wait_for(lambda: state(later, prdcr(s)) == "STANDBY")
    back = conf_agg(cluster, "back", f"prdcr_listen_add name=l type=active advertiser_xprt=sock advertiser_port={s.port} "
                    "reconnect=300ms", "prdcr_listen_start name=l")
    t = real_samp(cluster, "r2", back)
    all_there(back, "r1")  # that is who listens on that port
    assert list(status(back)) == [f"{HERE}:{s.port}"]
    assert s.alive() and t.alive()


def test_bridges(cluster):
    """A real bridge and our passive producer, and the other way round."""
    ours = conf_agg(cluster, "ours", "prdcr_add name=p type=passive host=localhost xprt=sock reconnect=300ms",
                    "prdcr_start name=p")
    port = free_port()
    s = real(cluster, "r1", cluster.write(
        "r1.conf", "metric_sets_default_authz perm=0777\nload name=loadavg\nconfig name=loadavg producer=r1 "
        "instance=r1/loadavg\nstart name=loadavg interval=200ms\n"
        f"bridge_add name=b xprt=sock host=localhost port={ours.port} reconnect=300ms\nbridge_start name=b\n"), port)
    all_there(ours, "r1")
    advances(ours, "r1/loadavg")
    theirs = real_agg(cluster, "theirs", "prdcr_add name=p type=passive host=localhost xprt=sock reconnect=300ms",
                      "prdcr_start name=p")
    port = free_port()
    t = cluster.daemon("n1", ["samp", "-n", "n1", "-c", cluster.write(
        "n1.conf", f"listen xprt=sock port={port}\nload name=loadavg\nconfig name=loadavg producer=n1 instance=n1/loadavg\n"
        f"start name=loadavg interval=200ms\nbridge_add name=b host=localhost port={theirs.port} reconnect=300ms\n"
        "bridge_start name=b\n")], port)
    wait_for(lambda: state(t, "b") == "CONNECTED")
    wait_for(lambda: "n1/loadavg" in theirs.values(), "our sets there")
    assert s.alive() and t.alive() and theirs.alive()
