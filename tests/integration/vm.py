"""A place whose kernel has netem: this machine, or else the small virtual one of tests/vm.sh, which boots once for all.

    def test_far(vm):
        vm.do("tc qdisc add ...")       # a command of the shell; its output
        vm.do("false", fails=True)

The virtual machine sees this one's files as they were at its beginning, at the same places; what is made there is not
seen here, but for vm.path(): a folder that is the same in both (it is called vm.there in the machine).
"""
import ctypes
import os
import signal
import subprocess

import pytest

from ldms import PATIENCE_S, ROOT, SANITIZED

SCRIPT = os.path.join(ROOT, "tests", "vm.sh")
LIMIT_S = 900        # of the machine's life: if its test is killed, it ends all the same
MEMORY = "4G" if SANITIZED else "1G"  # sanitizers want several times what a daemon takes
SLOWER = 5           # than this machine, at most
PR_SET_PDEATHSIG = 1


class Here:
    """This machine will do; what is done in it stays among processes that the test ends."""
    patience = PATIENCE_S

    def __init__(self, folder):
        self.folder = self.there = str(folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, cmd):
        return subprocess.run(["sh", "-c", cmd], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
                              stdin=subprocess.DEVNULL, timeout=self.patience * 2)

    def do(self, cmd, fails=False):
        """Its output; the test fails when the command does, or with `fails` when it does not."""
        r = self.run(cmd)
        assert (r.returncode != 0) == fails, f"{cmd}: exit {r.returncode}:\n{r.stdout}"
        return r.stdout

    def end(self):
        pass


class There(Here):
    """The virtual machine."""
    patience = PATIENCE_S * SLOWER
    there = "/out"

    def __init__(self, folder):
        self.folder = str(folder)
        self.log = open(self.path("qemu.log"), "wb")
        libc = ctypes.CDLL(None)
        self.proc = subprocess.Popen(["sh", SCRIPT, "boot", self.folder, "-t", str(LIMIT_S), "-m", MEMORY],
                                     stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                     preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM))
        with open(self.path("pid"), "w") as f:
            f.write(str(self.proc.pid))

    def run(self, cmd):
        return subprocess.run(["sh", SCRIPT, "do", self.folder, cmd], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, cwd=ROOT, timeout=self.patience * 2)

    def end(self):
        subprocess.run(["sh", SCRIPT, "down", self.folder], check=True)
        try:
            self.proc.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.proc.terminate()
            self.proc.wait(PATIENCE_S)
        self.log.close()


def place(folder):
    """Here or There; a test that can have neither is skipped, with the reason."""
    if subprocess.run(["sh", SCRIPT, "wanted"]).returncode:
        return Here(folder)
    r = subprocess.run(["sh", SCRIPT, "fetch"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if r.returncode:
        pytest.skip(f"this kernel has no netem, and there is no virtual machine: {r.stdout.strip()}")
    return There(folder)


@pytest.fixture(scope="session")
def vm(tmp_path_factory):
    v = place(tmp_path_factory.mktemp("vm"))
    yield v
    v.end()
