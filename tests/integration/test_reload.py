"""dump_cfg and reload: what runs, as a file; and a changed file, as what runs."""
import os
import signal
import socket
import stat

import pytest

from ldms import LDMS, free_port, wait_for
from wire import Wire

DUMP_CFG, RELOAD, PRDCR_ADD, PRDCR_STATUS, UPDTR_STATUS, STRGP_STATUS = 0x4, 0xf01, 0x100, 0x104, 0x304, 0x204
XPRT_STATS, STREAM_STATUS = 0x60c, 0x905
NAME, PATH, TEST = 1, 21, 24


def text(value):
    return value.encode() + b"\0"


def start(cluster, lines, name="d", port=None, args=()):
    """A daemon that listens and has these lines; its file is NAME.conf."""
    port = port or free_port()
    conf = cluster.write(name + ".conf", f"listen xprt=sock host=127.0.0.1 port={port}\n" + lines)
    d = cluster.daemon(name, ["agg", "-c", conf, "-n", name, *args], port)
    d.says("is ready")
    d.conf = conf
    return d


def rewrite(d, lines):
    d.cluster.write(d.name + ".conf", f"listen xprt=sock host=127.0.0.1 port={d.port}\n" + lines)


def ask(d, code, *attrs):
    return Wire(d.port).accepted().control(code, attrs)


def dump(d):
    """Without the comment in front."""
    code, words = ask(d, DUMP_CFG)
    assert code == 0 and words.startswith("# d of ldms")
    return words.partition("\n")[2]


def reload(d):
    code, words = ask(d, RELOAD)
    assert code == 0, words
    return words.splitlines()


def producers(d):
    return {p["name"]: p for p in Wire(d.port).accepted().status(PRDCR_STATUS)}


def policies(d):
    return {x["name"]: x for x in Wire(d.port).accepted().status(STRGP_STATUS)}


def rows(folder):
    """Lines of all the files of rows."""
    return sum(len(open(os.path.join(d, f)).readlines()) for d, _, fs in os.walk(folder) for f in fs)


ALL = """env PLACE=n
daemon_name name=d
memory size=64M
default_auth plugin=none
default_quota quota=1m
limits conns=500 handshake=5s
metric_sets_default_authz perm=444
stream_enable
msg_enable
auth_add name=naive plugin=naive uid=0 gid=0
listen xprt=sock host=127.0.0.1 port={second} auth=naive
load name=la plugin=loadavg
config name=la producer=d instance=d/${{PLACE}}/la component_id=7
start name=la interval=100000 offset=0
load name=csv
config name=csv path={dir}/rows
prdcr_add name=n1 type=active host=127.0.0.1 port={nobody} reconnect=1m quota=4k rx_rate=1m
prdcr_add name=n2 type=passive host=127.0.0.1 xprt=sock reconnect=2000000
prdcr_add name=me type=local
bridge_add name=b host=127.0.0.1 port={nobody} reconnect=1m
prdcr_start_regex regex=^(n1|me|b)$
prdcr_subscribe regex=.* stream=s
prdcr_subscribe regex=^n message_tag=^a.* rx_rate=5k
advertiser_add name=up host=127.0.0.1 port={nobody} reconnect=1m auth=naive
advertiser_start name=up
prdcr_listen_add name=any regex=.* ip=10.0.0.0/8 disable_start=true
prdcr_listen_add name=back type=active advertiser_port=411 advertiser_xprt=sock reconnect=1s
prdcr_listen_start name=any
setgroup_add name=g interval=1s offset=100ms
setgroup_ins name=g instance=x,y
updtr_add name=u interval=1s offset=200ms
updtr_prdcr_add name=u regex=^n
updtr_match_add name=u regex=loadavg match=schema
updtr_match_add name=u regex=^n match=inst
updtr_start name=u
updtr_add name=p interval=10s push=onchange perm=0600
strgp_add name=s plugin=csv container=c schema=loadavg flush=2s
strgp_prdcr_add name=s regex=.*
strgp_metric_add name=s metric=load1min
strgp_metric_add name=s metric=load5min
strgp_start name=s
qgroup_config quota=1m ask_interval=1s ask_amount=1k ask_mark=2k reset_interval=1s
qgroup_member_add host=127.0.0.1 port={nobody}
qgroup_start
"""


