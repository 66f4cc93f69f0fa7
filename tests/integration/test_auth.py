"""Who may talk to whom: every method between real processes, and every way in which it can fail."""
import os
import signal
import socket
import threading

import pytest

from ldms import CONFINED_ENV, PATIENCE_S, free_port, run, wait_for
from munge import fake_clock
from wire import Wire

MS = ("--interval", "100ms")
DAEMON_EXIT, DAEMON_STATUS, PRDCR_ADD, LISTEN, AUTH_ADD, AUTH_DEL, XPRT_STATS = 0x609, 0x603, 0x100, 0x610, 0xa00, 0xa01, 0x60c


def text(value):
    return value.encode() + b"\0"


def secret(cluster, name, word="swordfish-42", mode=0o600):
    path = cluster.write(name, f"# for tests\nsecretword={word}\n")
    os.chmod(path, mode)
    return path


def ovis(path):
    return ("-a", "ovis", "-A", "conf=" + path)


def ls(port, *args, **kw):
    return run("ls", "-h", "127.0.0.1", "-p", port, *args, **kw)


def up(port, *args):
    return wait_for(lambda: ls(port, *args).stdout.split(), "sets")


def agg_conf(cluster, port, samp_port, domain):
    """An aggregator that everybody may ask, and that authenticates to its producer; users stand before what they use."""
    return cluster.write("agg.conf", f"""
listen xprt=sock port={port} host=127.0.0.1 auth=open
prdcr_add name=p type=active xprt=sock host=127.0.0.1 port={samp_port} reconnect=200ms auth=site
prdcr_start name=p
updtr_add name=u interval=100ms
updtr_prdcr_add name=u regex=.*
updtr_start name=u
auth_add name=open plugin=none
auth_add name=site {domain}
""")


def agg(cluster, samp_port, domain):
    port = free_port()
    return cluster.daemon("agg", ["agg", "-c", agg_conf(cluster, port, samp_port, domain)], port)


# -- ovis --------------------------------------------------------------------------------------------------------------

def test_ovis_between_all(cluster):
    good = secret(cluster, "good")
    samp = cluster.samp("n1", "loadavg", *MS, *ovis(good))
    assert up(samp.port, *ovis(good)) == ["n1/loadavg"]
    a = agg(cluster, samp.port, "plugin=ovis conf=" + good)
    wait_for(lambda: a.values("n1/loadavg"), "the set at the aggregator")
    # and with the options alone, both ways
    b = cluster.agg("b", [samp], *MS, *ovis(good))
    assert up(b.port, *ovis(good)) == ["n1/loadavg"]
    assert ls(b.port).returncode == 7


def test_ovis_wrong_secret(cluster):
    good, bad = secret(cluster, "good"), secret(cluster, "bad", "swordfish-43")
    samp = cluster.samp("n1", "loadavg", *MS, *ovis(good))
    up(samp.port, *ovis(good))
    r = ls(samp.port, *ovis(bad))
    assert r.returncode == 7 and "its secret word is another one" in r.stderr and r.stdout == ""
    samp.says(f"authentication ovis: its secret word is not ours ({good}); give both sides the same file (auth: secret)")
    a = agg(cluster, samp.port, "plugin=ovis conf=" + bad)
    a.says("producer: p: CONNECTING -> DISCONNECTED")
    a.says("its secret word is another one")
    secret(cluster, "bad")  # mended: the producer comes by itself
    wait_for(lambda: a.values("n1/loadavg"), "the producer to recover")


def test_other_method(cluster):
    good = secret(cluster, "good")
    samp = cluster.samp("n1", "loadavg", *MS, *ovis(good))
    up(samp.port, *ovis(good))
    for method in ("none", "naive"):
        r = ls(samp.port, "-a", method)
        assert r.returncode == 7 and "Auth mismatch; it wants another authentication method" in r.stderr
    samp.says("it wants authentication 'none', but this port 'ovis'; give both sides the same -a (auth: method)")
    open_samp = cluster.samp("n2", "loadavg", *MS)
    up(open_samp.port)
    assert ls(open_samp.port, *ovis(good)).returncode == 7
    a = agg(cluster, open_samp.port, "plugin=ovis conf=" + good)
    a.says("it wants another authentication method")


