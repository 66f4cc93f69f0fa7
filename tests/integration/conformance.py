"""The conformance suite: the cases of LDMS's own test suite that matter to whoever speaks its protocols, run with our
executable in every role, and, where an ldmsd 4.5.3 is installed, once more with each role played by the installed one.

    @case(2, "agg_test 1-2", "sets and values reach the second level", roles="sampler agg1 tool",
          checks=["the set is on the aggregator"])
    def test_agg(c):
        samp = c.ldmsd("sampler", "node1", c.sampler("meminfo", "node1"))
        agg = c.ldmsd("agg1", "node2", c.aggregator(["node1"]))
        c.check("the set is on the aggregator", lambda: c.sets(agg), {"node1/meminfo"})

Both take the same command line and configuration, ours by its old names; so a case says only which role plays where.
Behind the run stands the matrix of cases and roles:

    make conformance [PEER=DIR] [TADA=HOST:PORT]
    python3 tests/integration/conformance.py [--list] [--peer DIR] [--tada HOST:PORT] [pytest's options]
"""
import argparse
import functools
import glob
import json
import os
import re
import subprocess
import sys

import pytest

import ls_text
from control import say
from ldms import ROOT, wait_for
from real import PREFIX, env as real_env
from tada import Tada
from terminal import Terminal
from vcluster import PORT, VCluster, why_not

ROLES = ("sampler", "agg1", "agg2", "tool")
NODES = 8
OPERATOR = f"node{NODES}"  # here the tools run, and no daemon
ALL_OURS = "ours"
NO_PEER = "no ldmsd is installed; set LDMSD_PREFIX to where one is"
CASES = {}


class Case:
    """`checks` are decided one by one, in any order.  `defects` are those of the installed ldmsd, by role: the reason why
    the case fails with it there, or the reasons by check.  `waits` names what the case waits for; it is then listed, and
    not run."""

    def __init__(self, pick, name, what, roles, checks=(), defects=None, waits=None):
        self.pick, self.name, self.what, self.roles = pick, name, what, tuple(roles.split())
        self.checks, self.defects, self.waits = list(checks), defects or {}, waits
        assert set(self.roles) <= set(ROLES) and set(self.defects) <= set(self.roles), name
        assert len(set(self.checks)) == len(self.checks), f"{name}: two checks of one name"
        assert self.name not in CASES, f"two cases are named {name}"
        CASES[name] = self


def runs(*cases):
    """A test that runs these cases, each once with ours in all roles, and once for each role an installed ldmsd may play."""
    params = [pytest.param((one, p), id=f"{one.name}-{p if p == ALL_OURS else p + '-real'}")
              for one in cases for p in ((ALL_OURS,) if one.waits else (ALL_OURS, *one.roles))]

    def test_of(func):
        @functools.wraps(func)
        def test(c, **fixtures):
            func(c, **fixtures)
            c.verdict()
        return pytest.mark.parametrize("c", params, indirect=True)(test)
    return test_of


def case(pick, name, what, roles, checks=(), defects=None, waits=None):
    """A test that is one case."""
    return runs(Case(pick, name, what, roles, checks, defects, waits))


