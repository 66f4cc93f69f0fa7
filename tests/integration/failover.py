"""Pairs of aggregators that stand in for each other: what test_failover.py and test_real_failover.py have in common."""
import json

from control import say
from ldms import free_port, wait_for
from wire import Wire

PRDCR_STATUS, UPDTR_STATUS, STATUS = 0x104, 0x304, 0x704


def half(name, port, peer, peer_port, sampler, more="", factor=4):
    """The configuration of one of two aggregators: it has one sampler."""
    return (f"prdcr_add name=p-{name} host=127.0.0.1 port={sampler.port} xprt=sock type=active reconnect=200000\n"
            f"prdcr_start name=p-{name}\n"
            f"updtr_add name=u-{name} interval=200000 offset=50000\nupdtr_prdcr_add name=u-{name} regex=.*\n"
            f"updtr_start name=u-{name}\n{more}"
            f"failover_config host=127.0.0.1 port={peer_port} xprt=sock peer_name={peer} interval=200000 "
            f"timeout_factor={factor}\nfailover_start\n")


def ask(daemon, code):
    try:
        return Wire(daemon.port).accepted().status(code)
    except (OSError, EOFError):
        return None


def do(daemon, line):
    return say(Wire(daemon.port).accepted(), line)


def flags(daemon):
    st = ask(daemon, STATUS)
    return st and {"state": st["failover_state"], "conn": st["conn_state"], "stands_in": st["peercfg_activated"] == "1",
                   **{k: v == "1" for k, v in st["flags"].items()}}


def paired(*daemons):
    for d in daemons:
        wait_for(lambda: (flags(d) or {}).get("conn") == "CONFIGURED" and flags(d)["PEERCFG_RECEIVED"],
                 f"{d.name} to be paired: {flags(d)}, {d.text()[-2000:]}")


def states(daemon, code=PRDCR_STATUS):
    return {o["name"]: o["state"] for o in ask(daemon, code) or []}


def pair(cluster, make, samplers, more=("", "")):
    """Two aggregators; make(cluster, name, conf, port) starts one."""
    ports = free_port(), free_port()
    return [make[i](cluster, name, cluster.write(name + ".conf", half(name, ports[i], other, ports[1 - i], samplers[i],
                                                                      more[i])), ports[i])
            for i, (name, other) in enumerate([("a1", "a2"), ("a2", "a1")])]


def ours(cluster, name, conf, port):
    return cluster.daemon(name, ["agg", "-x", f"sock:{port}:127.0.0.1", "-n", name, "-c", conf], port)
