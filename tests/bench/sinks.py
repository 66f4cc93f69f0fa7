"""sinks.py - stores that go dead and come back, for outage.py: each says what is in it afterwards, row by row

A sink is asked for the lines of the storing daemon's configuration and what its program is started with, goes down and
up, and yields (producer, number) of each row that it holds, in its order.
"""
import os
import sqlite3
import subprocess

from daemons import GaveUp, wait_for


class FullDisk:
    """A file system of memory, in the daemon's own mount namespace, that gets no byte larger."""
    UP = "12G"

    def __init__(self, yard):
        self.dir = yard.path("disk")
        os.makedirs(self.dir)
        rights = ["-r"] if os.geteuid() else []
        self.wrap = ("unshare", "-m", *rights, "sh", "-c", f'mount -t tmpfs -o size={self.UP} disk "{self.dir}" && exec "$@"',
                     "sh")

    def started(self, daemon):
        self.pid = daemon.pid
        self.seen = f"/proc/{self.pid}/root{self.dir}"
        wait_for(lambda: self.is_mounted(), "file system of memory")

    def is_mounted(self):
        with open(f"/proc/{self.pid}/mountinfo") as f:
            return f" {self.dir} " in f.read()

    def resize(self, size):
        cmd = ["nsenter", "-t", str(self.pid), "-m", *(["-U", "--preserve-credentials"] if os.geteuid() else []),
               "mount", "-o", f"remount,size={size}", self.dir]
        return subprocess.run(cmd, capture_output=True, text=True)

    def down(self):
        """As small as it is full; what is written meanwhile may make it larger."""
        def shrunk():
            st = os.statvfs(self.seen)
            r = self.resize((st.f_blocks - st.f_bfree) * st.f_frsize)
            return r.returncode == 0
        wait_for(shrunk, "file system that is full")

    def up(self):
        r = self.resize(self.UP)
        if r.returncode:
            raise GaveUp(f"the file system cannot grow: {r.stderr}")

    def end(self):
        pass


class Csv(FullDisk):
    store = "csv"

    def conf(self):
        return f"config name=sink path={self.dir}\n"

    def rows(self):
        with open(os.path.join(self.seen, "c", "synth")) as f:
            for line in f:
                if line[0] != "#":
                    _, _, producer, number, _ = line.split(",", 4)
                    yield producer, int(number)


class Sqlite(FullDisk):
    store = "sqlite"

    def conf(self):
        return f"config name=sink path={self.dir}/rows.db\n"

    def rows(self):
        db = sqlite3.connect(os.path.join(self.seen, "rows.db"))
        if (verdict := db.execute("PRAGMA quick_check").fetchall()) != [("ok",)]:
            raise GaveUp(f"the database is spoilt: {verdict}")
        yield from db.execute("SELECT producer, m0 FROM synth ORDER BY rowid")
        db.close()


SINKS = {"csv-on-full-tmpfs": Csv, "sqlite-on-full-tmpfs": Sqlite}
