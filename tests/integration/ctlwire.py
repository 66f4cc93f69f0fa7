"""Control records byte by byte, for tests that want to see the very answer (ldms-wire(7), "records")."""
import struct

from wire import Wire

END = bytes(4)
MARKER = 0xFFFFFFFF


def text(value):
    return value.encode() + b"\0"


def attrs(*pairs):
    """A body: pairs of (id, bytes)."""
    return b"".join(struct.pack(">III", 1, i, len(v)) + v for i, v in pairs) + END


def record(code, body=END, msg_no=1, flags=3, kind=1, marker=MARKER, length=None):
    return struct.pack(">IIIIII", marker, kind, flags, msg_no, code, 24 + len(body) if length is None else length) + body


def send(wire, rec):
    wire.request(5, struct.pack(">I", len(rec)) + rec, 0)


class Answer:
    """One whole message: its records' flags, and what they hold together."""

    def __init__(self, records):
        heads = [struct.unpack(">IIIIII", r[:24]) for r in records]
        assert all(h[0] == MARKER and h[1] == 2 and h[5] == len(r) for h, r in zip(heads, records))
        self.flags = [h[2] for h in heads]
        self.msg_no, self.code = heads[0][3], heads[0][4]
        body = b"".join(r[24:] for r in records)
        self.attrs = []
        while body[:4] != END:
            one, i, n = struct.unpack(">III", body[:12])
            assert one == 1 and len(body) >= 16 + n
            self.attrs.append((i, body[12:12 + n]))
            body = body[12 + n:]
        assert body == END, body

    def shape(self):
        """Which attributes, and whether their length counts a NUL."""
        return [(i, v.endswith(b"\0")) for i, v in self.attrs]

    def text(self):
        return self.attrs[0][1].rstrip(b"\0").decode() if self.attrs else ""

    def __repr__(self):
        return f"<no {self.msg_no} errno {self.code} {[(i, v[:400]) for i, v in self.attrs]}>"


def receive(wire):
    records = []
    while True:
        cmd, body = wire.reply()
        assert cmd == 5, cmd
        records.append(body[4:4 + struct.unpack(">I", body[:4])[0]])
        if struct.unpack(">I", records[-1][8:12])[0] & 2:
            return Answer(records)


def ask(port, *recs):
    """Send records on a connection of their own; the answer."""
    w = Wire(port).accepted()
    for rec in recs:
        send(w, rec)
    got = receive(w)
    w.sock.close()
    return got