def test_a_dump_gives_the_same_daemon(cluster):
    lines = ALL.format(second=free_port(), nobody=free_port(), dir=cluster.dir)
    a = start(cluster, lines)
    first = dump(a)
    for line in ("start name=la interval=100ms", "config name=la producer=d instance=d/n/la component_id=7",
                 "prdcr_start name=n1", "strgp_metric_add name=s metric=load5min", "updtr_start name=u",
                 "setgroup_ins name=g instance=y", "qgroup_start", "memory size=64M", "limits handshake=5s"):
        assert line + "\n" in first
    a.stop()
    conf = cluster.write("again.conf", first)
    b = cluster.daemon("again", ["agg", "-c", conf], a.port)
    b.says("d is ready")
    assert dump(b) == first
    b.stop()
    # ... and is a file that its own reload has nothing to say about
    c = cluster.daemon("thrice", ["agg", "-c", conf], a.port)
    c.says("d is ready")
    assert reload(c) == ["0 differences; all is as the files say"]


def test_a_dump_into_a_folder(cluster):
    d = start(cluster, "load name=loadavg\n")
    assert ask(d, DUMP_CFG, (PATH, text(cluster.dir))) == (0, "")
    path = cluster.path(f"127.0.0.1-{d.port}.conf")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert open(path).read().partition("\n")[2] == dump(d)
    assert ask(d, DUMP_CFG, (PATH, text(cluster.dir))) == (0, "")
    code, words = ask(d, DUMP_CFG, (PATH, text("/nosuch")))
    assert code == 2 and "/nosuch" in words


def test_command_lines_are_dumped_and_reloaded_too(cluster):
    samp = cluster.samp("n1", "loadavg", "--interval", "100ms")
    agg = cluster.agg("d", [samp], "--interval", "100ms", "--strgp", "loadavg", "--to", "csv:" + cluster.path("rows"))
    wait_for(lambda: agg.values("n1/loadavg"))
    lines = dump(agg)
    assert f"listen xprt=sock port={agg.port} host=127.0.0.1\n" in lines
    assert f"prdcr_add name=127.0.0.1:{samp.port} type=active host=127.0.0.1 port={samp.port} xprt=sock reconnect=100ms\n" in lines
    assert "strgp_start name=strgp_loadavg.0\n" in lines
    assert reload(agg) == ["0 differences; all is as the files say"]


def sampler_lines(*names, interval="100ms"):
    return "".join(f"load name={n} plugin=loadavg\nconfig name={n} producer={n} instance={n}/loadavg\n"
                   f"start name={n} interval={interval}\n" for n in names)


def agg_lines(cluster, samps, interval="100ms", more=""):
    return ("".join(f"prdcr_add name={s.name} type=active xprt=sock host=127.0.0.1 port={s.port} reconnect=100ms\n"
                    f"prdcr_start name={s.name}\n" for s in samps) +
            f"updtr_add name=u interval={interval}\nupdtr_prdcr_add name=u regex=.*\nupdtr_start name=u\n"
            f"load name=csv\nconfig name=csv path={cluster.path('rows')}\n"
            "strgp_add name=s plugin=csv container=c schema=loadavg\nstrgp_start name=s\n" + more)


@pytest.mark.parametrize("by", ["verb", "signal"])
def test_only_what_differs_is_touched(cluster, by):
    samps = [cluster.samp(n, "loadavg", "--interval", "100ms") for n in ("n1", "n2", "n3")]
    agg = start(cluster, agg_lines(cluster, samps[:2]))
    wait_for(lambda: {"n1/loadavg", "n2/loadavg"} <= set(agg.values()) and rows(cluster.path("rows")) > 4)
    was = wait_for(lambda: policies(agg)["s"]["stored"] and policies(agg)["s"])
    rewrite(agg, agg_lines(cluster, [samps[0], samps[2]], interval="200ms",
                           more="strgp_add name=new plugin=csv container=c2 schema=loadavg\nstrgp_start name=new\n"))
    code, said = ask(agg, RELOAD, (TEST, text("true")))
    assert (code, said.splitlines()) == (0, [
        f"+ prdcr n3 type=active host=127.0.0.1 port={samps[2].port} reconnect=100ms", "- prdcr n2",
        "~ updtr u interval 100ms -> 200ms (restart)", "+ strgp new plugin=csv container=c2 schema=loadavg",
        "4 differences; nothing was changed"])
    assert set(producers(agg)) == {"n1", "n2"}
    if by == "verb":
        assert reload(agg)[-1] == "4 differences; all is now as the files say"
    else:
        agg.kill(signal.SIGHUP)
        agg.says("4 differences; all is now as the files say")
    wait_for(lambda: set(agg.values()) == {"n1/loadavg", "n3/loadavg"}, "the sets that the file names")
    p = producers(agg)
    assert (p["n1"]["connects"], p["n1"]["disconnects"], p["n1"]["state"]) == (1, 0, "CONNECTED")
    u, = Wire(agg.port).accepted().status(UPDTR_STATUS)
    assert (u["interval"], u["state"]) == ("200000", "RUNNING")
    # the policy that nobody changed has gone on: it counts from its start
    had = rows(cluster.path("rows"))
    wait_for(lambda: rows(cluster.path("rows")) > had + 4, "rows to go on")
    wait_for(lambda: policies(agg)["new"]["stored"] > 0, "rows of the new one")
    s = policies(agg)["s"]
    assert s["dropped"] == 0 and s["stored"] > was["stored"] and s["produced"] >= was["produced"]
    assert reload(agg) == ["0 differences; all is as the files say"]


