"""Control requests as lines of configuration: say(wire, "updtr_add name=u interval=1s") -> (errno, text)."""
import os
import re
import struct

from ldms import ROOT

# Attributes by name, as ldms-wire(7) has them; several names share a number.
ATTRS = {"name": 1, "interval": 2, "reconnect": 2, "flush": 2, "offset": 3, "regex": 4, "type": 5, "producer": 6,
         "instance": 7, "xprt": 8, "host": 9, "port": 10, "match": 11, "plugin": 12, "container": 13, "schema": 14,
         "metric": 15, "string": 16, "udata": 17, "base": 18, "incr": 19, "level": 20, "path": 21, "time": 22, "push": 23,
         "test": 24, "perm": 27, "auto_interval": 31, "uid": 32, "gid": 33, "stream": 34, "auth": 35, "reset": 36,
         "decomposition": 37, "rail": 38, "quota": 39, "rx_rate": 40, "summary": 41, "size": 42, "cache_ip": 43,
         "ip": 43, "disable_start": 31, "advertiser_xprt": 8,
         "advertiser_port": 10, "advertiser_auth": 35, "exclusive_thread": 48, "message_tag": 49}


def verbs():
    with open(os.path.join(ROOT, "tests/data/verb-numbers")) as f:
        return {v: int(n, 16) for v, n in (line.split() for line in f if not line.startswith("#"))}


VERBS = verbs()


def say(wire, line):
    """Attributes are NAME=VALUE without blanks; %20 stands for one, as in string=a=1%20b=2."""
    verb, *words = line.split()
    pairs = [w.split("=", 1) for w in words]
    return wire.control(VERBS[verb], [(ATTRS[k], v.replace("%20", " ").encode() + b"\0") for k, v in pairs])


class Shaped:
    """A session that keeps the answer's bytes: say() on it, then shape()."""

    def __init__(self, wire):
        self.wire, self.body = wire, b""

    def control(self, code, attrs):
        inner = self.wire.reply

        def reply():
            cmd, self.body = inner()
            return cmd, self.body
        self.wire.reply = reply
        try:
            return self.wire.control(code, attrs)
        finally:
            self.wire.reply = inner

    def shape(self):
        """Of the last record: the number of its first attribute, and whether the length counts a NUL."""
        _, attr, length = struct.unpack(">III", self.body[28:40])
        return attr, self.body[40:40 + length].endswith(b"\0")


def fits(text, want):
    """`want` is a text, or, between slashes, an expression."""
    return re.fullmatch(want[1:-1], text, re.S) if len(want) > 1 and want[0] == want[-1] == "/" else text == want
