"""What a newcomer types that is not quite it: the answer says what to type."""
import os

import pytest
from interpose import interposed
from ldms import run, wait_for

NO_HOSTS = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");

	return node && !strcmp(node, "localhost") ? EAI_NONAME : next(node, service, hints, list);
}
"""


@pytest.mark.parametrize("args, words", [
    (("prdcr_status",), "`ldms ctl prdcr_status` sends it"),
    (("help", "prdcr_add"), "`ldms ctl help prdcr_add` explains it"),
    (("smap",), "did you mean 'samp'?"),
    (("ctl", "frobnicate"), "unknown verb 'frobnicate'; `help` lists them"),
    (("ctl", "prdcr_statu"), "did you mean 'prdcr_status'?"),
    (("ctl", "stats", "producers"), "stats takes nothing behind it"),
    (("auth",), "write `ldms auth gen FILE`"),
    (("auth", "make", "x"), "write `ldms auth gen FILE`"),
    (("store", "--prdcr", "agg-1"), "nothing is stored: give --to STORE:PATH"),
    (("store", "--prdcr", "agg-1", "--to", "agg-2"), "nothing is stored: give --to STORE:PATH"),
    (("store", "--prdcr", "agg-1", "--to", "kakfa:h:1"), "or -c FILE; 'kakfa:h:1' names no store"),
    (("store", "--prdcr", "agg-1", "--strgp", "loadavg", "--to", "sqllite:x.db"), "did you mean 'sqlite:x.db'?"),
    (("store", "--prdcr", "agg-1", "--strgp", "loadavg", "--to", "foo:bar"), "'foo:bar' is neither STORE:PATH"),
    (("store", "--prdcr", "agg-1", "--shard", "1/2", "--to", "agg-2"), "--shard: say where the rows go"),
])
def test_the_right_words(args, words):
    r = run(*args)
    assert r.returncode, r
    assert words.lower() in r.stderr.lower(), r.stderr


def test_a_machine_that_does_not_know_localhost(cluster, tmp_path):
    """As a container without /etc/hosts."""
    samp = cluster.samp("n1")
    wait_for(samp.ls, "its set")
    env = {**os.environ, "LD_PRELOAD": interposed(tmp_path, NO_HOSTS)}
    r = run("ls", "-p", samp.port, env=env)
    assert (r.returncode, r.stdout) == (0, "n1/loadavg\n"), r.stderr
