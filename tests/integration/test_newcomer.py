"""What a newcomer types that is not quite it: the answer says what to type."""
import pytest

from ldms import run


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
    (("store", "--prdcr", "agg-1", "--strgp", "loadavg", "--to", "sqllite:x.db"), "did you mean 'sqlite:x.db'?"),
    (("store", "--prdcr", "agg-1", "--strgp", "loadavg", "--to", "foo:bar"), "'foo:bar' is neither STORE:PATH"),
    (("store", "--prdcr", "agg-1", "--shard", "1/2", "--to", "agg-2"), "--shard: say where the rows go"),
])
def test_the_right_words(args, words):
    r = run(*args)
    assert r.returncode, r
    assert words.lower() in r.stderr.lower(), r.stderr
