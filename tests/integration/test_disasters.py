"""Stores on full disks, and daemons that are killed again and again while they store: every row is somewhere, once.

LDMS_KILLS=50 for the long form.
"""
import os
import random
import shutil
import signal
import sqlite3
import time

import pytest
from fulldisk import FullDisk, can_mount
from ldms import LDMS, free_port, policies, run, wait_for

KILLS = int(os.environ.get("LDMS_KILLS", "8"))
NODES = 5
SYNTH = """load name=s{i} plugin=synth
config name=s{i} producer=n{i} instance=n{i}/synth schema=synth metrics={metrics}
start name=s{i} interval={interval} offset=0
"""
COLLECT = """prdcr_add name=me type={type} reconnect=100ms
prdcr_start name=me
updtr_add name=all interval={interval} offset=2ms
updtr_prdcr_add name=all regex=.*
updtr_start name=all
listen xprt=sock host=127.0.0.1 port={port}
"""
STORES = """load name=csv plugin=csv
config name=csv path={dir}/rows
load name=db plugin=sqlite
config name=db path={dir}/db/rows.db busy=100ms
"""


def csv_rows(folder, container):
    """(producer, number) of each line, which must be whole."""
    with open(os.path.join(folder, "rows", container, "synth")) as f:
        lines = f.read()
    assert lines.endswith("\n"), "the last line is torn"
    head, *lines = lines.splitlines()
    assert not [line for line in lines if line.count(",") != head.count(",") or line[0] == "#"]
    number = head.split(",").index("m0")
    return [(line.split(",")[2], int(line.split(",")[number])) for line in lines]


def db_rows(folder, container):
    db = sqlite3.connect(os.path.join(folder, "db", "rows.db"), timeout=20)
    try:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return db.execute("SELECT producer, m0 FROM synth ORDER BY rowid").fetchall()
    finally:
        db.close()


def in_order(rows):
    """No row twice, those of a producer in the order in which they were made."""
    last = {}
    for producer, number in rows:
        assert number > last.get(producer, -1), (producer, number, last[producer])
        last[producer] = number


# -- a full disk --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(bool(can_mount()), reason=can_mount())
@pytest.mark.parametrize("store, rows", [("csv", csv_rows), ("db", db_rows)])
@pytest.mark.parametrize("overflow", ["spool", "drop-oldest"])
def test_full_disk(cluster, store, rows, overflow):
    """Nothing is lost with a spool; without one, as much as is counted.  It is said, and ends by itself."""
    disk, port = FullDisk(cluster.path("disk")), free_port()
    more = f"spool={cluster.path('spool')}" if overflow == "spool" else "queue_bytes=20000"
    conf = cluster.write("store.conf", "".join(SYNTH.format(i=i, metrics=50, interval="20ms") for i in range(NODES)) +
                         STORES.format(dir=disk.dir) +
                         f"strgp_add name=p plugin={store} container=c schema=synth flush=50ms overflow={overflow} {more}\n"
                         "strgp_start name=p\n" + COLLECT.format(type="local", interval="20ms", port=port))
    d = cluster.daemon("store", ["store", "-c", conf], port, program=[*disk.wrap, LDMS])
    d.ours = True  # behind its wrapping
    disk.started(d.proc.pid)

    def until(condition, what):
        return wait_for(lambda: (st := policies(port).get("p")) and condition(st) and st, f"{what}; {policies(port)}")

    until(lambda st: st["stored"] > 50, "rows")
    disk.down()
    full = until(lambda st: st["spooled"] > 50 or st["dropped"] > 50, "the disk to be full")
    assert "No space left on device" in full["why"] or "full" in full["why"], full
    disk.up()
    until(lambda st: not st["spooled"] and st["stored"] > full["stored"] + 50, "it to go on")
    d.says("stores again")
    assert run("ctl", "-h", "127.0.0.1", "-p", port, "updtr_stop", "name=all").returncode == 0
    end = until(lambda st: not st["queued"] and not st["spooled"], "all rows")
    shutil.copytree(disk.seen, cluster.path("copy"))  # SQLite would follow /proc/PID/root
    got = rows(cluster.path("copy"), "c")
    in_order(got)
    assert len(got) == end["stored"] == end["produced"] - end["dropped"]
    assert overflow == "drop-oldest" or not end["dropped"]


