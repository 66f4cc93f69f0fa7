"""Virtual clusters for tests: a folder of them, and whether this machine lets us make any."""
import contextlib
import functools
import json
import os
import subprocess

from ldms import LDMS, run


@functools.cache
def why_no_cluster():
    """Why this machine lets us make none, or None."""
    r = subprocess.run(["unshare", *([] if os.geteuid() == 0 else ["-Ur"]), "-mnpf", "--mount-proc", "true"],
                       capture_output=True, text=True)
    return f"namespaces are not to be had here: {r.stderr.strip()}" if r.returncode else None


class Base:
    """A folder for clusters."""

    def __init__(self, folder):
        self.dir = str(folder)

    def do(self, verb, *args, **kw):
        return run("cluster", verb, "--dir", self.dir, *args, **kw)

    def good(self, verb, *args, **kw):
        r = self.do(verb, *args, **kw)
        assert r.returncode == 0, r.stderr
        return r.stdout

    def exec(self, node, *cmd, **kw):
        return self.do("exec", node, "--", *cmd, **kw)

    def argv(self, verb, *args):
        return [LDMS, "cluster", verb, "--dir", self.dir, *map(str, args)]

    @contextlib.contextmanager
    def tool(self, verb, *args, **kw):
        """It runs until the block ends."""
        with subprocess.Popen(self.argv(verb, *args), text=True, **kw) as p:
            try:
                yield p
            finally:
                p.kill()

    def start(self, node, *cmd, **kw):
        return self.tool("exec", node, "--", *cmd, **kw)

    def nodes(self, name="ldms"):
        return json.loads(self.good("ls", "--json", "--name", name))
