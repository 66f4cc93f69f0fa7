"""An installed ldmsd 4.5.3: its daemons and its lister, for tests side by side with ours.

LDMSD_PREFIX=/opt/ovis make check        where it is installed; the tests are skipped where it is not
"""
import os
import subprocess

import pytest

from ldms import PATIENCE_S, free_port, real_ldmsd

PREFIX = real_ldmsd()
needs_ldmsd = pytest.mark.skipif(not PREFIX, reason="no ldmsd is installed; set LDMSD_PREFIX to where one is")

PUBLISHERS = 4  # of 150 of them 11 hung
SETS = ("meminfo", "loadavg", "procstat2", "procnetdev2")


def env():
    lib = os.path.join(PREFIX, "lib")
    return {**os.environ, "LD_LIBRARY_PATH": lib, "ZAP_LIBPATH": lib + "/ovis-ldms",
            "LDMSD_PLUGIN_LIBPATH": lib + "/ovis-ldms", "TZ": "UTC"}


def real_publish(program, port, *args, host="127.0.0.1", **kw):
    """Their publisher, to its end.  It hangs at times, at their own daemon as well, and has sent nothing then: again."""
    argv = [program, "-x", "sock", "-h", host, "-p", str(port), *map(str, args)]
    for left in reversed(range(PUBLISHERS)):
        try:
            return subprocess.run(argv, capture_output=True, text=True, env=env(), timeout=PATIENCE_S / 2, **kw)
        except subprocess.TimeoutExpired:
            if not left:
                raise


def names(prefix):
    return {f"{prefix}/{s}" for s in SETS}


def real(cluster, name, conf, port, *args):
    return cluster.daemon(name, ["-x", f"sock:{port}:localhost", "-c", conf, "-m", "16M", *args], port,
                          program=[os.path.join(PREFIX, "sbin/ldmsd")], env=env())


def real_samp(cluster, name, samplers=SETS, interval="1000000", attrs=""):
    port = free_port()
    conf = cluster.write(name + ".conf", "metric_sets_default_authz perm=0777\n" + "".join(
        f"load name={s}\nconfig name={s} producer={name} instance={name}/{s} component_id=1 {attrs}\n"
        f"start name={s} interval={interval} offset=0\n" for s in samplers))
    return real(cluster, name, conf, port)


def real_agg(cluster, name, producers, extra="", interval="200ms", updtr="offset=50ms"):
    port = free_port()
    conf = cluster.write(name + ".conf", "".join(
        f"prdcr_add name=p{i} type=active xprt=sock host=localhost port={p.port} reconnect=200ms\n"
        f"prdcr_start name=p{i}\n" for i, p in enumerate(producers)) +
        f"updtr_add name=u interval={interval} {updtr}\nupdtr_prdcr_add name=u regex=.*\nupdtr_start name=u\n" + extra)
    return real(cluster, name, conf, port)


def real_ls(port, *args):
    return subprocess.run([os.path.join(PREFIX, "sbin/ldms_ls"), "-x", "sock", "-h", "localhost", "-p", str(port), *args],
                          capture_output=True, text=True, env=env(), timeout=PATIENCE_S).stdout