def test_a_broken_file_changes_nothing(cluster):
    samp = cluster.samp("n1", "loadavg", "--interval", "100ms")
    agg = start(cluster, agg_lines(cluster, [samp]))
    wait_for(lambda: agg.values("n1/loadavg"))
    was = dump(agg)
    rewrite(agg, "prdcr_ad name=x\n" + agg_lines(cluster, [], more="updtr_add name=v\n"))
    code, words = ask(agg, RELOAD)
    assert code == 22 and "unknown verb 'prdcr_ad'; did you mean 'prdcr_add'?" in words and "d.conf:2:" in words
    assert "'interval' is required by updtr_add" in words and "2 errors in the configuration; nothing was changed" in words
    # good lines, that make no sense: all of them are said
    rewrite(agg, "strgp_add name=x plugin=nosuch schema=y\nload name=nosuch\nconfig name=nobody\n"
            "load name=la plugin=loadavg\nconfig name=la metrix=1\nupdtr_start name=z\nauth_add name=o plugin=ovis conf=/nosuch\n")
    code, words = ask(agg, RELOAD)
    assert code == 22 and "6 errors" in words, words
    for line in (2, 3, 4, 6, 7, 8):
        assert f"d.conf:{line}:" in words
    os.unlink(agg.conf)
    code, words = ask(agg, RELOAD)
    assert code == 2 and "d.conf" in words
    agg.kill(signal.SIGHUP)
    agg.says("reload: configuration file")
    assert dump(agg) == was
    assert producers(agg)["n1"]["connects"] == 1


def test_a_late_failure_is_taken_back(cluster):
    """Two samplers of one instance name: found out when the second one makes its set."""
    d = start(cluster, sampler_lines("a") + "prdcr_add name=old type=local\nprdcr_start name=old\n")
    wait_for(lambda: d.values("a/loadavg"))
    was = dump(d)
    rewrite(d, sampler_lines("a", "b").replace("instance=b/", "instance=a/") + "prdcr_add name=new type=local\n"
            f"listen xprt=sock host=127.0.0.1 port={free_port()}\nstream_enable\nlimits conns=99\nenv NEW=1\n")
    code, words = ask(d, RELOAD)
    assert code and "all is as before, for this failed" in words and "a/loadavg" in words, words
    assert dump(d) == was
    assert set(producers(d)) == {"old"}
    assert ask(d, STREAM_STATUS)[0] == 38  # streams are off
    rewrite(d, sampler_lines("a", "b"))
    assert reload(d)[-1] == "2 differences; all is now as the files say"
    wait_for(lambda: {"a/loadavg", "b/loadavg"} <= set(d.values()))


def test_what_needs_a_restart_refuses_all(cluster):
    d = start(cluster, "memory size=64M\n")
    was = dump(d)
    rewrite(d, "memory size=128M\nprdcr_add name=x type=local\ndaemon_name name=z\n")
    code, words = ask(d, RELOAD)
    assert code == 16 and "this needs a restart of the daemon: daemon_name, memory" in words
    assert "~ setting memory size 64M -> 128M" in words and "+ prdcr x" in words
    assert dump(d) == was


def test_ports_are_opened_and_closed(cluster):
    one, two = free_port(), free_port()
    d = start(cluster, f"listen port={one} host=127.0.0.1\nauth_add name=n plugin=naive\n")
    w = Wire(one).accepted()
    rewrite(d, f"listen port={two} host=127.0.0.1 auth=n\nauth_add name=n plugin=naive uid=0\n")
    assert reload(d) == ["~ auth n - -> uid=0 (restart)", f"+ listen sock:{two} host=127.0.0.1 auth=n",
                         f"- listen sock:{one}", "3 differences; all is now as the files say"]
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", one))
    socket.create_connection(("127.0.0.1", two)).close()
    assert w.control(PRDCR_STATUS)[0] == 0  # who came through the closed port stays
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        rewrite(d, f"listen port={port} host=127.0.0.1\n")
        was = dump(d)
        code, words = ask(d, RELOAD)
        assert code == 98 and str(port) in words and dump(d) == was
    # the port that is asked through is not in the file any more: the answer comes all the same
    d.cluster.write("d.conf", f"listen port={two} host=127.0.0.1\n")
    assert reload(d)[-1].endswith("all is now as the files say")
    d.port = two
    assert f"listen xprt=sock port={two} host=127.0.0.1\n" in dump(d)


