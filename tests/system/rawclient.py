# SPDX-License-Identifier: GPL-3.0-or-later
"""rawclient: a TCP client that speaks as little SSH as a test needs.

usage: rawclient.py PORT HONEST

Each line of stdin is "ADDRESS SEND LIMIT": connect to ADDRESS, send nothing
("-"), a banner ("banner"), or a banner and the head of a KEXINIT ("kexinit"),
and read until LIMIT bytes came or the end. Prints "ADDRESS END COUNT TEXT" for
each, where TEXT is what came, as Python writes it, and END is one of

  refused  there was no connection
  syn      there is none yet
  eof, reset
  more     LIMIT bytes came, and others
  open     LIMIT bytes came, and no others

Before it says "syn" or "open", the server has answered a later connection to
HONEST, an address at which it sends a banner.
"""
import socket
import struct
import sys

SYN_SENT = 2  # linux/tcp_states.h
BANNER = b"SSH-2.0-rawclient\r\n"
KEXINIT = struct.pack(">IBB", 42, 0, 20) + bytes(40)
SENDS = {"-": b"", "banner": BANNER, "kexinit": BANNER + KEXINIT}


def sync(honest):
    """Wait until the server has answered another connection."""
    with socket.create_connection(honest) as s, s.makefile("rb") as f:
        if not f.readline().startswith(b"SSH-2.0-"):
            raise SystemExit("there is no honest host")


def is_connecting(s):
    return s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == SYN_SENT


def probe(s, address, honest, send, limit, data):
    """Append to data what comes; return how it ends."""
    s.setblocking(False)
    s.connect_ex(address)
    sync(honest)
    if is_connecting(s):
        return "syn"
    s.setblocking(True)
    if send:
        s.sendall(send)
    while len(data) < limit:
        piece = s.recv(limit - len(data))
        if not piece:
            return "eof"
        data += piece
    sync(honest)
    try:
        return "more" if s.recv(1, socket.MSG_DONTWAIT) else "eof"
    except BlockingIOError:
        return "open"


def main():
    port, honest = int(sys.argv[1]), sys.argv[2]
    for line in sys.stdin:
        address, send, limit = line.split()
        data = bytearray()
        with socket.socket() as s:
            try:
                end = probe(s, (address, port), (honest, port), SENDS[send],
                            int(limit), data)
            except ConnectionResetError:
                end = "reset"
            except ConnectionRefusedError:
                end = "refused"
        print(address, end, len(data), repr(bytes(data[:60]))[2:-1])


main()
