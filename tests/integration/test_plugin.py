"""Samplers of other makers: built against the installed header alone, loaded, and what happens when they do not fit."""
import json
import os
import shutil
import subprocess

import pytest

from ldms import CONFINED_ENV, LDMS, ROOT, SANITIZED, free_port, run, wait_for

MS = ("--interval", "50ms")
SOURCE = os.path.join(ROOT, "tests/plugin/spool.c")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Where `make install` put its header; and the example built against that."""
    folder = tmp_path_factory.mktemp("installed")
    make = ["make", "-s", "-C", ROOT, "install", "PREFIX=/usr", f"DESTDIR={folder}", "BIN=" + LDMS, "-o", "all"]
    subprocess.run(make, check=True, capture_output=True)
    assert os.access(folder / "usr/bin/ldmsd", os.X_OK)
    return folder


def build(installed, name="spool", source=SOURCE, *flags):
    so = str(installed / (name + ".so"))
    subprocess.run(["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I", installed / "usr/include", *flags,
                    "-o", so, source], check=True)
    return so


@pytest.fixture(scope="module")
def spool(installed):
    return build(installed)


def conf(cluster, so, more=""):
    os.makedirs(cluster.path("dir"), exist_ok=True)
    return cluster.write("samp.conf", f"""
        msg_enable
        load name=spool path={so}
        config name=spool dir={cluster.path("dir")} component_id=3
        start name=spool interval=50ms
        load name=loadavg
        config name=loadavg
        start name=loadavg interval=50ms
        {more}""")


def daemon(cluster, so, more=""):
    port = free_port()
    return cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "-c", conf(cluster, so, more)], port)


def ctl(d, *args):
    return run("ctl", "-h", "127.0.0.1", "-p", d.port, "--json", *args)


def status(d, name):
    rows = wait_for(lambda: (r := ctl(d, "plugn_status")).returncode == 0 and json.loads(r.stdout), "the daemon to answer")
    return next(r for r in rows if r["name"] == name)


def test_sets_come_and_go_downstream(cluster, spool):
    """What a sampler makes and drops while it samples is mirrored and forgotten two levels up; the others go on."""
    samp = daemon(cluster, spool)
    l1 = cluster.agg("l1", [samp], *MS)
    l2 = cluster.agg("l2", [l1], *MS)
    wait_for(lambda: sorted(l2.ls()) == ["n1/loadavg", "n1/spool"], "the sets that stay")
    before = wait_for(lambda: l2.sets().get("n1/loadavg"), "loadavg")
    for name, text in (("a", "1"), ("b", "22")):
        cluster.write("dir/" + name, text)
    v = wait_for(lambda: (v := l2.values()) and {"n1/a", "n1/b", "n1/spool"} <= set(v) and v["n1/spool"]["files"] == 2
                 and len(v["n1/spool"]["list"]) == 2 and v, "the new sets")
    assert v["n1/b"]["size"] == 2 and v["n1/b"]["name"] == "b" and v["n1/b"]["component_id"] == 3
    assert {r["name"]: r["size"] for r in v["n1/spool"]["list"]} == {"a": 1, "b": 2}
    os.unlink(cluster.path("dir/a"))
    wait_for(lambda: "n1/a" not in l2.ls() and "n1/b" in l2.ls(), "the set to go")
    cluster.write("dir/a", "4444")  # again, under the same name
    wait_for(lambda: l2.values("n1/a").get("n1/a", {}).get("size") == 4, "the set to come back")
    with open(cluster.path("dir/a"), "a") as f:
        f.write("55")
    wait_for(lambda: l2.values("n1/a").get("n1/a", {}).get("size") == 6, "its next value")
    wait_for(lambda: l2.sets()["n1/loadavg"]["update"] != before["update"], "the others to go on")
    prdcr = json.loads(ctl(l1, "prdcr_status").stdout)[0]
    assert prdcr["state"] == "CONNECTED" and prdcr["connects"] == 1
    st = status(samp, "spool")
    assert st["libpath"] == spool and st["plugin"] == "spool" and st["sets"] == 3 and st["errors"] == 0
    assert "spool" in run("ctl", "-h", "127.0.0.1", "-p", samp.port, "usage", "name=spool").stdout


def test_no_sample_of_the_others_is_lost(cluster, spool):
    """A set that stays is sampled, pushed and stored as if nothing happened, while others come and go beside it.  (On a busy
    machine two samples may be pushed as one.)"""
    samp = daemon(cluster, spool, """
        load name=synth
        config name=synth metrics=1
        start name=synth interval=10ms""")
    rows = cluster.path("rows/synth/synth")
    agg = cluster.agg("a", [samp], "--interval", "100ms", "--push", "--strgp", "synth", "--to", "csv:" + cluster.path("rows"))

    def counts():
        with open(rows) as f:
            return [int(line.split(",")[-1]) for line in f.read().split("\n")[1:-1]]

    wait_for(lambda: os.path.exists(rows) and len(counts()) > 3, "rows")
    for i in range(20):
        cluster.write(f"dir/f{i % 3}", "x")
        wait_for(lambda: f"n1/f{i % 3}" in agg.values(), "a set more")
        os.unlink(cluster.path(f"dir/f{i % 3}"))
        wait_for(lambda: f"n1/f{i % 3}" not in agg.ls(), "it to go")
    assert ctl(samp, "stop", "name=synth").returncode == 0
    last = samp.values("n1/synth")["n1/synth"]["m0"]
    wait_for(lambda: counts()[-1] == last, "the last sample")
    got = counts()
    assert got == sorted(set(got))
    st = status(samp, "synth")
    assert st["samples"] == last and st["errors"] == 0  # each turn made one


def test_messages(cluster, spool):
    """It takes messages and answers them, while it samples; what it refuses is counted, and said once."""
    samp = daemon(cluster, spool)
    wait_for(lambda: "n1/spool" in samp.ls(), "the set")
    sub = subprocess.Popen([LDMS, "msg", "sub", "-h", "127.0.0.1", "-p", str(samp.port), "spool"], stdout=subprocess.PIPE,
                           text=True, bufsize=1)
    try:
        wait_for(lambda: "spool" in ctl(samp, "msg_client_stats").stdout, "the subscription")
        n = 0

        def told():
            nonlocal n
            n += 1
            run("msg", "pub", "-h", "127.0.0.1", "-p", samp.port, "notes", f"note{n}")
            return status(samp, "spool")["messages"]
        wait_for(told, "a message to arrive")
        assert "after note" in sub.stdout.readline()
    finally:
        sub.kill()
        sub.communicate()
    for _ in range(3):
        run("msg", "pub", "-h", "127.0.0.1", "-p", samp.port, "notes", "bad")
    wait_for(lambda: status(samp, "spool")["message_errors"] == 3, "the errors to be counted")
    assert samp.text().count("'bad' is no note") == 1
    wait_for(lambda: samp.values("n1/spool").get("n1/spool", {}).get("notes") == status(samp, "spool")["messages"] - 3, "the count")
    # it can be ended and made again while messages come
    for _ in range(3):
        for line in (("stop", "name=spool"), ("term", "name=spool"), ("load", "name=spool", f"path={spool}"),
                     ("config", "name=spool", f"dir={cluster.path('dir')}"), ("start", "name=spool", "interval=50ms")):
            assert ctl(samp, *line).returncode == 0
            run("msg", "pub", "-h", "127.0.0.1", "-p", samp.port, "notes", "x")


def test_once_and_help(cluster, spool):
    os.makedirs(cluster.path("dir"))
    cluster.write("dir/x", "123")
    r = run("samp", "--once", spool, f"dir={cluster.path('dir')}", "--json", "-n", "n1")
    assert r.returncode == 0, r.stderr
    sets = {s["dir_info"]["name"]: s for s in json.loads(r.stdout)["long_sets"]}
    assert set(sets) == {"n1/spool", "n1/x"}
    r = run("samp", "--once", spool)
    assert r.returncode and "dir= is missing" in r.stderr
    r = run("samp", "help", spool)
    assert r.returncode == 0
    for words in ("the files of a folder, each a set", "dir", "notes", "counter", "messages taken"):
        assert words in r.stdout


def test_sandbox(cluster, spool):
    """The object is loaded before the sandbox closes, and what its attributes name can be read."""
    port = free_port()
    samp = cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "--sandbox", "-c",
                                 conf(cluster, spool)], port, env=CONFINED_ENV)
    cluster.write("dir/a", "1")
    wait_for(lambda: samp.values("n1/a").get("n1/a", {}).get("size") == 1, "its set")


STUB = """
#include <ldms/sampler.h>
%s
static int o(struct ldms_samp *sp, struct ldms_err *e) { (void)sp; return ldms_error(e, -2, "no"); }
static void c(struct ldms_samp *sp) { (void)sp; }
LDMS_SAMPLER(.name = "stub", .open = o, .close = c);
"""


def refused(cluster, path, *words):
    """In a file, by check, and over the network: the same words."""
    conf_file = cluster.write("bad.conf", f"load name=x path={path}\n")
    for r in (run("samp", "-c", conf_file), run("check", conf_file)):
        assert r.returncode, r.stderr
        for w in words:
            assert w in r.stderr + r.stdout, (w, r.stderr + r.stdout)


def test_what_does_not_fit_is_refused(cluster, installed, spool):
    folder = cluster.dir
    refused(cluster, "spool.so", "path=spool.so: must begin with a slash")
    refused(cluster, folder + "/none.so", "No such file", "is the plugin installed there?")
    refused(cluster, folder, "is no file")
    text = cluster.write("text.so", "this is no object\n")
    os.chmod(text, 0o644)
    refused(cluster, text, "cannot be loaded", "-shared -fPIC")
    other = build(installed, "other", cluster.write("other.c", "int x;\n"))
    refused(cluster, other, "is no sampler and no store for ldms", "LDMS_SAMPLER()")
    stub = cluster.write("stub.c", STUB % "")
    for name, old, new, words in (
            ("abi", "#define LDMS_SAMPLER_ABI 1", "#define LDMS_SAMPLER_ABI 7", ("version 7", "this ldms has 1")),
            ("newer", "uint32_t abi, size;\n", "uint32_t abi, size; void *more;\n", ("newer ldms/sampler.h",))):
        where = os.path.join(folder, name, "ldms")
        os.makedirs(where)
        with open(installed / "usr/include/ldms/sampler.h") as f:
            header = f.read()
        assert old in header
        with open(os.path.join(where, "sampler.h"), "w") as f:
            f.write(header.replace(old, new, 1))
        so = os.path.join(folder, name + ".so")
        subprocess.run(["cc", "-shared", "-fPIC", "-I", os.path.dirname(where), "-o", so, stub], check=True)
        refused(cluster, so, *words)
    writable = cluster.path("writable.so")
    shutil.copy(spool, writable)
    os.chmod(writable, 0o777)
    refused(cluster, writable, "everybody may write it", "chmod o-w")
    conf_file = cluster.write("both.conf", f"load name=x plugin=meminfo path={spool}\n")
    assert "give one" in run("samp", "-c", conf_file).stderr


SLIPS = """
#include <ldms/sampler.h>
static struct ldms_set *set;
static int o(struct ldms_samp *sp, struct ldms_err *e)
{
	struct ldms_schema *s = ldms_schema_new(sp, "slips", e);
	static const struct ldms_metric m = { "a", LDMS_U64, "", LDMS_GAUGE, 0, 1 }, bad = { "b", 77, "", LDMS_GAUGE, 0, 1 };
	if (ldms_schema_add(s, &m, e) != 3 || ldms_schema_add(s, &bad, e) >= 0 || ldms_schema_add_list(s, "l", 3, 9, e) >= 0)
		return -1;
	set = ldms_set_new(sp, s, "", e);
	return set ? 0 : -12;
}
static int sample(struct ldms_samp *sp, struct ldms_err *e)
{
	(void)e;
	ldms_end(sp, set);
	ldms_begin(sp, set);
	ldms_put_u64(set, 3, 42);
	ldms_put_u64(set, 99, 1);
	ldms_put_u64(set, -1, 1);
	ldms_put_d64(set, 3, 1);
	ldms_put_bytes(set, 77, "x", 1);
	ldms_list_clear(set, 3);
	ldms_record_put_u64(set, ldms_list_append(set, 3, 3), 0, 1);
	ldms_end(sp, set);
	ldms_log(sp, LDMS_NOTE, "sampled %d", 1);
	return 0;
}
static void c(struct ldms_samp *sp) { (void)sp; }
LDMS_SAMPLER(.name = "slips", .open = o, .close = c, .sample = sample);
"""


def test_slips_are_logged_and_harm_nobody(cluster, installed):
    so = build(installed, "slips", cluster.write("slips.c", SLIPS))
    port = free_port()
    samp = cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "-c", cluster.write("c.conf", f"""
        load name=slips path={so}
        config name=slips
        start name=slips interval=50ms""")], port)
    wait_for(lambda: samp.values("n1/slips").get("n1/slips", {}).get("a") == 42, "its sample")
    samp.says("set n1/slips: metric 99: there is none of that type")
    samp.says("was not begun")
    samp.says("slips: sampled 1")


@pytest.mark.skipif(SANITIZED, reason="a sanitized build is not static")
def test_a_static_ldms_says_so():
    """The words stand in the code that STATIC=1 builds; building it whole would take minutes."""
    r = subprocess.run(["cc", "-E", "-DLDMS_STATIC", "-D_GNU_SOURCE", "-I", ROOT, os.path.join(ROOT, "core/daemon/so_load.c")],
                       capture_output=True, text=True)
    assert r.returncode == 0 and "linked statically" in r.stdout and "dlopen(so->path" not in r.stdout


def test_the_manuals_example_works(cluster, installed):
    """What ldms-sampler(3) shows is what a reader can build and run."""
    with open(os.path.join(ROOT, "man/ldms-sampler.3")) as f:
        example = f.read().split(".Bd -literal -offset indent\n")[1].split(".Ed\n")[0].replace("/run/counter", cluster.path("counter"))
    so = build(installed, "counter", cluster.write("counter.c", example))
    cluster.write("counter", "42\n")
    r = run("samp", "--once", so, "-n", "n1")
    assert r.returncode == 0 and "counter" in r.stdout and " 42 " in r.stdout
    os.unlink(cluster.path("counter"))
    assert "is not there" in run("samp", "--once", so).stderr


def test_messages_that_cannot_come(cluster, spool):
    os.makedirs(cluster.path("dir"))
    port = free_port()
    samp = cluster.daemon("n1", ["samp", "-x", f"sock:{port}:127.0.0.1", "-n", "n1", "-c", cluster.write("c.conf", f"""
        load name=spool path={spool}
        config name=spool dir={cluster.path("dir")}""")], port)
    samp.says("spool: wants to hear of notes, but messages are off in this daemon; `msg_enable` turns them on")
    assert f"load name=spool path={spool}" in ctl(samp, "dump_cfg").stdout
    assert run("check", cluster.path("c.conf")).returncode == 0


def test_in_a_cluster_file(cluster, spool):
    os.makedirs(cluster.path("dir"))
    port = free_port()
    path = cluster.write("c.yaml", f"""\
daemons:
  - {{names: n1, hosts: 127.0.0.1, endpoints: [{{names: ep, ports: {port}}}]}}
samplers:
  - {{daemons: n1, plugins: [files, load]}}
plugins:
  files: {{path: {spool}, interval: 50ms, exclusive_thread: 1, config: [{{dir: {cluster.path("dir")}}}]}}
  load: {{name: loadavg, interval: 50ms, exclusive_thread: "0"}}
""")
    samp = cluster.daemon("n1", ["samp", "-y", path, "-n", "n1"], port)
    wait_for(lambda: samp.values("n1/files"), "its set")
    threads = json.loads(ctl(samp, "thread_stats").stdout)["xthreads"]
    assert {t["name"] for t in threads} == {"xthread_files"}
