"""Reports of tests to a TADA server: one JSON object a datagram, none is ever answered.

    pytest --tada HOST:PORT         every conformance case is a test there, with its checks as assertions
"""
import getpass
import hashlib
import json
import os
import socket
import subprocess
import time

from ldms import ROOT

PORT = 9862
SUITE, TYPE = "LDMSD", "FVT"
WORDS_MAX = 4000  # of a condition; the server reads 128 KiB at most, a datagram holds 64


def where(text):
    """HOST, HOST:PORT or [ADDRESS]:PORT as an address; ValueError with the reason where it is none."""
    host, _, port = text.rpartition(":") if ":" in text and not text.endswith("]") else (text, "", str(PORT))
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"--tada {text}: {port!r} is no port; write HOST:PORT")
    try:
        return socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)[0]
    except OSError as e:
        raise ValueError(f"--tada {text}: {host}: {e.strerror}") from e


def commit():
    r = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    if r.returncode == 0:
        return r.stdout.strip()
    with open(os.path.join(ROOT, "VERSION")) as f:
        return f.read().strip()


class Tada:
    """One server; what it is told never fails a test."""

    def __init__(self, address):
        family, kind, proto, _, self.address = where(address)
        self.sock = socket.socket(family, kind, proto)
        self.commit, self.user = commit(), getpass.getuser()

    def send(self, kind, **fields):
        try:
            self.sock.sendto(json.dumps({"msg-type": kind, **fields}).encode(), self.address)
        except OSError:
            pass  # nobody listens: so it is with datagrams

    def test(self, name, desc, checks):
        return Test(self, name, desc, checks)


class Test:
    """One test: its assertions are numbered from 1, in the order of `checks`."""

    __test__ = False  # pytest: this is no class of tests

    def __init__(self, tada, name, desc, checks):
        now = time.time()
        self.tada, self.checks, self.open = tada, list(checks), set(range(1, len(checks) + 1))
        key = ":".join((SUITE, TYPE, name, tada.user, tada.commit, str(int(now))))
        self.id = hashlib.sha256(key.encode()).hexdigest()
        tada.send("test-start", **{"test-suite": SUITE, "test-type": TYPE, "test-name": name, "test-user": tada.user,
                                   "commit-id": tada.commit, "timestamp": now, "test-id": self.id, "test-desc": desc})

    def decide(self, number, passed, condition):
        self.open.discard(number)
        self.tell(number, "passed" if passed else "failed", condition)

    def tell(self, number, status, condition):
        self.tada.send("assert-status", **{"assert-no": number, "assert-desc": self.checks[number - 1],
                                           "assert-cond": condition[:WORDS_MAX], "test-status": status, "test-id": self.id})

    def finish(self):
        """What was not decided was skipped."""
        for number in sorted(self.open):
            self.tell(number, "skipped", "none")
        self.open = set()
        self.tada.send("test-finish", **{"test-id": self.id, "timestamp": time.time()})
