"""What maestro sends in a pass, and a controller when it connects, is answered as they expect: errno and form.

Beside an installed ldmsd the same requests go to it.
"""
import os
import re
import socket
import struct

import pytest

from ctlwire import Answer, attrs, receive, record, send, text
from ldms import ROOT, free_port, wait_for
from real import needs_ldmsd, real
from wire import Wire

NAME, INTERVAL, OFFSET, REGEX, TYPE, XPRT, HOST, PORT, PLUGIN, CONTAINER, SCHEMA, STRING = 1, 2, 3, 4, 5, 8, 9, 10, 12, 13, 14, 16
PUSH, PERM, AUTO, AUTH, RX_RATE, TAG, CFG_CNTR = 23, 27, 31, 35, 40, 49, 0x3
EMPTY, TEXT, BARE_JSON = [], [(16, True)], [(26, False)]


def sampler(folder):
    return [
        (CFG_CNTR, [], 0, TEXT),
        (0xc03, [], 0, TEXT),
        (0x504, [], 0, BARE_JSON),
        (0x603, [], 0, BARE_JSON),
        (0x505, [(NAME, "meminfo1"), (PLUGIN, "meminfo")], 0, EMPTY),
        (0x507, [(NAME, "meminfo1"), (STRING, "producer=samp-1 instance=samp-1/meminfo1 component_id=${COMPID} "
                                      "perm=0777 schema=meminfo")], 0, EMPTY),
        (0x505, [(NAME, "vmstat1"), (PLUGIN, "vmstat")], 0, EMPTY),
        (0x507, [(NAME, "vmstat1"), (STRING, "producer=samp-1 instance=samp-1/vmstat1 component_id=${LDMS_COMPONENT_ID} "
                                     "schema=vmstat")], 0, EMPTY),
        (0x504, [], 0, BARE_JSON),
        (0x502, [(NAME, "meminfo1"), (INTERVAL, "1000000"), (OFFSET, "0")], 0, EMPTY),
        (0x502, [(NAME, "vmstat1"), (INTERVAL, "8000000")], 0, EMPTY),
        (0x604, [], 0, TEXT),
        (CFG_CNTR, [], 0, TEXT),
    ]


def aggregator(folder):
    port = str(free_port())
    return [
        (CFG_CNTR, [], 0, TEXT),
        (0x603, [], 0, BARE_JSON),
        (0x104, [], 0, BARE_JSON),
        (0xa00, [(NAME, "munge1"), (PLUGIN, "none")], 0, EMPTY),
        (0x100, [(NAME, "samp-1-ep"), (XPRT, "sock"), (HOST, "127.0.0.1"), (PORT, port), (INTERVAL, "20000000"),
                 (TYPE, "active"), (AUTH, "munge1"), (PERM, "0644")], 0, EMPTY),
        (0x100, [(NAME, "samp-1-ep"), (XPRT, "sock"), (HOST, "127.0.0.1"), (PORT, port), (INTERVAL, "20000000"),
                 (TYPE, "active"), (AUTH, "munge1"), (PERM, "0644")], 17, TEXT),
        (0x304, [], 0, BARE_JSON),
        (0x300, [(NAME, "updtr_0"), (INTERVAL, "1000000"), (OFFSET, "200000"), (AUTO, "True")], 0, EMPTY),
        (0x305, [(NAME, "updtr_0"), (REGEX, ".*")], 0, TEXT),
        (0x302, [(NAME, "updtr_0")], 0, EMPTY),
        (0x300, [(NAME, "updtr_1"), (INTERVAL, "1000000"), (PUSH, "onchange")], 0, EMPTY),
        (0x300, [(NAME, "updtr_2"), (INTERVAL, "1000000"), (PUSH, "True")], 0, EMPTY),
        (0x303, [(NAME, "updtr_0")], 0, EMPTY),
        (0x301, [(NAME, "updtr_0")], 0, EMPTY),
        (0x505, [(NAME, "csv1"), (PLUGIN, "store_csv")], 0, EMPTY),
        (0x507, [(NAME, "csv1"), (STRING, f"altheader=0 path={folder}")], 0, EMPTY),
        (0x200, [(NAME, "csv-meminfo"), (PLUGIN, "csv1"), (CONTAINER, "ldms_data"), (PERM, "None"), (SCHEMA, "meminfo"),
                 (INTERVAL, "10s")], 0, EMPTY),
        (0x205, [(NAME, "csv-meminfo"), (REGEX, ".*")], 0, EMPTY),
        (0x202, [(NAME, "csv-meminfo")], 0, EMPTY),
        (0x104, [], 0, BARE_JSON),
        (0x102, [(NAME, "samp-1-ep")], 0, EMPTY),
        (0x109, [(REGEX, ".*"), (TAG, "slurm"), (RX_RATE, "100000")], 0, EMPTY),
        (0x103, [(NAME, "samp-1-ep")], 0, EMPTY),
        (0x111, [(NAME, "listen-1"), (AUTO, "True"), (TYPE, "passive"), (PERM, "20000000")], 0, EMPTY),
        (0x113, [(NAME, "listen-1")], 0, EMPTY),
        (0x10d, [(NAME, "adv-1"), (XPRT, "sock"), (HOST, "127.0.0.1"), (PORT, port), (INTERVAL, "10s"), (AUTH, "munge1"),
                 (TYPE, "advertiser")], 0, EMPTY),
        (0x10e, [(NAME, "adv-1"), (XPRT, ""), (HOST, ""), (PORT, "None")], 0, EMPTY),
        (0x10f, [(NAME, "adv-1")], 0, EMPTY),
        (CFG_CNTR, [], 0, TEXT),
    ]