def test_a_reload_leads_back_to_the_files(cluster):
    d = start(cluster, "prdcr_add name=a type=local\nprdcr_start name=a\nupdtr_add name=u interval=1s\n")
    was = dump(d)
    w = Wire(d.port).accepted()
    assert w.control(PRDCR_ADD, [(1, text("b")), (5, text("local"))])[0] == 0
    assert w.control(0x103, [(1, text("a"))])[0] == 0  # prdcr_stop
    assert w.control(0x302, [(1, text("u")), (2, text("5s"))])[0] == 0  # updtr_start
    assert w.control(0x907)[0] == 0  # stream_enable
    assert "updtr_add name=u interval=5s\nupdtr_start name=u\n" in dump(d)
    assert reload(d) == ["- setting stream", "~ prdcr a is to be started", "- prdcr b",
                         "~ updtr u interval 5s -> 1s (restart)", "4 differences; all is now as the files say"]
    assert dump(d) == was


def test_settings_that_go_are_as_nobody_had_set_them(cluster):
    d = start(cluster, "limits conns=4711 handshake=7s\nmsg_enable\nstream_enable\nlog_level level=DEBUG\n"
              "log_level level=ERROR name=producer\n")
    w = Wire(d.port).accepted()
    was = w.status(XPRT_STATS)["limits"]
    assert was["conns"] == 4711 and w.control(STREAM_STATUS)[0] == 0 and "log_level level=DEBUG\n" in dump(d)
    rewrite(d, "")
    assert reload(d) == ["- setting msg", "- setting stream", "~ log_level level DEBUG -> INFO",
                         "- log_level producer", "- limit conns", "- limit handshake", "6 differences; all is now as the files say"]
    now, other = w.status(XPRT_STATS)["limits"], start(cluster, "", name="other")
    assert now == Wire(other.port).accepted().status(XPRT_STATS)["limits"]
    assert w.control(STREAM_STATUS)[0] == 38
    assert dump(d).replace(str(d.port), "") == ask(other, DUMP_CFG)[1].partition("\n")[2].replace(
        str(other.port), "").replace("name=other", "name=d")


def test_variables_and_included_files(cluster):
    cluster.write("more", "prdcr_add name=${WHO} type=local\n")
    d = start(cluster, "env WHO=a OTHER=1\ninclude path=more\n")
    assert list(producers(d)) == ["a"]
    cluster.write("more", "prdcr_add name=${WHO}${OTHER} type=local\n")
    rewrite(d, "env WHO=b\ninclude path=more\nnonsense\n")
    assert ask(d, RELOAD)[0] == 22
    w = Wire(d.port).accepted()
    assert w.control(PRDCR_ADD, [(1, text("x${WHO}${OTHER}")), (5, text("local"))])[0] == 0
    assert set(producers(d)) == {"a", "xa1"}  # those of the files that were refused are not seen
    rewrite(d, "env WHO=b\ninclude path=more\n")
    assert reload(d)[-1] == "5 differences; all is now as the files say"
    assert set(producers(d)) == {"b"}


def test_what_was_read_from_a_pipe_is_gone(cluster):
    port = free_port()
    conf = cluster.write("in", f"listen port={port} host=127.0.0.1\n")
    d = cluster.daemon("d", ["agg", "-c", "-"], port, program=["sh", "-c", f'exec "$@" < {conf}', "sh", LDMS])
    d.says("is ready")
    code, words = ask(d, RELOAD)
    assert code == 22 and "standard input, which can be read only once" in words


def test_a_store_elsewhere(cluster):
    """A policy follows its store; what it has queued is stored before."""
    samp = cluster.samp("n1", "loadavg", "--interval", "100ms")
    lines = agg_lines(cluster, [samp])
    agg = start(cluster, lines)
    wait_for(lambda: rows(cluster.path("rows")) > 3, "rows")
    rewrite(agg, lines.replace(cluster.path("rows"), cluster.path("other")))
    assert reload(agg) == [f"~ plugin csv -config path={cluster.path('rows')} +config path={cluster.path('other')} "
                           "(restart)", "~ strgp s uses csv (restart)", "2 differences; all is now as the files say"]
    had = rows(cluster.path("rows"))
    wait_for(lambda: rows(cluster.path("other")) > 3, "rows in the other folder")
    assert rows(cluster.path("rows")) == had
    assert producers(agg)["n1"]["connects"] == 1


