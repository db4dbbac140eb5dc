# SPDX-License-Identifier: GPL-3.0-or-later
"""terminal: run a command on a terminal of its own and type into it.

usage: terminal.py [-e REGEX -s TEXT]... -- COMMAND [ARGUMENT]...

What the command shows goes to stdout. When REGEX is shown, TEXT and a newline
are typed ("^C" is the key Ctrl-C, "^Z" Ctrl-Z and so on); each pair once, in
order. Ends with the command's exit status, 128 + n if it died of signal n.
"""
import os
import pty
import re
import sys


def main():
    args = sys.argv[1:]
    script = []
    while args and args[0] == "-e":
        script.append((re.compile(args[1].encode()), args[3].encode()))
        args = args[4:]
    command = args[1:]
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    seen = b""
    while True:
        try:
            data = os.read(fd, 65536)
        except OSError:  # EIO: nobody has the terminal open any more
            break
        if not data:
            break
        os.write(1, data)
        seen += data
        while script:
            found = script[0][0].search(seen)
            if not found:
                break
            text = script.pop(0)[1]
            key = re.fullmatch(rb"\^([A-Z])", text)
            os.write(fd, bytes([key[1][0] - 64]) if key else text + b"\n")
            seen = seen[found.end():]
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        sys.exit(128 + os.WTERMSIG(status))
    sys.exit(os.WEXITSTATUS(status))


main()