@pytest.mark.parametrize("name, word, mode, words", [
    ("open", "swordfish-42", 0o644, "mode 0644 is open to others than its owner; run: chmod 600"),
    ("group", "swordfish-42", 0o640, "mode 0640"),
    ("short", "sword", 0o600, "the secret word has 5 characters; it must have 8 to 512"),
    ("missing", None, 0, "No such file or directory"),
])
def test_bad_secret_files(cluster, name, word, mode, words):
    path = secret(cluster, name, word, mode) if word else cluster.path(name)
    r = run("samp", "-x", f"sock:{free_port()}", "--samp", "loadavg", *ovis(path))
    assert r.returncode == 7 and f"secret file {path}: " in r.stderr and words in r.stderr
    conf = cluster.write("c.conf", f"listen xprt=sock port={free_port()} auth=site\n"
                         f"auth_add name=site plugin=ovis conf={path}\n")
    r = run("samp", "-c", conf)
    assert r.returncode and "c.conf:2:1: " in r.stderr and "authentication domain site: " in r.stderr
    assert path in r.stderr and words in r.stderr
    r = ls(1, *ovis(path))
    assert r.returncode == 1 and words in r.stderr


def test_where_the_secret_is_looked_for(cluster):
    good = secret(cluster, "good")
    home = cluster.path("home")
    os.mkdir(home)
    os.symlink(good, os.path.join(home, ".ldmsauth.conf"))
    samp = cluster.samp("n1", "loadavg", *MS, *ovis(good))
    up(samp.port, *ovis(good))
    clean = {k: v for k, v in os.environ.items() if k != "LDMS_AUTH_FILE"}
    assert ls(samp.port, "-a", "ovis", env={**clean, "LDMS_AUTH_FILE": good}).returncode == 0
    assert ls(samp.port, "-a", "ovis", env={**clean, "HOME": home}).returncode == 0
    r = ls(samp.port, "-a", "ovis", env={**clean, "HOME": home, "LDMS_AUTH_FILE": "good"})
    assert r.returncode == 1 and "secret file good (LDMS_AUTH_FILE): the path must be absolute" in r.stderr


def test_options_before_files_and_the_first_counts(cluster):
    good, port = secret(cluster, "good"), free_port()
    conf = cluster.write("s.conf", f"listen xprt=sock port={port} host=127.0.0.1\nload name=loadavg\n"
                         "config name=loadavg producer=n1 instance=n1/loadavg\nstart name=loadavg interval=100ms\n"
                         f"default_auth plugin=ovis conf={good}\ndefault_auth plugin=none\n")
    samp = cluster.daemon("samp", ["samp", "-c", conf], port)
    samp.says("using `sock` transport and `ovis` authentication")
    samp.says("The default authentication was already set to 'ovis'. Ignore the new value 'none'")
    up(port, *ovis(good))
    samp.stop()
    samp = cluster.daemon("samp2", ["samp", "-c", conf, "-a", "naive"], port)
    samp.says("using `sock` transport and `naive` authentication")
    samp.says("believes whatever a peer says")


@pytest.mark.parametrize("line", ["option -a ovis -A conf={}", "option -A conf={} --default_auth=ovis",
                                  "option --default_auth ovis --default_auth_args=conf={}"])
def test_options_in_files(cluster, line):
    good, port = secret(cluster, "good"), free_port()
    conf = cluster.write("s.conf", f"listen xprt=sock port={port} host=127.0.0.1\n{line.format(good)}\n")
    cluster.daemon("samp", ["samp", "-c", conf], port)
    wait_for(lambda: ls(port, *ovis(good)).returncode == 0, "it to answer")
    assert ls(port).returncode == 7


