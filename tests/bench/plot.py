# SPDX-License-Identifier: GPL-3.0-or-later
"""plot: the results as a picture. A block a row of the table, a line a client
in it, and three bars on each: wall, CPU a host, memory. The scale of each
column is logarithmic, and the same for all rows."""
import math
from xml.sax.saxutils import escape

PANELS = (("wall", "wall, s"), ("cpu", "CPU a host, ms"),
          ("memory", "memory, MB"))
MARGIN, NAMES, PANEL, GAP, VALUE = 16, 80, 200, 16, 52
LINE, BLOCK, HEAD, TOP = 14, 14, 18, 52
WIDTH = 2 * MARGIN + NAMES + len(PANELS) * (PANEL + GAP)
OURS, OTHERS, FAINT = "#c2410c", "#7b8794", "#d9dee4"
STYLE = """<style>
text { font: 11px sans-serif; fill: #1f2933; }
.title { font-weight: bold; }
.head { font-size: 15px; font-weight: bold; }
.note { fill: #52606d; }
.end { text-anchor: end; }
</style>"""


def short(value):
    """Three significant digits."""
    if value >= 100:
        return "%.0f" % value
    return "%.*f" % (max(0, 2 - math.floor(math.log10(max(value, 0.01)))),
                     value)


class Scale:
    """From values to lengths of bars, whole decades."""

    def __init__(self, values):
        values = [max(value, 1e-3) for value in values] or [1]
        self.low = math.floor(math.log10(min(values)) - 0.01)
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)

    def length(self, value):
        part = math.log10(max(value, 1e-3)) - self.low
        return (PANEL - VALUE) * part / (self.high - self.low)

    def decades(self):
        return range(self.low, self.high + 1)


class Picture:
    def __init__(self, data, figure):
        self.figure = figure
        self.parts = []
        self.y = TOP
        self.scales = {
            name: Scale([value[0] for row in data["rows"]
                         for cell in row["cells"].values()
                         if (value := figure(row, cell, name))])
            for name, _ in PANELS}

    def text(self, x, y, words, kind=""):
        self.parts.append('<text x="%.1f" y="%.1f" class="%s">%s</text>' % (
            x, y, kind, escape(words)))

    def rect(self, x, y, width, height, fill):
        self.parts.append(
            '<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>'
            % (x, y, max(width, 0.5), height, fill))

    def panels(self):
        for n, (name, title) in enumerate(PANELS):
            yield MARGIN + NAMES + n * (PANEL + GAP), name, title

    def cell(self, row, peer, cell):
        self.text(MARGIN + NAMES - 6, self.y + 10, peer, "end")
        for x, name, _ in self.panels():
            value = self.figure(row, cell, name)
            if value is None:
                self.text(x + 3, self.y + 10, cell["reason"] or "", "note")
                break
            middle, least, most = value
            scale = self.scales[name]
            length = scale.length(middle)
            self.rect(x, self.y + 2, length, LINE - 4,
                      OURS if peer == "batch_run" else OTHERS)
            # From the smallest to the largest.
            self.rect(x + scale.length(least), self.y + LINE / 2 - 0.5,
                      scale.length(most) - scale.length(least), 1, "#1f2933")
            self.text(x + max(length, scale.length(most)) + 4, self.y + 10,
                      short(middle))
        self.y += LINE

    def row(self, row):
        self.text(MARGIN, self.y + 12, row["title"], "title")
        self.y += HEAD
        if row["reason"]:
            self.text(MARGIN + NAMES + 3, self.y + 10, row["reason"], "note")
            self.y += LINE
        else:
            begin = self.y
            grid = len(self.parts)
            for peer, cell in row["cells"].items():
                self.cell(row, peer, cell)
            self.parts[grid:grid] = self.grid(begin)
        self.y += BLOCK

    def grid(self, begin):
        return ['<path d="M%.1f %.1fV%.1f" stroke="%s"/>' % (
            x + scale.length(10.0 ** decade), begin, self.y, FAINT)
            for x, name, _ in self.panels()
            for scale in [self.scales[name]] for decade in scale.decades()]


def svg(data, figure):
    """figure: as in results.py."""
    picture = Picture(data, figure)
    machine = data["machine"]
    picture.text(MARGIN, 22, "batch_run and its peers", "head")
    picture.text(MARGIN + 220, 22, "%s, %d cores, %s" % (
        machine["cpu"], machine["cores"], machine["date"][:10]), "note")
    for x, _, title in picture.panels():
        picture.text(x, 42, title + ", logarithmic", "note")
    for row in data["rows"]:
        picture.row(row)
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" '
            'width="%d" height="%d">\n%s\n'
            '<rect width="100%%" height="100%%" fill="#fff"/>\n%s\n</svg>\n'
            % (WIDTH, picture.y, WIDTH, picture.y, STYLE,
               "\n".join(picture.parts)))
