# SPDX-License-Identifier: GPL-3.0-or-later
"""find_secret: search memory and files for secrets.

usage: find_secret.py PID|PATH... <NEEDLES

Each line of NEEDLES is a name and, in hexadecimal, the bytes that are meant.
They are found as the encodings below, and in part too: in files any 16 of them
in a row at an offset of 0, 16, 32, ..., in memory 80, since up to 64 may stand
wherever a vector register was saved that had copied them. Of a process all that
it can read is searched (which takes root), but for what only a file has
written, while it is stopped; of a folder, all files in it.

A line of the result is a name, the encoding, and where that is: a file, or
"locked", in memory that is neither swapped nor dumped, or "open", in other
memory.
"""
import base64
import os
import signal
import sys
import time

FILE_WINDOW = 16
MEMORY_WINDOW = 80
STEP = 16
BLOCK = 1 << 22


def encodings(data):
    yield "raw", data
    yield "reversed", data[::-1]  # a bignum of OpenSSL, little-endian
    yield "hex", data.hex().encode()
    for cut in range(3):  # wherever in the text it began
        text = base64.b64encode(data[cut:])
        yield "base64", text[:len(text) // 4 * 4 - 4]


def windows(data, size):
    if len(data) <= size:
        return [data]
    return [data[i:i + size] for i in range(0, len(data) - size + 1, STEP)]


def make_needles(lines, window):
    needles = []
    for line in lines:
        name, text = line.split()
        for encoding, data in encodings(bytes.fromhex(text)):
            needles += [(name, encoding, piece) for piece in windows(data, window)
                        if piece]
    return needles


def mappings(pid):
    """Yields (begin, end, is_locked) of what can be read."""
    with open("/proc/%d/smaps" % pid) as smaps:
        for line in smaps:
            words = line.split()
            if words[0] == "Anonymous:":
                is_written = words[1] != "0" or is_shared
            elif words[0] == "VmFlags:":
                if is_readable and is_written:
                    flags = set(words[1:])
                    yield begin, end, {"lo", "dd"} <= flags
            elif not words[0].endswith(":"):
                begin, end = (int(x, 16) for x in words[0].split("-"))
                is_shared = "s" in words[1]
                is_readable = "r" in words[1] and words[-1] != "[vvar]"


def search(pid, needles):
    found = set()
    with open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for begin, end, is_locked in mappings(pid):
            tail = b""
            while begin < end:
                try:
                    mem.seek(begin)
                    data = mem.read(min(BLOCK, end - begin))
                except (OSError, OverflowError):
                    break  # a mapping of the kernel's
                if not data:
                    break
                text = tail + data
                for name, encoding, piece in needles:
                    if piece in text:
                        found.add((name, encoding,
                                   "locked" if is_locked else "open"))
                tail = text[-4 * MEMORY_WINDOW:]
                begin += len(data)
    return found


def is_stopped(pid):
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/stat" % (pid, task)) as stat:
            if stat.read().rsplit(")", 1)[1].split()[0] != "T":
                return False
    return True


def search_process(pid, needles):
    os.kill(pid, signal.SIGSTOP)
    try:
        while not is_stopped(pid):
            time.sleep(0.01)
        return search(pid, needles)
    finally:
        os.kill(pid, signal.SIGCONT)


def search_file(path, needles):
    with open(path, "rb") as file:
        text = file.read()
    return {(name, encoding, path) for name, encoding, piece in needles
            if piece in text}


def main():
    lines = sys.stdin.readlines()
    needles = make_needles(lines, FILE_WINDOW)
    found = set()
    for place in sys.argv[1:]:
        if place.isdigit():
            found |= search_process(
                int(place), make_needles(lines, MEMORY_WINDOW))
        elif not os.path.isdir(place):
            found |= search_file(place, needles)
        for folder, _, names in os.walk(place):
            for name in names:
                found |= search_file(os.path.join(folder, name), needles)
    for line in sorted(found):
        print(*line)


if __name__ == "__main__":
    main()
