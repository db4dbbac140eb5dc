# SPDX-License-Identifier: GPL-3.0-or-later
"""fakehost: a TCP server that does to a client what no real sshd would.

usage: fakehost.py NAME MODE [ARGUMENT]...

Listens on 127.0.0.1 at a free port, which is written to NAME.port. Each
connection is a line in NAME.log. Modes:

  silent           accept, say nothing
  say TEXT         send TEXT (with \\r\\n escapes), then close
  say-hold TEXT    send TEXT, then nothing more
  drip             a byte now and then, never a whole banner
  flood            lines before the banner, without end, as fast as they go
  full             never accept, the queue is full: connecting hangs
  proxy-after TEXT HOST PORT
                   send TEXT, then as proxy
  first COUNT TEXT HOST PORT
                   send TEXT to the first COUNT connections and close them,
                   then as proxy
  damage BIT STEP HOST PORT
                   as proxy, but of what HOST sends on the n-th connection, a
                   bit is wrong: BIT (1, 2, 4 ... 128) of byte (n - 1) * STEP
  proxy HOST PORT  pass on to HOST:PORT; once the file NAME.cut exists, drop
                   the connection; while NAME.stall exists, pass nothing
"""
import os
import select
import socket
import sys
import threading
import time


def hold(conn):
    """Read until the client closes."""
    while conn.recv(65536):
        pass


def drip(conn):
    text = b"x" * 40 + b"\n"
    while True:
        for i in range(len(text)):
            conn.sendall(text[i:i + 1])
            time.sleep(0.1)


def flood(conn):
    text = b"no banner yet\r\n" * 1000
    while True:
        conn.sendall(text)


def damaged(data, bit, at):
    """The data with a wrong bit in its byte number at, if it has that."""
    if 0 <= at < len(data):
        data = data[:at] + bytes([data[at] ^ bit]) + data[at + 1:]
    return data


def proxy(conn, name, host, port, bit=0, damage_at=-1):
    upstream = socket.create_connection((host, port))
    peer = {conn: upstream, upstream: conn}
    while True:
        if os.path.exists(name + ".cut"):
            break
        if os.path.exists(name + ".stall"):
            time.sleep(0.05)
            continue
        for ready in select.select([conn, upstream], [], [], 0.05)[0]:
            data = ready.recv(65536)
            if not data:
                return
            if ready is upstream:
                length = len(data)
                data = damaged(data, bit, damage_at)
                damage_at -= length
            peer[ready].sendall(data)


def serve(conn, name, mode, args, nth):
    try:
        if mode == "first" and nth <= int(args[0]):
            mode, args = "say", args[1:]
        if mode in ("say", "say-hold", "proxy-after"):
            conn.sendall(args[0].encode().decode("unicode_escape")
                         .encode("latin-1"))
        if mode in ("silent", "say-hold"):
            hold(conn)
        elif mode == "drip":
            drip(conn)
        elif mode == "flood":
            flood(conn)
        elif mode == "damage":
            proxy(conn, name, args[-2], int(args[-1]),
                  int(args[0]), (nth - 1) * int(args[1]))
        elif mode in ("proxy", "proxy-after", "first"):
            proxy(conn, name, args[-2], int(args[-1]))
    except OSError:
        pass
    conn.close()


def main():
    name, mode, *args = sys.argv[1:]
    modes = ("silent", "say", "say-hold", "drip", "flood", "full",
             "proxy-after", "proxy", "first", "damage")
    if mode not in modes:
        sys.exit("fakehost: unknown mode " + mode)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    if mode == "full":
        listener.listen(0)
        address = listener.getsockname()
        queued = []
        for _ in range(4):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(address)
            queued.append(s)
        time.sleep(0.2)
    else:
        listener.listen(512)
    with open(name + ".port.new", "w") as f:
        print(listener.getsockname()[1], file=f)
    os.rename(name + ".port.new", name + ".port")
    if mode == "full":
        while True:
            time.sleep(3600)
    nth = 0
    while True:
        conn, peer = listener.accept()
        nth += 1
        with open(name + ".log", "a") as f:
            print(peer[1], file=f)
        threading.Thread(target=serve, args=(conn, name, mode, args, nth),
                         daemon=True).start()


main()
