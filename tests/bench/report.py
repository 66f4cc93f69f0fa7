"""report.py - the table: a line per number, ours beside the peer's"""
import json

HEADS = ("what", "unit", "ldms", "ldmsd", "ratio", "target", "")


def text(x):
    if x is None:
        return "-"
    if isinstance(x, str):
        return x
    if x == 0:
        return "0"
    if abs(x) >= 1000:
        return f"{x:,.0f}"
    return f"{x:.3g}" if abs(x) < 100 else f"{x:.0f}"


class Line:
    """at_most: a ceiling of our number; part: a ceiling of ours / the peer's; times: a floor of it."""

    def __init__(self, what, unit, ours, theirs, at_most=None, part=None, times=None, at_least=None):
        self.what, self.unit, self.ours, self.theirs = what, unit, ours, theirs
        self.at_most, self.part, self.times, self.at_least = at_most, part, times, at_least

    def ratio(self):
        return self.ours / self.theirs if self.ours is not None and self.theirs else None

    def target(self):
        if self.at_most is not None:
            return f"<= {text(float(self.at_most))}"
        if self.at_least is not None:
            return f">= {text(float(self.at_least))}"
        if self.times:
            return f">= {self.times} x"
        return f"<= 1/{round(1 / self.part)}" if self.part else ""

    def verdict(self):
        ratio = self.ratio()
        if self.at_most is not None and self.ours is not None:
            return "OK" if self.ours <= self.at_most else "MISS"
        if self.at_least is not None and self.ours is not None:
            return "OK" if self.ours >= self.at_least else "MISS"
        if self.times and ratio is not None:
            return "OK" if ratio >= self.times else "MISS"
        if self.part and ratio is not None:
            return "OK" if ratio <= self.part else "MISS"
        return ""

    def cells(self):
        ratio = self.ratio()
        return (self.what, self.unit, text(self.ours), text(self.theirs), "" if ratio is None else f"{ratio:.3f}",
                self.target(), self.verdict())


class Report:
    """Lines are printed as they come, in the columns of a Markdown table."""
    widths = (46, 12, 12, 12, 7, 9, 4)

    def __init__(self):
        self.lines, self.notes = [], []

    def row(self, cells):
        pads = [str.ljust, str.ljust, str.rjust, str.rjust, str.rjust, str.rjust, str.ljust]
        print("| " + " | ".join(p(c, w) for p, c, w in zip(pads, cells, self.widths)) + " |", flush=True)

    def head(self):
        self.row(HEADS)
        print("|" + "|".join("-" * (w + 1) + (":" if 2 <= i <= 5 else "-") for i, w in enumerate(self.widths)) + "|")

    def line(self, *args, **kw):
        line = Line(*args, **kw)
        self.lines.append(line)
        self.row(line.cells())

    def note(self, words):
        """Why a number is missing, or not to be trusted; printed below the table."""
        if words not in self.notes:
            self.notes.append(words)

    def end(self):
        for n in self.notes:
            print(f"\n* {n}")
        verdicts = [line.verdict() for line in self.lines]
        print(f"\n{verdicts.count('OK')} targets met, {verdicts.count('MISS')} missed")

    def save(self, path):
        rows = [{"what": x.what, "unit": x.unit, "ldms": x.ours, "ldmsd": x.theirs, "ratio": x.ratio(),
                 "target": x.target(), "verdict": x.verdict()} for x in self.lines]
        with open(path, "w") as f:
            json.dump({"lines": rows, "notes": self.notes}, f, indent=1)
