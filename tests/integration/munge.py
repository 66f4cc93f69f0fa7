"""munged for tests: as many as wanted, each with its folder, key and socket, none of them the machine's own."""
import glob
import os
import shutil
import signal
import subprocess
import tempfile

from ldms import PATIENCE_S, wait_for

MUNGED = shutil.which("munged", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def why_not():
    """Why no munged can be run here; None when it can."""
    if not MUNGED or not shutil.which("munge"):
        return "munge is not installed"
    return "munged wants root here: its folder must belong to it all the way up" if os.geteuid() else None


def fake_clock():
    """The library that shifts a process's clock, or None."""
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    return found[0] if found else None


class Munged:
    def __init__(self, folder, key, shift=None):
        self.dir, self.shift, self.proc = folder, shift, None
        self.socket = os.path.join(folder, "munge.sock")
        os.makedirs(folder, mode=0o755)
        fd = os.open(os.path.join(folder, "key"), os.O_CREAT | os.O_WRONLY, 0o400)
        os.write(fd, key)
        os.close(fd)
        self.start()

    def start(self):
        env = dict(os.environ)
        if self.shift:
            env.update(LD_PRELOAD=fake_clock(), FAKETIME=self.shift, DONT_FAKE_MONOTONIC="1")
        self.proc = subprocess.Popen(
            [MUNGED, "-F", "-f", "--num-threads=2", "--socket=" + self.socket,
             *(f"--{o}-file={os.path.join(self.dir, f)}" for o, f in
               (("key", "key"), ("pid", "pid"), ("log", "log"), ("seed", "seed")))],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
        wait_for(self.works, "munged to work")
        return self

    def works(self):
        return subprocess.run(["munge", "-S", self.socket, "-n"], stdin=subprocess.DEVNULL,
                              capture_output=True).returncode == 0

    def stop(self):
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGCONT)
            self.proc.send_signal(signal.SIGTERM)
        self.proc.wait(PATIENCE_S)

    def credential(self, uid=0):
        """What this user would say to a peer."""
        who = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if uid else []
        out = subprocess.run([*who, "munge", "-S", self.socket], input=bytes(16), capture_output=True, check=True)
        return out.stdout.strip() + b"\0"

    def args(self):
        return ("-a", "munge", "-A", "socket=" + self.socket)


class Munges:
    """All of one test."""

    def __init__(self, folder=None):
        self.dir = tempfile.mkdtemp(prefix="ldms-munge-", dir=folder)  # pytest's own folders are closed to others: munged minds
        os.chmod(self.dir, 0o755)
        self.key, self.all = os.urandom(1024), []

    def __call__(self, key=None, shift=None):
        m = Munged(os.path.join(self.dir, f"m{len(self.all)}"), key or self.key, shift)
        self.all.append(m)
        return m

    def end(self):
        for m in self.all:
            m.stop()
        shutil.rmtree(self.dir)
