"""A file system that the test answers for, with the kernel's own protocol on /dev/fuse: its files hang when they are told
to, as those of a network file system whose server is gone.

    with mounted(path, number=b"5\\n") as fs:      # skipped where it cannot be mounted
        fs.hang("number")                          # who reads it waits ...
        fs.go_on()                                 # ... until now

Files are read past the kernel's memory of them: each read comes here.
"""
import contextlib
import ctypes
import errno
import os
import struct
import threading

import pytest

LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT, INTERRUPT = 1, 2, 3, 14, 15, 17, 18, 25, 26, 36
BATCH_FORGET, FOPEN_DIRECT_IO, ROOT_ID, MNT_DETACH = 42, 1, 1, 2
IN = struct.Struct("<IIQQIIII")  # len, opcode, unique, node, uid, gid, pid, padding
REQUEST_MAX = 1 << 17

libc = ctypes.CDLL(None, use_errno=True)


class Files:
    def __init__(self, fd, files):
        self.fd, self.names, self.texts = fd, list(files), dict(files)
        self.hung, self.waiting, self.lock = set(), [], threading.Lock()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def hang(self, name):
        with self.lock:
            self.hung.add(name)

    def go_on(self):
        with self.lock:
            self.hung.clear()
            waiting, self.waiting = self.waiting, []
        for unique, *read in waiting:
            self.answer(unique, self.read(*read))

    def hanging(self):
        """How many wait for an answer."""
        with self.lock:
            return len(self.waiting)

    def answer(self, unique, body=b"", error=0):
        with contextlib.suppress(OSError):  # it does not wait any more
            os.write(self.fd, struct.pack("<IiQ", 16 + len(body), -error, unique) + body)

    def attr(self, node):
        text = self.texts[self.names[node - 2]] if node > ROOT_ID else b""
        mode, size = (0o100444, len(text)) if node > ROOT_ID else (0o40555, 0)
        return struct.pack("<QQQQQQIIIIIIIIII", node, size, 0, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def read(self, node, offset, size):
        return self.texts[self.names[node - 2]][offset:offset + size]

    def serve(self):
        with os.fdopen(self.fd, "rb", buffering=0):  # closed by nobody else: requests may come until all have let go
            self.take_all()

    def take_all(self):
        while True:
            try:
                packet = os.read(self.fd, REQUEST_MAX)
            except OSError as e:
                if e.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):
                    continue
                return  # ENODEV: it is mounted no more
            _, op, unique, node, *_ = IN.unpack_from(packet)
            self.take(op, unique, node, packet[IN.size:])

    def take(self, op, unique, node, body):
        if op == INIT:
            self.answer(unique, struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 8, 8, 4096, 1, 0, 0, 0))
        elif op == LOOKUP:
            name = body.rstrip(b"\0").decode()
            if name not in self.texts:
                return self.answer(unique, error=errno.ENOENT)
            n = self.names.index(name) + 2
            self.answer(unique, struct.pack("<QQQQII", n, 0, 0, 0, 0, 0) + self.attr(n))
        elif op == GETATTR:
            self.answer(unique, struct.pack("<QII", 0, 0, 0) + self.attr(node))
        elif op == OPEN:
            self.answer(unique, struct.pack("<QII", 0, FOPEN_DIRECT_IO, 0))
        elif op == READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            with self.lock:
                if self.names[node - 2] in self.hung:
                    self.waiting.append((unique, node, offset, size))
                    return None
            self.answer(unique, self.read(node, offset, size))
        elif op in (RELEASE, FLUSH):
            self.answer(unique)
        elif op not in (FORGET, BATCH_FORGET, INTERRUPT):  # those want no answer
            self.answer(unique, error=errno.ENOSYS)
        return None


@contextlib.contextmanager
def mounted(path, **files):
    try:
        fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as e:
        pytest.skip(f"/dev/fuse: {e.strerror}")
    os.makedirs(path)
    options = f"fd={fd},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()},allow_other"
    if libc.mount(b"test", path.encode(), b"fuse.test", 6, options.encode()):
        os.close(fd)
        pytest.skip(f"a FUSE file system cannot be mounted: {os.strerror(ctypes.get_errno())}")
    fs = Files(fd, files)
    try:
        yield fs
    finally:
        fs.go_on()
        libc.umount2(path.encode(), MNT_DETACH)
