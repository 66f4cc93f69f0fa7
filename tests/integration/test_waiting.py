"""What takes its time keeps nobody else waiting: the answer comes later, and those behind it in their order."""
import select

from ctlwire import attrs, receive, record, send, text
from ldms import wait_for
from wire import Wire

NAME, STRGP_DEL, STRGP_STOP, STRGP_STATUS = 1, 0x201, 0x203, 0x204


def slow_store(cluster, us):
    """A sampler that stores what it samples; each row takes so long."""
    samp = cluster.samp("n1", "loadavg", "--interval", "100ms", "-c", cluster.write(
        "n1.conf", f"load name=slow plugin=store_none\nconfig name=slow delay={us}\n"
        "strgp_add name=s plugin=slow container=c schema=loadavg\nstrgp_start name=s\n"
        "prdcr_add name=me type=local\nprdcr_start name=me\n"
        "updtr_add name=u interval=100ms\nupdtr_prdcr_add name=u regex=.*\nupdtr_start name=u\n"))
    samp.says("is ready")
    wait_for(lambda: strgp(samp)["produced"] > 1, "rows")
    return samp


def strgp(daemon):
    w = Wire(daemon.port).accepted()
    s, = w.status(STRGP_STATUS)
    w.sock.close()
    return s


def stop(daemon, *more):
    w = Wire(daemon.port).accepted()
    for i, verb in enumerate((STRGP_STOP, *more), 1):
        send(w, record(verb, attrs((NAME, text("s"))), msg_no=i))
    return w


def test_a_policy_that_does_not_stop_at_once_blocks_nobody(cluster):
    samp = slow_store(cluster, 2000000)
    w = stop(samp)
    wait_for(lambda: strgp(samp)["state"] != "RUNNING", "the policy to be told")
    assert not select.select([w.sock], [], [], 0)[0]
    got = receive(w)
    assert got.msg_no == 1 and got.code in (0, 110), got


def test_what_is_asked_behind_it_waits_for_it(cluster):
    w = stop(slow_store(cluster, 100000), STRGP_DEL, STRGP_STATUS)
    got = [receive(w) for _ in range(3)]
    assert [(a.msg_no, a.code) for a in got] == [(1, 0), (2, 0), (3, 2)], got
    assert got[2].text() == "strgp 's' doesn't exist."


def test_who_asked_may_go(cluster):
    samp = slow_store(cluster, 300000)
    stop(samp, STRGP_DEL).sock.close()
    wait_for(lambda: strgp_names(samp) == [], "the orders to be carried out all the same")


def strgp_names(daemon):
    w = Wire(daemon.port).accepted()
    names = [s["name"] for s in w.status(STRGP_STATUS)]
    w.sock.close()
    return names


def test_the_daemon_may_end_meanwhile(cluster):
    samp = slow_store(cluster, 300000)
    stop(samp)
    wait_for(lambda: strgp(samp)["state"] != "RUNNING", "the policy to be told")
    assert samp.stop() == 0
