"""What takes its time keeps nobody else waiting: the answer comes later, and those behind it in their order."""
import os
import select

from ctlwire import attrs, receive, record, send, text
from interpose import interposed
from ldms import free_port, wait_for
from wire import Wire

AUTHZ, UID = 0x611, 32
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


SLOW_USERS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A user database that answers about one user when somebody opens the other end. */
int getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t len, struct passwd **found)
{
	int (*next)(const char *, struct passwd *, char *, size_t, struct passwd **) = dlsym(RTLD_NEXT, "getpwnam_r");

	if (!strcmp(name, "slow"))
		close(open(getenv("SLOW_USERS"), O_RDONLY));
	return next(strcmp(name, "slow") ? name : "root", pw, buf, len, found);
}
"""


def test_a_user_database_that_is_slow_blocks_nobody(cluster, tmp_path):
    lib, fifo, port = interposed(tmp_path, SLOW_USERS), cluster.path("fifo"), free_port()
    os.mkfifo(fifo)
    samp = cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "--samp", "loadavg"], port,
                          env={**os.environ, "LD_PRELOAD": lib, "SLOW_USERS": fifo})
    samp.says("is ready")
    w = Wire(port).accepted()
    send(w, record(AUTHZ, attrs((UID, text("slow"))), msg_no=1))
    send(w, record(AUTHZ, msg_no=2))
    for _ in range(3):
        assert Wire(port).accepted().status(0x603)["state"] == "ready"
    assert not select.select([w.sock], [], [], 0)[0]
    os.close(os.open(fifo, os.O_WRONLY))
    assert [receive(w).text() for _ in range(2)] == ["defaults: uid=0, gid=0, perm=440"] * 2