def test_a_decomposition_that_was_edited(cluster):
    """It is a file of its own: the policy is made anew for it, and for nothing else."""
    samp = cluster.samp("n1", "loadavg", "--interval", "100ms")
    columns = '{"type":"static","rows":[{"schema":"%s","cols":[{"src":"timestamp"},{"src":"load1min"}]}]}'
    path = cluster.write("d.json", columns % "old")
    agg = start(cluster, agg_lines(cluster, [samp], more=f"strgp_add name=dc plugin=csv container=dc schema=loadavg "
                                   f"decomposition={path}\nstrgp_start name=dc\n"))
    folder = cluster.path("rows") + "/dc"
    wait_for(lambda: os.path.isdir(folder) and rows(folder) > 3, "rows")
    assert not any("dc" in line for line in reload(agg))
    cluster.write("d.json", columns % "new")
    assert reload(agg) == ["~ strgp dc its decomposition was edited (restart)", "1 difference; all is now as the files say"]
    wait_for(lambda: os.path.exists(folder + "/new"), "rows of the new row schema")
    cluster.write("d.json", "{")
    code, words = ask(agg, RELOAD)
    assert code and "decomposer: json parser error" in words
    had = rows(folder)
    wait_for(lambda: rows(folder) > had, "the policy to go on")


def test_who_advertised_stays(cluster):
    """Producers that nobody wrote down are not the files' to take away."""
    lines = "prdcr_listen_add name=any\nprdcr_listen_start name=any\nupdtr_add name=u interval=100ms\n" \
            "updtr_prdcr_add name=u regex=.*\nupdtr_start name=u\n"
    agg = start(cluster, lines)
    samp = cluster.samp("n1", "loadavg", "--interval", "100ms", "--to", f"127.0.0.1:{agg.port}", "--reconnect", "100ms")
    wait_for(lambda: agg.values("n1/loadavg"))
    rewrite(agg, lines + "prdcr_add name=here type=local\n")
    assert reload(agg)[-1] == "1 difference; all is now as the files say"
    (name, p), = ((n, p) for n, p in producers(agg).items() if n != "here")
    assert p["state"] == "CONNECTED" and p["connects"] == 1 and name.endswith(f":{samp.port}")


def test_one_of_a_thousand(cluster):
    """A thousand producers, one of them changed: the others stay connected."""
    n = 1000
    peer = start(cluster, "limits conns=4000 conns_per_addr=4000\n", name="peer")
    other = start(cluster, "", name="other")

    def lines(moved):
        return "".join(f"prdcr_add name=n{i} type=bridge xprt=sock host=127.0.0.1 reconnect=1s "
                       f"port={other.port if i == moved else peer.port}\n" for i in range(n)) + \
            "prdcr_start_regex regex=.*\n"
    d = start(cluster, lines(None))
    wait_for(lambda: all(p["state"] == "CONNECTED" for p in producers(d).values()), "all to be connected")
    rewrite(d, lines(500))
    assert reload(d) == [f"~ prdcr n500 port {peer.port} -> {other.port} (restart)",
                         "1 difference; all is now as the files say"]
    wait_for(lambda: producers(d)["n500"]["state"] == "CONNECTED", "the one to be connected again")
    p = producers(d)
    assert len(p) == n and p["n500"]["port"] == other.port
    assert {(x["connects"], x["disconnects"]) for x in p.values()} == {(1, 0)}



def test_a_cluster_file_that_changes_while_a_daemon_starts(cluster):
    """It had been read, and the rest of the configuration not yet: that is not missed."""
    port, fifo = free_port(), cluster.path("more.conf")
    text = f"daemons:\n- {{names: agg, hosts: 127.0.0.1, endpoints: [{{names: e, ports: {port}}}]}}\n"
    path = cluster.write("c.yaml", text)
    os.mkfifo(fifo)
    d = cluster.daemon("d", ["agg", "-y", path, "-n", "agg", "-c", fifo], port)
    with open(fifo, "w") as f:  # when the daemon opens it, too
        cluster.write("c.yaml", text + "# and more\n")
        f.write("# nothing\n")
    d.says("c.yaml has changed")
