"""The lock of several maestros in an etcd that wants to know who asks: TLS, certificates of clients, users."""
import contextlib
import os
import shutil
import socket
import subprocess

import pytest

from ldms import Cluster, free_port, run, wait_for
from maestro import Maestro

pytestmark = pytest.mark.skipif(not (shutil.which("etcd") and shutil.which("etcdctl") and shutil.which("openssl")),
                                reason="no etcd, etcdctl or openssl is installed")


def certificates(at):
    """A CA, and what it signed for a server and for a client."""
    def openssl(name, *args):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "2", "-keyout", at(f"{name}.key"), "-out", at(f"{name}.pem"), *args],
                       check=True, capture_output=True)
    openssl("ca", "-subj", "/CN=ca")
    for name in "server", "client":
        openssl(name, "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-subj", "/O=x", "-addext", "basicConstraints=CA:FALSE",
                "-addext", "subjectAltName=IP:127.0.0.1")


class Etcd:
    def __init__(self, cluster):
        self.at, self.port = cluster.path, free_port()
        certificates(self.at)
        self.url, peer = f"https://127.0.0.1:{self.port}", f"http://127.0.0.1:{free_port()}"
        self.command = ["etcd", "--data-dir", self.at("etcd"), "--listen-client-urls", self.url, "--advertise-client-urls",
                        self.url, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster",
                        f"default={peer}", "--cert-file", self.at("server.pem"), "--key-file", self.at("server.key"),
                        "--client-cert-auth", "--trusted-ca-file", self.at("ca.pem")]
        self.process = None

    def start(self):
        with open(self.at("etcd.log"), "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_for(self.up, "etcd")

    def up(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def ctl(self, *args):
        r = subprocess.run(["etcdctl", "--endpoints", self.url, "--cacert", self.at("ca.pem"), "--cert", self.at("client.pem"),
                            "--key", self.at("client.key"), *args], capture_output=True, text=True,
                           env={**os.environ, "ETCDCTL_API": "3"})
        assert r.returncode == 0, r.stdout + r.stderr
        return r.stdout

    def users(self):
        """One that may have the lock of this cluster, and nothing else."""
        for line in ("user add root:secret", "user grant-role root root", "role add lock",
                     "role grant-permission lock readwrite --prefix=true /test/maestro/", "user add maestro:it's \"secret\"",
                     "user grant-role maestro lock", "auth enable"):
            self.ctl(*line.split(" ", 2 if "maestro:" in line else -1))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """An etcd, and a daemon to be configured."""
    c = Cluster(tmp_path_factory.mktemp("etcd"))
    e = Etcd(c)
    m = Maestro(c, samplers=1, groups=(), top=False)
    m.file.pop("aggregators")
    m.write()
    try:
        e.start()
        e.users()
        m.start_all()
        yield m, e
    finally:
        e.kill()
        c.end()


def cluster_file(e, name, tls="{{ca: {ca}, cert: {cert}, key: {key}}}", more=""):
    path = e.at(name)
    tls = tls.format(ca=e.at("ca.pem"), cert=e.at("client.pem"), key=e.at("client.key"))
    with open(path, "w") as f:
        f.write(f"members: [{{host: 127.0.0.1, port: {e.port}}}]\ntls: {tls}\n{more}")
    return path


def user(e):
    with open(e.at("password"), "w") as f:
        f.write('it\'s "secret"\n')
    return f"user: maestro\npassword_file: {e.at('password')}\n"


def test_who_asks_is_told(site):
    """A token that is forgotten, as by an etcd that was started anew, is asked for again."""
    m, e = site
    args = "--cluster", cluster_file(e, "lock.yaml", more=user(e)), "--prefix", "test", "--lease", "4s"
    a = m.keep(*args)
    m.agrees(a)
    b = m.keep(*args)
    b.says("the lock is another one's: ")
    assert f" {a.proc.pid} " in b.text()  # whose

    def once_knows():
        r = m.once(*args, "-w", "300ms")
        assert r.returncode == 4 and "nothing was done: the lock is not ours" in r.stdout
        return any(f" {k.proc.pid} " in r.stdout for k in (a, b))
    wait_for(once_knows, "who waits for nothing to say whose it is")
    e.kill()
    a.says("the lock is lost")
    e.start()
    wait_for(lambda: (a.text() + b.text()).count("the lock is ours") >= 2, "one of them to act")
    for k in a, b:
        assert k.stop() == 0 and "secret" not in k.text()
    r = m.once(*args)
    assert r.returncode == 0 and "1 daemons: 0 applied, 1 unchanged" in r.stdout, r.stdout + r.stderr


@pytest.mark.parametrize("tls, more, words", [
    ("true", "user", "certificate"),  # nobody of the system knows that CA
    ("{{ca: {ca}}}", "user", "lock"),  # it wants a certificate of ours
    (None, "", "user name is empty"),
    (None, "wrong", "authentication failed"),
])
def test_who_is_not_let_in_is_told_why(site, tls, more, words):
    m, e = site
    more = {"user": user(e), "wrong": f"user: maestro\npassword_file: {e.at('wrong')}\n"}.get(more, more)
    with open(e.at("wrong"), "w") as f:
        f.write("other\n")
    path = cluster_file(e, "no.yaml", more=more, **({"tls": tls} if tls else {}))
    k = m.keep("--cluster", path, "--prefix", "test")
    k.says("the lock: ")
    assert words in k.text() and "secret" not in k.text()
    assert k.stop() == 0


def test_a_key_of_others_is_not_ours(site):
    m, e = site
    k = m.keep("--cluster", cluster_file(e, "other.yaml", more=user(e)), "--prefix", "other")
    k.says("permission denied")
    assert k.stop() == 0


@pytest.mark.parametrize("text, words", [
    ("members: [{host: h}]\ntsl: {ca: x}\n", "2:1: there is no such key; did you mean tls"),
    ("members: [{host: h}]\ntls: {ca: /nonexistent}\n", "2:11: ca: /nonexistent: No such file"),
    ("members: [{host: h}]\ntls: {cert: /dev/null}\n", "2:6: tls: a certificate and its key"),
    ("members: [{host: h}]\ntls: [x]\n", "2:6: tls: wants {ca: FILE"),
    ("members: [{host: h}]\nuser: x\n", "1:1: either user and password_file, or token_file"),
    ("members: [{host: h}]\nuser: x\npassword: secret\n", "3:11: a password stands in a file of its own"),
    ("members: [{host: h, prot: 1}]\n", "1:21: there is no such key; did you mean port"),
    ("members: [{host: [h]}]\n", "1:11: a member has a host"),
    ("members: [\n", "cluster.bad:2:1: "),
])
def test_bad_cluster_files(cluster, text, words):
    r = run("maestro", "--cluster", cluster.write("cluster.bad", text), cluster.write("c.yaml", "daemons: []\n"))
    assert r.returncode == 1 and words in r.stderr and "secret" not in r.stderr, r.stderr
