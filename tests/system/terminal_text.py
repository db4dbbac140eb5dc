# SPDX-License-Identifier: GPL-3.0-or-later
"""terminal_text: what a hostile host might print, and whether a terminal is safe
from what came of it.

usage: terminal_text.py lines COUNT           the attacks, and COUNT random texts,
                                              each with a newline, to stdout
       terminal_text.py names COUNT FOLDER    files with such names
       terminal_text.py values COUNT          as text values of simhost's scripts
       terminal_text.py count FILE            how many lines FILE has to one who
                                              takes CR, LF and CR LF as ends
       terminal_text.py check FILE [REGEX]    what a terminal got: see below

check fails if FILE has anything but characters that a terminal only shows,
tabs, newlines, our own colours, and our progress. With REGEX each line has to
match that, without its colours, or be one of ours; tells how many match.
"""
import os
import random
import re
import sys

SEED = 7
ESC = b"\x1b"

# Known attacks, and what they are made of.
ATTACKS = [
    # OSC: clipboard, titles, hyperlinks, colours, notifications, files
    ESC + b"]52;c;ZXZpbAo=\x07", ESC + b"]52;p;?" + ESC + b"\\",
    ESC + b"]0;title\x07", ESC + b"]2;title" + ESC + b"\\",
    ESC + b"]8;;https://evil.example/" + ESC + b"\\link" + ESC + b"]8;;" +
    ESC + b"\\",
    ESC + b"]4;1;?\x07", ESC + b"]10;?\x07", ESC + b"]11;#000000\x07",
    ESC + b"]9;note\x07", ESC + b"]777;notify;a;b\x07",
    ESC + b"]50;xft\x07", ESC + b"]7;file://host/\x07",
    ESC + b"]1337;File=name=eA==;inline=1:AAAA\x07",
    # questions that a terminal answers as if typed: title, DECRQSS, DA, DSR...
    ESC + b"[21t", ESC + b"[20t", ESC + b"P$q\"p" + ESC + b"\\",
    ESC + b"P$qm\nid\n" + ESC + b"\\", ESC + b"P+q544e" + ESC + b"\\",
    ESC + b"[c", ESC + b"[>c", ESC + b"[=c", ESC + b"Z", b"\x05",
    ESC + b"[5n", ESC + b"[6n", ESC + b"[?6n", ESC + b"[?1$p", ESC + b"[>q",
    # the screen: erasing, moving, another one, modes, keys, reset
    ESC + b"[2J", ESC + b"[3J", ESC + b"[1A" + ESC + b"[2Kspoofed",
    ESC + b"[1;1Hspoofed", ESC + b"M", ESC + b"D", ESC + b"7" + ESC + b"8",
    ESC + b"[?1049h", ESC + b"[?47h", ESC + b"[?25l", ESC + b"[?5h",
    ESC + b"[?2004h", ESC + b"[201~", ESC + b"[?1000h", ESC + b"[4h",
    ESC + b"[20h", ESC + b"[1;2r", ESC + b"(0lqk", ESC + b"#8", ESC + b"c",
    ESC + b"[!p", ESC + b"[8;1;1t", ESC + b"[8m", ESC + b"[30;40mhidden",
    ESC + b"[31mred", ESC + b"[0m", ESC + b"P1;1|17/6964" + ESC + b"\\",
    ESC + b"P0;1;0q#0~-" + ESC + b"\\", ESC + b"_apc" + ESC + b"\\",
    ESC + b"^pm" + ESC + b"\\", ESC + b"Xsos" + ESC + b"\\",
    # lines that overwrite others, or look like others
    b"shown\rhidden", b"shown\b\b\b\b\bhidden", b"a\x0bb\x0cc", b"a\x0eb\x0fc",
    b"web02: ok\r\n2 hosts: 2 ok (0.1 s)", b"\r" + ESC + b"[J", b"\r\r\n",
    b"\x00", b"before\x00after", b"\x7f\x7f\x7f", b"\x18\x1a", ESC, b"\x07",
    # C1 controls, as bytes and as characters; NEL
    b"\x9b2J", b"\x9d0;title\x9c", b"\x90$qm\x9c", b"\x85", b"\x84\x8d\x8e",
    b"\xc2\x9b2J", b"\xc2\x9d0;title\xc2\x9c", b"\xc2\x85", b"\xc2\x90",
    # text that runs backwards, or is not there
    "\u202egnp.exe", "\u202dltr\u202c", "\u2066a\u2069", "\u2067b\u2068c",
    "\u061c\u200e\u200f", "no\u200bthing\u200c\u200d\u2060", "\ufefftext",
    "so\u00adft", "\u2028line\u2029paragraph", "\ufff9a\ufffab\ufffb",
    "\U000e0041\U000e0042\U000e007f", "\u180e", "\u206a\u206f",
    # floods of what takes no column, which are text
    "e" + "\u0301" * 300, "\U0001f468" + "\ufe0f" * 100,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    # no UTF-8: overlong, surrogates, too large, cut, alone
    b"\xc0\x9b[2J", b"\xe0\x80\x9b[2J", b"\xf0\x80\x80\x9b[2J", b"\xc0\x80",
    b"\xed\xa0\x80\xed\xb0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80",
    b"\xe2\x80", b"\xe2\x1b[2J", b"\x80\xbf", b"\xff\xfe",
]
ATTACKS = [a.encode() if isinstance(a, str) else a for a in ATTACKS]