class Run:
    """One case, with the installed ldmsd in `real` (a role, or ALL_OURS)."""

    def __init__(self, one, real, hosts, report):
        self.case, self.real, self.hosts, self.report = one, real, hosts, report
        self.sessions, self.faults, self.failed, self.known = {}, False, [], []

    # -- programs

    def program(self, role, name):
        """(argv[0], environment) of a program of LDMS in that role."""
        assert role in self.case.roles, f"{self.case.name} has no role {role}"
        if role != self.real:
            return name, {"TZ": "UTC"}
        path = next((p for d in ("sbin", "bin") if os.access(p := os.path.join(PREFIX, d, name), os.X_OK)), None)
        if not path:
            pytest.skip(f"there is no {name} below {PREFIX}")
        lib = {k: v for k, v in real_env().items() if os.environ.get(k) != v}
        modules = glob.glob(os.path.join(PREFIX, "lib", "python3*", "site-packages"))
        return path, {**lib, **({"PYTHONPATH": ":".join(modules)} if modules else {})}

    def ldmsd(self, role, node, conf, *args, name=None, port=PORT, program="ldmsd", env=None):
        """Start a daemon in a node; conf is the text of its configuration file."""
        path, mine = self.program(role, program)
        return self.hosts.node(node).daemon(conf, args, name, port, path, {**mine, **(env or {})}, ours=role != self.real)

    def tool(self, name, *args, node=OPERATOR, **kw):
        """Run one of LDMS's tools to its end."""
        path, env = self.program("tool", name)
        return self.hosts.node(node).run([path, *args], env={**env, **kw.pop("env", {})}, **kw)

    def folder(self, name):
        """A new folder, at the same path in all nodes."""
        path = self.hosts.path(name)
        os.makedirs(path)
        return path

    # -- configurations

    def sampler(self, plugin, producer, interval="200ms", **attrs):
        """The lines that run a plugin, its set named PRODUCER/PLUGIN."""
        more = "".join(f" {k}={v}" for k, v in attrs.items())
        return (f"load name={plugin}\nconfig name={plugin} producer={producer} instance={producer}/{plugin}{more}\n"
                f"start name={plugin} interval={interval} offset=0\n")

    def aggregator(self, hosts, interval="200ms", offset="50ms"):
        """The lines that read everything from these hosts; producers are named as they are."""
        return "".join(f"prdcr_add name={h} type=active xprt=sock host={h} port={PORT} reconnect=200ms\n"
                       f"prdcr_start name={h}\n" for h in hosts) + \
            (f"updtr_add name=all interval={interval} offset={offset}\nupdtr_prdcr_add name=all regex=.*\n"
             "updtr_start name=all\n")

    # -- questions

    def ls(self, daemon, *args, **kw):
        """ldms_ls at a daemon, from the operator's node."""
        return self.tool("ldms_ls", "-x", "sock", "-h", daemon.node.name, "-p", daemon.port, *args, **kw)

    def look(self, daemon, *args):
        """What it prints, read back (ls_text.py); {} while the daemon does not answer."""
        r = self.ls(daemon, *args)
        return ls_text.parse(r.stdout) if r.returncode == 0 else {}

    def sets(self, daemon):
        return set(self.look(daemon))

    def values(self, daemon, *names):
        """{set: {metric: value}} of the sets that are consistent."""
        return {n: s["metrics"] for n, s in self.look(daemon, "-l", *names).items() if s["state"] == "consistent"}

    def controller(self, daemon, *lines, **kw):
        """What ldmsd_controller prints when it is given these lines."""
        r = self.tool("ldmsd_controller", "--host", daemon.node.name, "--port", daemon.port, "--xprt", "sock", "--auth", "none",
                      input="\n".join([*lines, "quit", ""]), **kw)
        return r.stdout + r.stderr

    def prompt(self, daemon):
        """ldmsd_controller at a terminal."""
        path, env = self.program("tool", "ldmsd_controller")
        at = ["--host", daemon.node.name, "--port", str(daemon.port), "--xprt", "sock", "--auth", "none"]
        return Terminal(self.hosts.node(OPERATOR).command([path, *at], env), f"sock:{daemon.addr()}> ")

    def say(self, daemon, line):
        """A request on a session that stays: (errno, text)."""
        if daemon not in self.sessions:
            self.sessions[daemon] = self.until(lambda: self.session(daemon), f"{daemon.name} to listen")
        return say(self.sessions[daemon], line)

    def status(self, daemon, line):
        """The objects that a question is answered with."""
        code, text = self.say(daemon, line)
        assert code == 0, f"{daemon.name}: {line}: {code}: {text}"
        return json.loads(text)

    def session(self, daemon):
        try:
            return daemon.wire().accepted()
        except (OSError, EOFError):
            return None

    def fault(self, kind, *args):
        """`ldms cluster fault`; what it does to the network is healed behind the case."""
        self.faults = True
        return self.hosts.fault(kind, *args)

    # -- assertions

    def check(self, what, got, want=True, go_on=False):
        """Decide a check of the case.  `got` is a value, or a function: then it is waited for.  The case ends with the
        first that fails, or, with go_on, tells all of them at its end."""
        number = self.case.checks.index(what) + 1
        words = "got == want"
        try:
            if callable(got):
                seen = None

                def same():
                    nonlocal seen
                    seen = got()
                    return self.go_on(bool(seen) if want is True else seen == want)
                try:
                    wait_for(same, what)
                finally:
                    words = f"{seen!r} == {want!r}"
            else:
                words = f"{got!r} == {want!r}"
                assert bool(got) if want is True else got == want, f"{what}: it is {got!r}, not {want!r}"
        except AssertionError as e:
            self.report.decide(number, False, words)
            known = self.case.defects.get(self.real)
            if isinstance(known, dict) and what in known:
                self.known.append(known[what])
                return
            if not go_on:
                raise AssertionError(f"check {number}: {e}\nlast: {words}\n{self.hosts.tails()}") from None
            self.failed.append(f"check {number}: {e}")
        else:
            self.report.decide(number, True, words)

    def go_on(self, got):
        """What a condition said; it is not waited for any longer when a daemon ended by itself."""
        assert got or not self.hosts.ended(), " and ".join(d.name for d in self.hosts.ended()) + " ended"
        return got

    def until(self, condition, what):
        """Wait for what the checks need to begin."""
        try:
            return wait_for(lambda: self.go_on(condition()), what)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.hosts.tails()}") from None

    def matches(self, what, text, expression, go_on=False):
        """A check that a text has a line, or lines, that match."""
        found = re.search(f"^{expression}", text, re.M)
        self.check(what, found.group() if found else text, found.group() if found else expression, go_on)

    def verdict(self):
        """A case that went on behind checks that failed fails with all of them; known defects alone are expected."""
        assert not self.failed, "\n".join(self.failed)
        if self.known:
            pytest.xfail("; ".join(dict.fromkeys(self.known)))

    def end(self):
        for s in self.sessions.values():
            s.sock.close()
        if self.faults:
            self.hosts.fault("heal", f"node[1-{NODES}]")