def test_listeners_each_with_their_own(cluster):
    good, other = secret(cluster, "good"), secret(cluster, "other", "another-word")
    ports = [free_port() for _ in range(4)]
    conf = cluster.write("s.conf", f"""
listen xprt=sock port={ports[0]} host=127.0.0.1
listen xprt=sock port={ports[1]} host=127.0.0.1 auth=a
listen xprt=sock port={ports[2]} host=127.0.0.1 auth=a conf={other}
listen xprt=sock port={ports[3]} host=127.0.0.1 auth=naive uid=5
auth_add name=a plugin=ovis conf={good}
load name=loadavg
config name=loadavg producer=n1 instance=n1/loadavg perm=0777
start name=loadavg interval=100ms
""")
    cluster.daemon("samp", ["samp", "-c", conf], ports[0])
    for port, args in zip(ports, ((), ovis(good), ovis(other), ("-a", "naive"))):
        assert up(port, *args) == ["n1/loadavg"]
    assert ls(ports[1], *ovis(other)).returncode == 7
    assert ls(ports[2], *ovis(good)).returncode == 7


@pytest.mark.parametrize("lines, words", [
    ("listen xprt=sock port={port} auth=site", "Listen error: authentication domain 'site' not found. Please make sure "
     "that it is created with `auth_add` config command."),
    ("prdcr_add name=p type=active xprt=sock host=h port=1 reconnect=1s auth=site",
     "Authentication name not found, check the auth_add configuration."),
    ("auth_add name=a plugin=none\nauth_add name=a plugin=none", "errno: 17: authentication domain a: exists already"),
    ("auth_add name=a plugin=password", "authentication password: unknown; there is: munge naive none ovis"),
    ("auth_add name=a plugin=ovis cnof=/x", "unknown option 'cnof'; did you mean 'conf'?"),
    ("listen xprt=sock prot={port}", "listen: unknown attribute 'prot'; did you mean 'port'?"),
    ("listen xprt=sock port={port} conf=/x", "authentication none: takes no options, not 'conf'"),
    ("auth_del name=a", "'a' authentication domain not found"),
])
def test_bad_lines(cluster, lines, words):
    conf = cluster.write("c.conf", lines.format(port=free_port()) + "\n")
    r = run("samp", "-x", f"sock:{free_port()}", "-c", conf)
    assert r.returncode and words in r.stderr and "c.conf:" in r.stderr


def test_domains_by_request(cluster):
    good = secret(cluster, "good")
    samp = cluster.samp("n1", "loadavg", *MS, *ovis(good))
    a = cluster.agg("agg", ["127.0.0.1:1"], *MS)
    w = wait_for(lambda: a.ls_run().returncode == 0) and Wire(a.port).accepted()
    add = [(1, text("late")), (5, text("active")), (8, text("sock")), (9, text("127.0.0.1")),
           (10, text(str(samp.port))), (2, text("100ms")), (35, text("site"))]
    assert w.control(PRDCR_ADD, add) == (2, "Authentication name not found, check the auth_add configuration.")
    code, words = w.control(AUTH_ADD, [(1, text("site")), (12, text("ovis")), (16, text("conf=/no/such/file"))])
    assert code == 2 and "errno: 2: authentication domain site: " in words
    assert w.control(AUTH_ADD, [(1, text("site")), (12, text("ovis")), (16, text("conf=" + good))]) == (0, "")
    assert w.control(AUTH_ADD, [(1, text("site")), (12, text("none"))])[0] == 17
    assert w.control(PRDCR_ADD, add) == (0, "")
    code, words = w.control(AUTH_DEL, [(1, text("site"))])
    assert code == 16 and "1 producer or listener use" in words
    assert w.control(0x102, [(1, text("late"))]) == (0, "")
    wait_for(lambda: a.values("n1/loadavg"), "the set of the new producer")
    assert {p["name"]: p["auth"] for p in w.status(0x104)} == {"127.0.0.1:1": "DEFAULT", "late": "site"}
    assert w.control(0x103, [(1, text("late"))]) == (0, "")
    assert w.control(0x101, [(1, text("late"))]) == (0, "")
    wait_for(lambda: w.control(AUTH_DEL, [(1, text("site"))]) == (0, ""), "nobody to use it")
    assert w.control(AUTH_DEL, [(1, text("site"))]) == (2, "'site' authentication domain not found")


