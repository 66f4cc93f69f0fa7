"""What ldms_ls prints, read back strictly: a line of no known form is an error, as it is for LDMS's own test suite.

    sets = parse(text of ldms_ls -l -v -v)    {instance: {"schema": .., "digest": .., "metrics": {name: value}, ...}}

Values are texts as printed, but numbers; a record list is a list of {member: text}.
"""
import re
import shlex

HOST = re.compile(r"(Hostname|IP Address|Port|Transport) *: \S*$")
HEAD = re.compile(r"(Schema Digest +)?Schema +Instance +Flags +Msize +Dsize +Hsize +UID +GID +Perm +Update +Duration +Info *$")
RULE = re.compile(r"[- ]*-+[- ]*$|=+$")
SET = re.compile(r"(?:(?P<digest>[0-9A-F]{64}|-) +)?(?P<schema>\S+) +(?P<instance>\S+) +(?P<flags>[CLRP ]+?) +(?P<msize>\d+) +"
                 r"(?P<dsize>\d+) +(?P<hsize>\d+) +(?P<uid>\d+) +(?P<gid>\d+) +(?P<perm>[-rwx]{10}) +(?P<update>\d+\.\d{6}) +"
                 r"(?P<duration>\d+\.\d{6})(?: +(?P<info>.*?))? *$")
TOTAL = re.compile(r"Total Sets: \d+, Meta Data \(kB\): [\d.]+, Data \(kB\) [\d.]+, Memory \(kB\): [\d.]+$")
DATA = re.compile(r"(?P<instance>\S+): (?P<state>consistent|inconsistent), last update: (?P<at>.*?) *$")
METRIC = re.compile(r"(?P<kind>[MD]) (?P<type>\S+) +(?P<name>\S+)(?: +(?P<value>.*?))? *$")
KEY = re.compile(r" *\S.*? : .*$")  # what -v -v says of a set's metadata
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[-+]\d+)?$")


def number(text):
    if not NUMBER.match(text):
        return text
    return float(text) if re.search(r"[.e]", text) else int(text)


def row(line):
    """The cells of a line of a record list; a heading keeps units apart: `rx_bytes (bytes)`."""
    return shlex.split(re.sub(r"\s+\([^)]*\)", "", line))


def parse(text):
    sets, now, heading, inside = {}, None, None, None
    for line in text.splitlines():
        if not line.strip() or RULE.match(line) or HOST.match(line) or HEAD.match(line) or TOTAL.match(line):
            heading = inside = None
        elif (m := DATA.match(line)):
            now = sets.setdefault(m["instance"], {})
            now.update(state=m["state"], at=m["at"], metrics={}, types={})
            heading = inside = None
        elif now is not None and (m := METRIC.match(line)):
            value = m["value"] or ""
            now["types"][m["name"]] = m["type"]
            inside = now["metrics"][m["name"]] = [] if m["type"] in ("list<>", "record[]") and not value else number(value)
            heading = None
        elif isinstance(inside, list) and line.startswith(" "):
            if heading is None:
                heading = row(line)
            else:
                inside.append(dict(zip(heading, map(number, row(line)))))
        elif (m := SET.match(line)):
            sets.setdefault(m["instance"], {}).update(m.groupdict())
        elif now is None and re.fullmatch(r"\S+", line):
            sets[line] = {}  # without an option: names alone
        elif not KEY.match(line):
            raise ValueError(f"ldms_ls prints a line of no known form: {line!r}")
    return sets