# -- kill -9 ------------------------------------------------------------------------------------------------------------


def block(folder, on):
    """A file where the stores want folders: they fail."""
    for name in ("rows", "db"):
        path, aside = os.path.join(folder, name), os.path.join(folder, name + ".aside")
        if on:
            os.rename(path, aside)
            open(path, "w").close()
        else:
            os.unlink(path)
            os.rename(aside, path)


@pytest.mark.parametrize("store, rows", [("csv", csv_rows), ("db", db_rows)])
def test_killed_again_and_again(cluster, store, rows):
    """At any moment, also when the spool is written or read: what is there is whole and in order, and what is neither there
    nor in the spool was counted as lost with the process's memory."""
    sport, port = free_port(), free_port()
    cluster.daemon("samp", ["samp", "-c", cluster.write(
        "samp.conf", f"listen xprt=sock host=127.0.0.1 port={sport}\n" +
        "".join(SYNTH.format(i=i, metrics=20, interval="5ms") for i in range(NODES)))], sport)
    for folder in ("rows", "db"):
        os.mkdir(cluster.path(folder))
    conf = cluster.write("store.conf", STORES.format(dir=cluster.dir) +
                         f"strgp_add name=p plugin={store} container=c schema=synth flush=50ms spool={cluster.path('spool')}\n"
                         "strgp_start name=p\n" +
                         COLLECT.format(type=f"active xprt=sock host=127.0.0.1 port={sport}", interval="5ms", port=port))
    dead, before = False, 0
    d = cluster.daemon("store", ["store", "-c", conf], port)
    for k in range(KILLS):
        st = wait_for(lambda: (s := policies(port).get("p")) and s["produced"] > before + 50 and s, "rows")
        before = st["produced"]
        if k % 3 == 1:
            block(cluster.dir, not dead)
            dead = not dead
        time.sleep(random.uniform(0, 0.2))  # any moment; nothing is waited for
        d.stop(signal.SIGKILL)
        if store == "db" and not dead and os.path.exists(cluster.path("db/rows.db")):
            in_order(db_rows(cluster.dir, "c"))
        d.start()
    if dead:
        block(cluster.dir, False)
    wait_for(lambda: (s := policies(port).get("p")) and not s["spooled"] and not s["why"] and s["stored"] > 50, "the spool's end")
    assert run("ctl", "-h", "127.0.0.1", "-p", port, "updtr_stop", "name=all").returncode == 0
    end = wait_for(lambda: (s := policies(port).get("p")) and not s["queued"] and not s["spooled"] and s, "all rows")
    d.stop()
    got = rows(cluster.dir, "c")
    in_order(got)
    # a process may have ended between the flush and its count
    assert end["stored"] <= len(got) <= end["produced"], (len(got), end)


def test_killed_while_it_catches_up(cluster):
    """Rows that come from the spool are in the file once, however often the daemon is killed behind writing them."""
    port, more = free_port(), 4000
    for folder in ("rows", "db"):
        os.mkdir(cluster.path(folder))
    conf = cluster.write("store.conf", "".join(SYNTH.format(i=i, metrics=50, interval="10ms") for i in range(4 * NODES)) +
                         STORES.format(dir=cluster.dir) +
                         f"strgp_add name=p plugin=csv container=c schema=synth spool={cluster.path('spool')}\n"
                         "strgp_start name=p\n" + COLLECT.format(type="local", interval="10ms", port=port))
    block(cluster.dir, True)
    d = cluster.daemon("store", ["store", "-c", conf], port)
    wait_for(lambda: (s := policies(port).get("p")) and s["spooled"] > more, "a spool")
    d.stop(signal.SIGKILL)
    block(cluster.dir, False)
    path = cluster.path("rows/c/synth")
    for _ in range(KILLS // 2):
        size = os.path.getsize(path) if os.path.exists(path) else 0
        d.start()
        wait_for(lambda: os.path.exists(path) and os.path.getsize(path) > size + 100000, "rows")
        d.stop(signal.SIGKILL)
    d.start()
    wait_for(lambda: (s := policies(port).get("p")) and not s["spooled"] and s["stored"] > more, "the spool's end")
    d.stop()
    assert csv_rows(cluster.dir, "c")
    with open(path) as f:
        lines = f.read().splitlines()
    assert len(lines) == len(set(lines)), f"{len(lines) - len(set(lines))} rows are there twice"
