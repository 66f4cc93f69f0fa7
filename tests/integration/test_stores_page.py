"""ldms-stores(7): every store is in it, what it shows can be carried out, and its types are true."""
import json
import os
import re

import pytest

from ldms import ROOT, run

ALL = json.loads(run("store", "-l", "--json").stdout)
STORES = [s["name"] for s in ALL]
HERE = [s["name"] for s in ALL if s["here"]]
# a value that does not go there, for each type that says what does; a text and a name of a file may be anything
WRONG = {"boolean": "perhaps", "number": "x7", "octal": "999", "size": "much", "time": "soon", "time/size": "soon"}

# who has sets, so that nothing is left to be warned of
FEED = """prdcr_add name=n1 type=active xprt=sock host=localhost port=411 reconnect=10s
prdcr_start name=n1
updtr_add name=all interval=1s
updtr_prdcr_add name=all regex=.*
updtr_start name=all
"""


def page(*words):
    text = run("help", *words).stdout
    example, = re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed", text, re.M | re.S)
    attrs = dict(re.findall(r"^\.It Cm (\w+) Ns = Ns (.*)$", text, re.M))
    return example.replace("\\e", "\\"), attrs


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """Folders and files that the examples name."""
    folder = tmp_path_factory.mktemp("stores")
    os.mkdir(folder / "etc")
    for name, text in (("kafka.json", "{}"), ("registry.conf", ""), ("decomp.json", '{"type":"as_is","indices":[]}'),
                       ("derived.conf", "vmstat r RAW 1 pgfault 1 1\n")):
        (folder / "etc" / name).write_text(text)
    return folder


def check(there, text):
    text = (text.replace("/etc/ldms", str(there / "etc")).replace("/var/lib/ldms", str(there / "lib"))
            .replace("/var/spool/ldms", str(there / "spool")))
    (there / "ldms.conf").write_text(text)
    return run("check", str(there / "ldms.conf"))


def test_every_store_is_in_the_page():
    with open(os.path.join(ROOT, "man/ldms-stores.7")) as f:
        assert sorted(re.findall(r"^\.Ss \w+\n\.\\\" made by `ldms help --store (\w+)`", f.read(), re.M)) == sorted(STORES)


@pytest.mark.parametrize("store", HERE)
def test_examples_are_good(there, store):
    example, _ = page("--store", store)
    r = check(there, FEED + example)
    assert r.returncode == 0 and "warning:" not in r.stdout + r.stderr, r.stdout + r.stderr


@pytest.mark.parametrize("store", STORES)
def test_help_says_the_same(store):
    example, attrs = page("--store", store)
    said = run("store", "help", store).stdout
    assert "".join("  " + line + "\n" for line in example.splitlines()) in said
    rows = re.findall(r"^  (\w+)=(\S+)", said[said.index("\nattributes:"):], re.M)
    words = {name: re.sub(r"Cm |No \\&|Ar | ", "", t) for name, t in attrs.items()}
    assert rows == list(words.items())


@pytest.mark.parametrize("store", HERE)
def test_types_are_true(there, store):
    """What is no such value is refused, and the words name it: an instance for each attribute, all in one file."""
    example, attrs = page("--store", store)
    lines = example.replace("\\\n", " ").splitlines()
    load, = [line for line in lines if line.startswith("load ")]
    config = next((line for line in lines if line.startswith("config ")), "config " + load.split()[1])
    name = load.split()[1].removeprefix("name=")
    wrong = {a: "none-of-them" if t.startswith("Cm ") else WRONG.get(t.removeprefix("Ar ")) for a, t in attrs.items()}
    wrong = {a: value for a, value in wrong.items() if value}
    text = ""
    for a, value in wrong.items():
        text += load.replace(name, "x_" + a, 1) + "\n"
        text += re.sub(rf" {a}=\S+", "", config).replace(name, "x_" + a, 1) + f" {a}={value}\n"
    r = check(there, text)
    said = [line for line in (r.stdout + r.stderr).splitlines() if ": warning:" not in line]
    for a, value in wrong.items():
        assert any(f"'x_{a}'" in line and value in line and a in line.split(f"'x_{a}'", 1)[1] for line in said), (a, value, said)