def test_auth_out_of_place_drops_only_that_peer(cluster):
    good = secret(cluster, "good")
    samp = cluster.samp("n1", "loadavg", *MS, *ovis(good))
    up(samp.port, *ovis(good))
    for data in (b"", b"\1\0\0\0", b"\2\0\0\0" + b"0" * 56 + b"\0", b"MUNGE:x:\0", b"\1\0\0\0" + bytes(8) + b"x"):
        assert Wire(samp.port, auth=b"ovis").accepted().prove(data).closed()
    samp.says("(auth: broken)")
    assert up(samp.port, *ovis(good)) == ["n1/loadavg"]


def test_a_server_that_stays_silent(cluster):
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(4)

    def serve():
        c, _ = s.accept()
        hello = c.recv(100)
        c.sendall(bytes.fromhex("000800000000005801000000000000000000000000000040") + hello[36:100])
        while c.recv(1000):
            pass

    threading.Thread(target=serve, daemon=True).start()
    r = ls(s.getsockname()[1], "-w", "500ms", *ovis(secret(cluster, "good")))
    assert r.returncode == 7 and "authentication ovis: it connected, but does not say who it is" in r.stderr
    s.close()


def test_auth_gen(cluster):
    path = cluster.path("new")
    r = run("auth", "gen", path)
    assert r.returncode == 0 and f"-A conf={path}" in r.stdout
    word = open(path).read()
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert word.startswith("secretword=") and word not in r.stdout and len(word) == 76
    r = run("auth", "gen", path)
    assert r.returncode == 1 and "--force" in r.stderr and open(path).read() == word
    assert run("auth", "gen", "--force", path).returncode == 0
    assert open(path).read() != word and os.stat(path).st_mode & 0o777 == 0o600
    assert os.listdir(cluster.dir) == ["new"]
    samp = cluster.samp("n1", "loadavg", *MS, *ovis(path))
    assert up(samp.port, *ovis(path)) == ["n1/loadavg"]
    for args in (("gen",), ("make", "x"), ("gen", "a", "b"), (), ("gen", "/no/such/folder/x")):
        r = run("auth", *args)
        assert r.returncode == 1 and r.stderr.startswith("ldms auth: ")


# -- naive -------------------------------------------------------------------------------------------------------------

def naive(uid, gid):
    return uid.to_bytes(4, "big") + gid.to_bytes(4, "big")


def test_naive(cluster):
    samp = cluster.samp("n1", "loadavg", *MS, "-a", "naive", "-A", "uid=5", "-A", "gid=6")
    samp.says("is ready")
    assert wait_for(lambda: ls(samp.port, "-a", "naive", "-A", "uid=0").stdout.split(), "sets") == ["n1/loadavg"]

    def wire(uid):
        w = Wire(samp.port, auth=b"naive").accepted().prove(naive(uid, uid))
        assert w.reply() == (6, b"\0\0\0\x08" + naive(5, 6))
        return w

    assert wire(1000).control(DAEMON_STATUS)[0] == 0
    assert wire(1000).control(DAEMON_EXIT) == (1, "Operation not permitted.")
    assert Wire(samp.port, auth=b"naive").accepted().prove(b"short").closed()
    assert ls(samp.port).returncode == 7
    assert wire(0).status(XPRT_STATS)["auth_failed"] == {"method": 1, "broken": 1}  # what failed, by reason
    assert wire(0).control(DAEMON_EXIT)[0] == 0
    assert samp.proc.wait(PATIENCE_S) == 0


