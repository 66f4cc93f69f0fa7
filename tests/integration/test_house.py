"""The tree keeps its own rules: layers, tables, frozen numbers, manuals that agree with --help."""
import os
import re
import subprocess

from ldms import ROOT, run

# Includes point to the left, never to the right.
LAYERS = ["core/base", "core/set", "xprt", "core/daemon", "core/ctl", "core/maestro", "cmd"]
SIDES = {"core/cluster": {"core/cluster", "core/base"}, "plugins": {"plugins", "core/base", "core/set"}, "store": {"store", "core/base", "core/set"}}


def files(suffixes=(".c", ".h")):
    out = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
    names = out.stdout.split() if out.returncode == 0 else [
        os.path.relpath(os.path.join(d, f), ROOT) for d, _, fs in os.walk(ROOT) for f in fs]
    return [f for f in names if f.endswith(suffixes) and os.path.exists(os.path.join(ROOT, f))]


def includes(path):
    with open(os.path.join(ROOT, path)) as f:
        return re.findall(r'^#include "([^"]+)"', f.read(), re.M)


def test_includes_point_one_way():
    wrong = []
    for path in files():
        here = os.path.dirname(path)
        for inc in includes(path):
            there = os.path.dirname(inc)
            if here in LAYERS and there in LAYERS and LAYERS.index(there) > LAYERS.index(here):
                wrong.append(f"{path} includes {inc}")
            if here in SIDES and there not in SIDES[here]:
                wrong.append(f"{path} includes {inc}")
    assert not wrong


def test_verb_numbers_are_frozen():
    with open(os.path.join(ROOT, "tests/data/verb-numbers")) as f:
        frozen = dict(line.split() for line in f if not line.startswith("#"))
    with open(os.path.join(ROOT, "core/ctl/verbs.c")) as f:
        ours = dict(re.findall(r'\{ "(\w+)", (0x[0-9a-f]+),', f.read()))
    assert ours
    assert {v: n for v, n in ours.items() if frozen.get(v) != n} == {}


def test_synopsis_of_manuals_equals_help():
    """Every option of --help stands in the command's manual."""
    for cmd, *forms in (["samp"], ["agg"], ["store"], ["ls"], ["ctl"], ["msg", "pub", "sub"], ["query"], ["up"], ["auth"], ["check"],
                        ["maestro", "run", "diff", "plan", "graph", "convert"], ["plan"],
                        ["cluster", "up", "ls", "exec", "sh", "start", "stop", "restart", "logs", "fault", "down"]):
        text = run("help", cmd).stdout + "".join(run(cmd, form, "--help").stdout for form in forms)
        with open(os.path.join(ROOT, f"man/ldms-{cmd}.1")) as f:
            man = f.read()
        missing = [o for o in re.findall(r"--([a-z][a-z-]+)", text) if not re.search(r"(Fl|Ic|Cm) (Fl )?-?%s\b" % o, man)
                   and f"-{o}" not in man.replace("\\-", "-")]
        assert not missing, f"man/ldms-{cmd}.1 does not know {missing}"


def test_manuals_say_what_the_tables_say():
    """Between its marks each page has what `ldms help` prints; `make man` puts it there."""
    parts = []
    for page in sorted(os.listdir(os.path.join(ROOT, "man"))):
        with open(os.path.join(ROOT, "man", page)) as f:
            parts += [(page, *part) for part in re.findall(
                r'^\.\\" made by `ldms ([^`]*)`[^\n]*\n(.*?)^\.\\" end of what', f.read(), re.M | re.S)]
    assert {page for page, _, _ in parts} == {"ldms.conf.5", "ldms-samplers.7", "ldms-stores.7", "ldms-wire.7"}
    for page, words, part in parts:
        assert part == run(*words.split()).stdout, f"man/{page}: run make man"


def test_every_verb_has_its_place_in_the_manual():
    """Those that files may hold; questions over the network alone stand in ldms-wire(7)."""
    with open(os.path.join(ROOT, "core/ctl/verbs.c")) as f:
        ours = re.findall(r'\{ "(\w+)", 0x', f.read())
    text = "".join(open(os.path.join(ROOT, "man", m)).read() for m in ("ldms.conf.5", "ldms-wire.7"))
    assert [v for v in ours if not re.search(rf"\b{v}\b", text)] == []