class NoReport:
    """Where nobody wants to hear."""

    def decide(self, *_):
        pass

    def finish(self):
        pass


# -- pytest: conftest.py takes these over

def pytest_addoption(parser):
    parser.addoption("--tada", metavar="HOST:PORT", help="tell this TADA server of the conformance cases")


@pytest.fixture(scope="session")
def tada(pytestconfig):
    address = pytestconfig.getoption("--tada")
    try:
        return Tada(address) if address else None
    except ValueError as e:
        pytest.exit(str(e), 2)


@pytest.fixture(scope="session")
def eight_hosts(tmp_path_factory):
    """All cases share them; each has its folder below theirs."""
    if why_not():
        pytest.skip(why_not())
    with VCluster(tmp_path_factory.mktemp("conformance"), NODES) as hosts:
        yield hosts


@pytest.fixture
def c(request, tada):
    one, real = request.param
    request.node.user_properties.append(("conformance", [one.name, real]))
    if real != ALL_OURS and not PREFIX:
        pytest.skip(NO_PEER)
    name = one.name if real == ALL_OURS else f"{one.name} ({real}: ldmsd)"
    report = tada.test(name, one.what, one.checks) if tada else NoReport()
    run = hosts = None
    try:
        if one.waits:
            pytest.skip("waits for " + one.waits)
        if isinstance(one.defects.get(real), str):
            request.applymarker(pytest.mark.xfail(reason=one.defects[real], strict=False))
        hosts = request.getfixturevalue("eight_hosts")
        shared = hosts.dir
        hosts.dir = os.path.join(shared, re.sub(r"[^\w-]+", "-", f"{one.pick:02}-{one.name}-{real}"))
        os.makedirs(hosts.dir)
        run = Run(one, real, hosts, report)
        yield run
    finally:
        report.finish()
        if run:
            try:
                run.end()
                hosts.end()
            finally:
                hosts.daemons, hosts.dir = [], shared


def outcome(report):
    if hasattr(report, "wasxfail"):
        return "known" if report.skipped else "passed"
    return report.outcome if report.when == "call" or report.outcome != "passed" else None


def pytest_terminal_summary(terminalreporter):
    """The matrix: cases and roles."""
    cells, why = {}, {}
    for reports in list(terminalreporter.stats.values()):
        for r in reports:
            mine = dict(getattr(r, "user_properties", ())).get("conformance")
            if not mine or not (result := outcome(r)):
                continue
            key = tuple(mine)
            cells[key] = "failed" if "failed" in (result, cells.get(key)) else result
            if result == "skipped":
                why.setdefault(r.longrepr[2].removeprefix("Skipped: "), []).append(key)
            elif hasattr(r, "wasxfail"):
                why.setdefault(f"known: {r.wasxfail}" if result == "known" else f"passes now: {r.wasxfail}", []).append(key)
    if not cells:
        return
    say = terminalreporter.write_line
    terminalreporter.section("conformance: which role an installed ldmsd plays")
    say(f"{'':42}" + "".join(f"{p:>9}" for p in (ALL_OURS, *ROLES)))
    for one in sorted(CASES.values(), key=lambda o: o.pick):
        mine = [cells.get((one.name, p), "-") for p in (ALL_OURS, *ROLES)]
        if any(m != "-" for m in mine):
            say(f"{one.pick:>3} {one.name:38}" + "".join(f"{m:>9}" for m in mine))
    for reason, keys in why.items():
        names = sorted({f"{n} ({p})" for n, p in keys})
        say(f"{', '.join(names) if len(names) < 5 else f'{len(names)} runs'}: {reason}")


# -- by hand

def listed():
    """All cases, one a line."""
    sys.path.insert(0, os.path.join(ROOT, "tests/integration"))
    for path in sorted(glob.glob(os.path.join(ROOT, "tests/integration/test_conformance*.py"))):
        __import__(os.path.basename(path)[:-3])
    for one in sorted(sys.modules["conformance"].CASES.values(), key=lambda o: o.pick):
        print(f"{one.pick:>3} {one.name:32} {' '.join(one.roles):26} {one.what}"
              + (f" [waits for {one.waits}]" if one.waits else ""))


def main():
    p = argparse.ArgumentParser(prog="conformance.py", description="Run the conformance suite; other options are pytest's.")
    p.add_argument("--list", action="store_true", help="list the cases and end")
    p.add_argument("--peer", metavar="DIR", help="where an ldmsd 4.5.3 is installed ($LDMSD_PREFIX)")
    p.add_argument("--tada", metavar="HOST:PORT", help="tell this TADA server")
    args, more = p.parse_known_args()
    if args.peer:
        os.environ["LDMSD_PREFIX"] = args.peer
    if args.list:
        return listed()
    files = sorted(glob.glob(os.path.join(ROOT, "tests/integration/test_conformance_*.py")))
    return subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files,
                           *(["--tada", args.tada] if args.tada else []), *more], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