# -- munge -------------------------------------------------------------------------------------------------------------

def test_munge_between_all(cluster, munge):
    here, there = munge(), munge()  # two hosts, one key
    samp = cluster.samp("n1", "loadavg", *MS, *there.args())
    assert up(samp.port, *here.args()) == ["n1/loadavg"]
    a = agg(cluster, samp.port, "plugin=munge socket=" + here.socket)
    wait_for(lambda: a.values("n1/loadavg"), "the set at the aggregator")
    assert len(up(samp.port, *there.args())) == 1  # both ends by one munged


def test_munge_tells_who_asks(cluster, munge):
    m = munge()
    samp = cluster.samp("n1", "loadavg", *MS, *m.args())
    up(samp.port, *m.args())

    def wire(uid):
        """All in one go: what stands behind the credential waits until munged has said who it is."""
        w = Wire(samp.port, auth=b"munge").accepted().prove(m.credential(uid))
        assert w.reply()[0] == 6
        return w

    assert wire(65534).control(DAEMON_STATUS)[0] == 0
    assert wire(65534).control(DAEMON_EXIT) == (1, "Operation not permitted.")
    assert wire(0).control(DAEMON_EXIT)[0] == 0
    assert samp.proc.wait(PATIENCE_S) == 0


def test_munge_other_key(cluster, munge):
    m, other = munge(), munge(key=os.urandom(1024))
    samp = cluster.samp("n1", "loadavg", *MS, *m.args())
    up(samp.port, *m.args())
    r = ls(samp.port, *other.args())
    assert r.returncode == 7 and "give both hosts the same munge key" in r.stderr
    assert Wire(samp.port, auth=b"munge").accepted().prove(other.credential()).closed()
    samp.says("its credential is not one of our munged's; give both hosts the same munge key (auth: secret)")


def test_munge_replayed_and_broken(cluster, munge):
    m = munge()
    samp = cluster.samp("n1", "loadavg", *MS, *m.args())
    up(samp.port, *m.args())
    cred = m.credential()
    w = Wire(samp.port, auth=b"munge").accepted().prove(cred)
    assert w.reply()[0] == 6 and w.control(DAEMON_STATUS)[0] == 0
    assert Wire(samp.port, auth=b"munge").accepted().prove(cred).closed()
    samp.says("its credential was used before; somebody repeats what was said on another connection (auth: replayed)")
    for bad in (b"", b"\0", b"MUNGE:no credential:\0", cred[:-1], cred[:40] + b"\0", b"x" * 100000 + b"\0", b"a\0b\0"):
        assert Wire(samp.port, auth=b"munge").accepted().prove(bad).closed()
    assert up(samp.port, *m.args()) == ["n1/loadavg"]


@pytest.mark.skipif(not fake_clock(), reason="libfaketime is not installed")
@pytest.mark.parametrize("shift, why, words", [
    ("-400s", "expired", "its credential has expired; are the clocks of both hosts right?"),
    ("+400s", "rewound", "its credential was made in the future; are the clocks of both hosts right?"),
])
def test_munge_clocks(cluster, munge, shift, why, words):
    m, wrong = munge(), munge(shift=shift)
    samp = cluster.samp("n1", "loadavg", *MS, *m.args())
    up(samp.port, *m.args())
    assert Wire(samp.port, auth=b"munge").accepted().prove(wrong.credential()).closed()
    samp.says(words)
    samp.says(f"(auth: {why})")
    r = ls(samp.port, *wrong.args())
    assert r.returncode == 7 and "clocks of both hosts" in r.stderr


