"""Sets as ldmsd 4.5.3 shows them (tests/data/sets), and what listings say of each metric.

    of(recorded("loadavg")) == of(run("samp", "--once", "loadavg").stdout)
"""
import os
import re

from ldms import ROOT

FOLDER = os.path.join(ROOT, "tests", "data", "sets")
LINE = re.compile(r'^([MD]) (\S+) +(\S+) *("[^"]*"|\S*) ?(.*?) *$')


def recorded(name):
    """The listing of that set."""
    with open(os.path.join(FOLDER, name + ".txt")) as f:
        return f.read()


def digests():
    """{schema: [digest, ...]}"""
    found = {}
    with open(os.path.join(FOLDER, "digests")) as f:
        for line in f:
            schema, digest = line.split()[:2]
            found.setdefault(schema, []).append(digest)
    return found


def elements(kind, value):
    """The length of an array of numbers; that of a text is not shown."""
    return len(value.split(",")) if kind.endswith("[]") and kind not in ("char[]", "record[]") else None


def lines(text):
    """(flag, type, name, value, unit) of each metric of a listing, and (header of the members,) of each list of records."""
    for line in text.splitlines()[1:]:
        m = LINE.match(line)
        if m:
            yield m[1], m[2], m[3], m[4], m[5]
        elif line.startswith(" ") and '"' not in line and not re.fullmatch(r"[\s\d.]*", line):
            yield (" ".join(line.split()),)


def of(text):
    """What does not depend on the moment: flags, types, names, units and lengths in order."""
    return [(row[0], row[1], row[2], row[4], elements(row[1], row[3])) if len(row) > 1 else row for row in lines(text)]


def values(text):
    """{name: value as it is shown}, without records."""
    return {row[2]: row[3] for row in lines(text) if len(row) > 1}
