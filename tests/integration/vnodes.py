"""`ldms cluster` as its own tests see it: a folder of clusters, and its verbs.  Tests of daemons want vcluster.py."""
import contextlib
import json
import subprocess

from ldms import LDMS, run


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