def test_munged_down_and_back(cluster, munge):
    m = munge()
    samp = cluster.samp("n1", "loadavg", *MS, *m.args())
    up(samp.port, *m.args())
    m.stop()
    r = ls(samp.port, *m.args())
    assert r.returncode == 7 and "munged on this host does not help" in r.stderr and m.socket in r.stderr
    a = agg(cluster, samp.port, "plugin=munge socket=" + m.socket)
    a.says("producer: p: CONNECTING -> DISCONNECTED")
    a.says("munged on this host does not help")
    samp.says("(auth: helper)")
    m.start()
    wait_for(lambda: a.values("n1/loadavg"), "the producer to recover")


def test_munged_hangs(cluster, munge):
    """Nobody else waits for a munged that does not answer."""
    m, ports = munge(), (free_port(), free_port())
    conf = cluster.write("s.conf", f"""
listen xprt=sock port={ports[0]} host=127.0.0.1 auth=site
listen xprt=sock port={ports[1]} host=127.0.0.1
auth_add name=site plugin=munge socket={m.socket}
load name=loadavg
config name=loadavg producer=n1 instance=n1/loadavg
start name=loadavg interval=100ms
""")
    samp = cluster.daemon("samp", ["samp", "-c", conf], ports[1])
    up(ports[0], *m.args())
    m.proc.send_signal(signal.SIGSTOP)
    held = [Wire(ports[0], auth=b"munge").accepted().prove(b"MUNGE:x:\0") for _ in range(8)]
    first = samp.sets()["n1/loadavg"]["update"]
    wait_for(lambda: samp.sets()["n1/loadavg"]["update"] > first, "others to be served")
    r = ls(ports[0], "-w", "500ms", *m.args())
    assert r.returncode == 7 and "munged on this host does not answer; see whether it hangs" in r.stderr
    m.proc.send_signal(signal.SIGCONT)
    for w in held:
        assert w.closed()
    assert up(ports[0], *m.args()) == ["n1/loadavg"]


def test_munge_is_said_to_be_missing(cluster):
    r = ls(1, "-a", "munge", "-A", "socket=relative")
    assert r.returncode == 1
    assert "the path must be absolute" in r.stderr or "libmunge.so.2 is not there: " in r.stderr


# -- behind given-up rights --------------------------------------------------------------------------------------------

# a leak cannot be looked for from inside of a sandbox
ENV = CONFINED_ENV
CONFINED = [("--user", "nobody"), ("--sandbox",), ("--user", "nobody", "--sandbox")]


def follows(cluster, args, domain, confined):
    """A confined aggregator connects, and connects again; everybody may read the set, for munge tells who it is."""
    port = free_port()
    samp = cluster.daemon("samp", ["samp", "-x", f"sock:{port}:127.0.0.1", *args, "-c", cluster.write("s.conf", """
load name=loadavg
config name=loadavg producer=n1 instance=n1/loadavg perm=0444
start name=loadavg interval=100ms
""")], port)
    port = free_port()
    conf = agg_conf(cluster, port, samp.port, domain)
    os.chmod(conf, 0o644)
    a = cluster.daemon("agg", ["agg", "-c", conf, *confined], port, env=ENV)
    wait_for(lambda: a.values("n1/loadavg"), "the set")
    samp.restart()
    wait_for(lambda: not a.ls(), "it to go")
    wait_for(lambda: a.values("n1/loadavg"), "it to be back")


@pytest.mark.skipif(os.geteuid(), reason="only root can give up root's rights")
@pytest.mark.parametrize("confined", CONFINED)
def test_ovis_confined(cluster, confined):
    """The secret that only root can read is kept for the next connections."""
    good = secret(cluster, "good")
    follows(cluster, ovis(good), "plugin=ovis conf=" + good, confined)


@pytest.mark.parametrize("confined", CONFINED)
def test_munge_confined(cluster, munge, confined):
    m = munge()
    follows(cluster, m.args(), "plugin=munge socket=" + m.socket, confined)
