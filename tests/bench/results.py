# SPDX-License-Identifier: GPL-3.0-or-later
"""results: all that was measured, as one dict, which is RESULTS.json; the
table RESULTS and the plot RESULTS.svg are made of it.

  machine, versions, settings    name -> value
  rows    a list; each has name, title, server, hosts, fanout, first_byte
          (whether that is of interest), reason (why it was not measured, or
          null), rounds and cells: peer -> samples (a list, one a round) and reason
"""
import json
import statistics
import textwrap

import plot

WIDTH = 79
INTRODUCTION = """\
scripts/bench on one machine, clients and servers together, in one sitting and
turn by turn. Median of the rounds, in brackets the smallest and the largest.
CPU: user and system time of all processes of the client, divided by the
hosts. Memory: the most that all of them had at once (PSS summed up).
First byte: from the start of the client to the first byte on its stdout. The
servers' own work is part of the wall time, not of the CPU time.
"""

# Column -> (heading, value of a sample, decimals).
COLUMNS = {
    "wall": ("wall s", lambda row, s: s["wall_s"], 2),
    "cpu": ("CPU ms a host", lambda row, s: 1000 * s["cpu_s"] / row["hosts"],
            2),
    "memory": ("memory MB", lambda row, s: s["peak_kb"] / 1024, 1),
    "first": ("first byte ms", lambda row, s: 1000 * s["first_byte_s"], 0),
}


def columns(row):
    return [name for name in COLUMNS
            if name != "first" or row["first_byte"]]


def figure(row, cell, column):
    """(median, smallest, largest), or None if there is none."""
    _, value, _ = COLUMNS[column]
    if cell["reason"] or not cell["samples"]:
        return None
    values = [value(row, sample) for sample in cell["samples"]]
    return statistics.median(values), min(values), max(values)


def figure_texts(row, cell, column):
    """The median, and the range if there is one."""
    middle, least, most = (
        "%.*f" % (COLUMNS[column][2], value)
        for value in figure(row, cell, column))
    return middle, "" if least == most else "(%s-%s)" % (least, most)


def row_lines(row):
    yield "%s: %s; rounds: %d" % (row["name"], row["title"], row["rounds"])
    if row["reason"]:
        yield "  " + row["reason"]
        return
    measured = {peer: [figure_texts(row, cell, name) for name in columns(row)]
                for peer, cell in row["cells"].items() if not cell["reason"]}
    headings = [COLUMNS[name][0] for name in columns(row)]
    ranges = [max((len(cells[n][1]) for cells in measured.values()), default=0)
              for n in range(len(headings))]
    yield " " * 11 + "".join("%15s %*s" % (heading, width, "") for
                             heading, width in zip(headings, ranges)).rstrip()
    for peer, cell in row["cells"].items():
        if peer in measured:
            line = "".join("%15s %-*s" % (middle, width, spread)
                           for (middle, spread), width in
                           zip(measured[peer], ranges))
        else:
            line = "     " + cell["reason"]
        yield ("  %-9s" % peer + line).rstrip()


def row_text(row):
    return "\n".join(row_lines(row)) + "\n"


def facts_text(data):
    machine = data["machine"]
    lines = ["%(date)s" % machine,
             "%(cpu)s, %(cores)d cores, %(memory_mb)d MB, load %(load).1f"
             % machine,
             "%(system)s, Linux %(kernel)s" % machine]
    for name in "versions", "settings":
        lines += ["%s: %s" % item for item in data[name].items()]
    return "".join(textwrap.fill(line, WIDTH, subsequent_indent="    ") + "\n"
                   for line in lines)


def text(data):
    return "\n".join([INTRODUCTION, facts_text(data),
                      *map(row_text, data["rows"])])


def write(data, folder):
    for name, content in (
            ("RESULTS.json", json.dumps(data, indent=1) + "\n"),
            ("RESULTS", text(data)),
            ("RESULTS.svg", plot.svg(data, figure))):
        (folder / name).write_text(content)
