"""A small LDMS client, written from ldms-wire(7) and from nothing else, to say to a daemon what our tools never would."""
import json
import os
import socket
import struct


class Wire:
    def __init__(self, port, auth=b"none", version=b"\x04\x02\x00\x00", timeout=20, quota=-1, rate=-1, n_eps=1,
                 sock=None):
        self.sock = sock or socket.create_connection(("127.0.0.1", port), timeout)
        self.sock.settimeout(timeout)
        conn = version + auth.ljust(16, b"\0") + struct.pack(
            ">IqqIIIQI", 1, rate, quota, n_eps, 0, os.getpid(), int.from_bytes(os.urandom(7), "big"), 1)
        self.send(1, b"\x01\x03\x01\x00SOCKET\0\0" + struct.pack(">I", len(conn)) + conn)
        self.kind, self.body = self.recv()

    def accepted(self):
        assert self.kind == 8, (self.kind, self.body)
        self.send(10, struct.pack(">I", 0))
        return self

    def prove(self, data):
        """Send one message of the authentication."""
        self.request(6, struct.pack(">I", len(data)) + data, 0)
        return self

    def send(self, kind, body, xid=1):
        self.sock.sendall(struct.pack(">HHI", kind, 0, 20 + len(body)) + struct.pack("<IQ", xid, 0) + body)

    def exactly(self, n):
        data = b""
        while len(data) < n:
            got = self.sock.recv(n - len(data))
            if not got:
                raise EOFError
            data += got
        return data

    def recv(self):
        kind, _, length = struct.unpack(">HHI", self.exactly(8))
        self.exactly(12)
        return kind, self.exactly(length - 20)

    def message(self, payload):
        """One ldms message."""
        self.send(2, struct.pack(">I", len(payload)) + payload)

    def request(self, cmd, rest=b"", xid=77):
        self.message(struct.pack("<Q", xid) + struct.pack(">II", cmd, 16 + len(rest)) + rest)

    def reply(self):
        """The next ldms message: (cmd, everything behind xid, cmd and len)."""
        kind, body = self.recv()
        assert kind in (2, 3), kind
        msg = body[4 if kind == 2 else 20:]
        return struct.unpack(">I", msg[8:12])[0], msg[16:]

    def ask(self, code, attrs=(), msg_no=1, flags=3):
        """A control request."""
        rec = b"".join(struct.pack(">III", 1, i, len(v)) + v for i, v in attrs) + struct.pack(">I", 0)
        rec = struct.pack(">IIIIII", 0xFFFFFFFF, 1, flags, msg_no, code, 24 + len(rec)) + rec
        self.request(5, struct.pack(">I", len(rec)) + rec, 0)

    def control(self, *args, **kw):
        """... and (errno, text) of its answer."""
        self.ask(*args, **kw)
        return self.answer()

    def answer(self):
        text, last = b"", False
        while not last:
            cmd, body = self.reply()
            assert cmd == 5, cmd
            _, _, flags, _, code, length = struct.unpack(">IIIIII", body[4:28])
            text, last = text + body[28:4 + length], flags & 2
        if len(text) <= 4:
            return code, ""
        return code, text[12:-4].rstrip(b"\0").decode()

    # -- the message bus

    def publish(self, channel, data, gn=1, kind=0, uid=0, gid=0, perm=0o777, hops=0):
        name = channel.encode() + b"\0"
        head = bytes(56) + struct.pack(">QIIIII", gn, len(name) + len(data), kind, uid, gid, perm)
        head += struct.pack("<I", 0) + struct.pack(">I", hops) + bytes(292)
        self.request(11, bytes(20) + struct.pack(">Q", gn) + struct.pack("<I", 2) + head + name + data, 0)

    def subscribe(self, match, regex=False, rate=-1, cmd=12):
        """(errno, text) of the answer."""
        self.request(cmd, struct.pack("<I", regex) + struct.pack(">q", rate) + match.encode() + b"\0", 7)
        code, body = self.reply()
        assert code == 0xff + cmd, hex(code)
        return struct.unpack(">I", body[:4])[0], body[8:].rstrip(b"\0").decode()

    def delivered(self, pay=True):
        """The next message of the bus: (channel, data, hops); what it cost is paid back."""
        cmd, body = self.reply()
        assert cmd == 11, cmd
        msg = body[32:]
        name, data = msg[384:].split(b"\0", 1)
        if pay:
            self.request(10, struct.pack(">Ii", len(msg) - 384, 0), 0)
        return name.decode(), data, struct.unpack(">I", msg[88:92])[0]

    def paid(self, total):
        """Wait until so many bytes were paid back; other messages are not expected meanwhile."""
        got = 0
        while got < total:
            cmd, body = self.reply()
            assert cmd == 10, cmd
            part, rc = struct.unpack(">Ii", body)
            assert rc == 0, rc
            got += part
        assert got == total

    def status(self, verb, name=None):
        code, text = self.control(verb, [(1, name.encode() + b"\0")] if name else [])
        assert code == 0, (code, text)
        return json.loads(text)

    def closed(self):
        """Has the daemon hung up?"""
        try:
            while True:
                self.recv()
        except (EOFError, ConnectionError):
            return True
        except socket.timeout:
            return False