PIECES = [ESC, ESC + b"[", ESC + b"]", ESC + b"P", ESC + b"\\", b"\x9b", b"\x9d",
          b"\x9c", b"\x90", b"\xc2", b"\xe2\x80", b"\x07", b"\r", b"\n", b"\r\n",
          b"\t", b"\b", b";", b"?", b"0", b"12", b"52;c;", b"J", b"m", b"h", b"n",
          b"$q", b"web01: ", b"[", b"]", b"\\x1b", b"text"]


def random_text(chance):
    """Bytes, pieces of sequences, characters, or an attack with a bad spot."""
    kind = chance.randrange(4)
    length = chance.randrange(1, 40)
    if kind == 0:
        return chance.randbytes(length)
    if kind == 1:
        return b"".join(chance.choices(PIECES, k=length))
    if kind == 2:
        limits = chance.choices([0x100, 0x3000, 0x10000, 0x110000], k=length)
        return "".join(chr(chance.randrange(limit)) for limit in limits).encode(
            "utf-8", "surrogatepass")
    text = bytearray(chance.choice(ATTACKS))
    text[chance.randrange(len(text))] = chance.randrange(256)
    return bytes(text) + chance.choice(ATTACKS)


def texts(count):
    chance = random.Random(SEED)
    return ATTACKS + [random_text(chance) for _ in range(count)]


def print_lines(count):
    sys.stdout.buffer.write(b"".join(text + b"\n" for text in texts(count)))


def make_names(count, folder):
    for text in texts(count):
        name = text.replace(b"/", b"").replace(b"\0", b"")[:200]
        if name not in (b"", b".", b".."):
            with open(os.path.join(folder.encode(), name), "wb") as f:
                f.write(b"x\n")


def print_values(count):
    for text in texts(count):
        text = text.replace(b"\0", b"").replace(b"\n", b"")[:200]
        if text:
            print("".join("\\x%02x" % byte for byte in text))


def print_count(path):
    with open(path, "rb") as f:
        print(len(re.findall(rb"\r\n|\r|\n", f.read())))


# --- what a terminal got -----------------------------------------------------

# report/color.h has them all.
COLOR = rb"\x1b\[(?:0|1|31|32|35|36|94|95)m"
# A drawing, and how it is erased (report/progress.h); a terminal has made each
# newline a CR LF.
BAR_LINE = rb"(?:[ -~]|" + COLOR + rb")*"
BAR = re.compile(rb"(?:\A|(?<=\n))(?:" + BAR_LINE + rb"(?:\r\r\n" + BAR_LINE +
                 rb"\x1b\[A)?\r\r\x1b\[J)+")
# C0 but tab and newline, DEL, C1, what changes the direction of text or is no
# part of it.
UNSAFE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f"
                    "\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
                    "\U000e0000-\U000e007f]")
OURS = re.compile(r"\d+ hosts?: .*|batch_(run|scp): .*")


def fail(what, where):
    sys.exit("%s: %r" % (what, where))


def shown_text(data):
    """What is shown, without progress and colours."""
    data = BAR.sub(b"", data).replace(b"\r\n", b"\n")
    data = re.sub(COLOR, b"", data)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        fail("no UTF-8", data[max(0, error.start - 40):error.start + 10])
    found = UNSAFE.search(text)
    if found:
        fail("not for a terminal", text[max(0, found.start() - 60):][:70])
    return text


def check(path, regex=None):
    with open(path, "rb") as f:
        data = f.read()
    lines = shown_text(data).split("\n")
    if lines.pop() != "":
        fail("the last line does not end", data[-60:])
    if regex is None:
        return
    tagged = 0
    for line in lines:
        if re.match(regex, line):
            tagged += 1
        elif not OURS.fullmatch(line):
            fail("a line of nobody", line)
    print(tagged)


def main():
    command, *args = sys.argv[1:]
    if command == "lines":
        print_lines(int(args[0]))
    elif command == "names":
        make_names(int(args[0]), args[1])
    elif command == "values":
        print_values(int(args[0]))
    elif command == "count":
        print_count(args[0])
    elif command == "check":
        check(*args)
    else:
        sys.exit(__doc__)


main()
