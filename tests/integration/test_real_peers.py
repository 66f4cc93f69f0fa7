"""Side by side with an installed ldmsd 4.5.3 (real.py): each role of a tree played by the other one."""
import os
import re
import signal

from ldms import free_port, run, wait_for
from real import PREFIX, SETS, env, names, needs_ldmsd, real, real_agg, real_ls, real_samp  # noqa: F401, also for others

pytestmark = needs_ldmsd


def our_ls(port, *args):
    return run("ls", "-h", "localhost", "-p", port, *args, env={**os.environ, "TZ": "UTC"}).stdout


def same(port, *args):
    """Both tools say the same about a daemon between two samples."""
    def once():
        a, b, c = real_ls(port, *args), our_ls(port, *args), real_ls(port, *args)
        return a == b == c and a
    return wait_for(once, f"equal output of ls {args}")


def test_the_tools_agree_on_a_real_sampler(cluster):
    samp = real_samp(cluster, "r1", (*SETS, "all_example", "array_example"), "2000000")
    wait_for(lambda: len(samp.values()) == 6, "six sets")
    assert len(same(samp.port).split()) == 6
    assert "Total Sets: 6" in same(samp.port, "-v")
    assert "cpu_list" in same(samp.port, "-l")
    same(samp.port, "-v", "-v")
    same(samp.port, "-l", "-v", "r1/all_example")
    same(samp.port, "-l", "-S", "array_example")
    same(samp.port, "-E", "mem|load")


def test_the_tools_agree_on_ours(cluster):
    samp = cluster.samp("n1", " ".join(SETS), "--interval", "2s")
    wait_for(lambda: set(samp.values()) == names("n1"))
    for args in ((), ("-v",), ("-v", "-v"), ("-l",)):
        same(samp.port, *args)


def test_a_real_aggregator_reads_ours(cluster):
    samp = cluster.samp("n1", " ".join(SETS), "--interval", "200ms")
    agg = real_agg(cluster, "ra", [samp])
    values = wait_for(lambda: (v := agg.values()) and set(v) == names("n1") and v, "our sets there")
    assert values["n1/meminfo"]["MemTotal"] == samp.values("n1/meminfo")["n1/meminfo"]["MemTotal"]
    assert [r["name"] for r in values["n1/procnetdev2"]["netdev_list"]]
    samp.restart()
    wait_for(lambda: set(agg.values()) == names("n1"), "our sets there again")
    assert agg.alive()


def test_ours_reads_a_real_sampler_and_aggregator(cluster):
    samp = real_samp(cluster, "r1", interval="200000")
    l1 = cluster.agg("l1", [samp], "--interval", "200ms", "--offset", "50ms")
    l2 = real_agg(cluster, "l2", [l1])
    l3 = cluster.agg("l3", [l2], "--interval", "200ms", "--offset", "100ms", "--to", "csv:" + cluster.path("rows"))
    wait_for(lambda: set(l3.values()) == names("r1"), "the sets three levels up, through ours and theirs")
    wait_for(lambda: os.path.exists(cluster.path("rows/procstat2")) and
             open(cluster.path("rows/procstat2")).read().count("\n") > 5, "rows")
    samp.stop(signal.SIGKILL)
    wait_for(lambda: l3.ls() == [] and not l3.values(), "the sets to go at every level")
    samp.start()
    wait_for(lambda: set(l3.values()) == names("r1"), "the sets to be back")
    assert l2.alive()


def test_rows_are_those_of_store_csv(cluster):
    samp = cluster.samp("n1", "loadavg procnetdev2 meminfo", "--interval", "200ms")
    theirs = real_agg(cluster, "ra", [samp], "load name=store_csv\nconfig name=store_csv path=%s buffer=0\n" %
                      cluster.path("theirs") + "".join(
                          f"strgp_add name={s} plugin=store_csv container=c schema={s}\nstrgp_prdcr_add name={s} regex=.*\n"
                          f"strgp_start name={s}\n" for s in ("loadavg", "procnetdev2", "meminfo")))
    ours = cluster.agg("oa", [samp], "--interval", "200ms", "--offset", "50ms", "--to", "csv:" + cluster.path("ours"))

    def rows(path):
        if not os.path.exists(path):
            return None, {}
        by_time = {}
        lines = open(path).read().splitlines(True)
        for line in lines[1:]:
            by_time.setdefault(line.split(",")[0], []).append(line)
        return lines[0] if lines else None, by_time

    for schema in ("loadavg", "procnetdev2", "meminfo"):
        def common():
            a, b = rows(cluster.path("ours/" + schema)), rows(cluster.path("theirs/c/" + schema))
            both = sorted(set(a[1]) & set(b[1]))[:-1]  # the last one may be half written
            return len(both) > 3 and (a, b, both)

        a, b, both = wait_for(common, f"samples of {schema} that both stored")
        assert a[0] == b[0]
        assert all(a[1][t] == b[1][t] for t in both)
    assert theirs.alive() and ours.alive()


def test_ls_of_many_sets_of_a_real_daemon_is_pipelined(cluster):
    port = free_port()
    conf = cluster.write("s.conf", f"listen xprt=sock port={port}\nload name=synth\n"
                         "config name=synth producer=p instance=s metrics=50 sets=1000 perm=0444\n"
                         "start name=synth interval=1s\n")
    samp = cluster.daemon("samp", ["samp", "-c", conf], port)
    agg = real_agg(cluster, "ra", [samp], interval="1s")
    wait_for(lambda: len(agg.sets()) == 1000 and all("C" in s["flags"] for s in agg.sets().values()), "1,000 mirrors")
    out = our_ls(agg.port, "-l")
    assert len(re.findall(r"^s/\d+: ", out, re.M)) == 1000