def say(port, requests):
    """All on one connection; complaints."""
    w, wrong = Wire(port).accepted(), []
    for i, (verb, pairs, code, shape) in enumerate(requests, 1):
        send(w, record(verb, attrs(*[(a, text(v) if v else b"") for a, v in pairs]), msg_no=i))
        got = receive(w)
        assert isinstance(got, Answer) and got.msg_no == i
        if got.code != code or got.shape() != shape:
            wrong.append(f"0x{verb:x} {pairs}: {got}, not {code} {shape}")
    w.sock.close()
    return wrong


def ours(cluster):
    port = free_port()
    d = cluster.daemon("ours", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "ours", "-c",
                                cluster.write("ours.conf", "msg_enable\n")], port)
    d.says("is ready")
    return port


def theirs(cluster):
    port = free_port()
    d = real(cluster, "theirs", cluster.write("theirs.conf", "msg_enable\n"), port)

    def up():
        try:
            return Wire(port).accepted()
        except OSError:
            return False
    wait_for(up, d.name)
    return port


@pytest.mark.parametrize("requests", [sampler, aggregator])
def test_ours(cluster, requests):
    assert not say(ours(cluster), requests(cluster.path("rows")))


def frames():
    """Those of the recorded controller: (from whom, bytes)."""
    with open(os.path.join(ROOT, "tests/data/traces/05-controller.txt")) as f:
        parts = re.findall(r"^# \d+ ([CS])>[CS] [^\n]*\n([0-9a-f\n]+)", f.read(), re.M)
    return [(who, bytes.fromhex(text.replace("\n", ""))) for who, text in parts]


def test_a_controller_that_was_recorded(cluster):
    """Its bytes, sent again: the answers have the form that they had, and daemon_status is the same to the byte."""
    def form(frame):
        a = Answer([frame[44:]])
        return a.flags, a.msg_no, a.code, a.shape()

    with socket.create_connection(("127.0.0.1", ours(cluster)), 20) as sock:
        for i, (who, frame) in enumerate(frames(), 1):
            if who == "C":
                sock.sendall(frame)
                continue
            got = sock.recv(8, socket.MSG_WAITALL)
            got += sock.recv(struct.unpack(">I", got[4:])[0] - 8, socket.MSG_WAITALL)
            assert got[:2] == frame[:2]
            if i == 2:
                assert len(got) == len(frame)  # accepted
                continue
            assert form(got) == form(frame)
            if i == 7:
                assert Answer([got[44:]]).attrs == Answer([frame[44:]]).attrs
    assert i == 9


@needs_ldmsd
@pytest.mark.parametrize("requests", [sampler, aggregator])
def test_ldmsd(cluster, requests):
    assert not say(theirs(cluster), requests(cluster.path("rows")))
