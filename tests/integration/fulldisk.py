"""A file system of memory in a daemon's own mount namespace, which is full when the test wants it: not a byte fits in."""
import os
import subprocess

from ldms import wait_for


def can_mount():
    """Why there can be none, or nothing."""
    r = subprocess.run([*WRAP, "mount -t tmpfs none /tmp"], capture_output=True, text=True)
    return f"no mount namespace of one's own: {r.stderr.strip()}" if r.returncode else ""


WRAP = ("unshare", "-m", *(["-r"] if os.geteuid() else []), "sh", "-c")


class FullDisk:
    """wrap stands in front of the daemon's program; `seen` is the folder as others see it, while the daemon lives."""
    UP = "12G"

    def __init__(self, folder):
        self.dir = str(folder)
        os.makedirs(self.dir)
        self.wrap = (*WRAP, f'mount -t tmpfs -o size={self.UP} disk "{self.dir}" && exec "$@"', "sh")

    def started(self, pid):
        self.pid = pid
        self.seen = f"/proc/{pid}/root{self.dir}"
        wait_for(self.is_mounted, "file system of memory")

    def is_mounted(self):
        with open(f"/proc/{self.pid}/mountinfo") as f:
            return f" {self.dir} " in f.read()

    def resize(self, size):
        user = ["-U", "--preserve-credentials"] if os.geteuid() else []
        return subprocess.run(["nsenter", "-t", str(self.pid), "-m", *user, "mount", "-o", f"remount,size={size}", self.dir],
                              capture_output=True, text=True)

    def down(self):
        """As small as it is full; what is written meanwhile may make it larger."""
        def shrunk():
            st = os.statvfs(self.seen)
            return self.resize((st.f_blocks - st.f_bfree) * st.f_frsize).returncode == 0
        wait_for(shrunk, "file system that is full")

    def up(self):
        r = self.resize(self.UP)
        assert r.returncode == 0, r.stderr
