# SPDX-License-Identifier: GPL-3.0-or-later
"""fakeagent: an ssh-agent that holds a key, but does not sign with it.

usage: fakeagent.py SOCKET PUBLIC_KEY_FILE hang|refuse

Each request to sign is a line in SOCKET.log. draft-miller-ssh-agent.
"""
import base64
import socket
import struct
import sys
import threading

FAILURE, LIST, KEYS, SIGN = 5, 11, 12, 13


def string(data):
    return struct.pack(">I", len(data)) + data


def receive(conn, size):
    data = b""
    while len(data) < size:
        more = conn.recv(size - len(data))
        if not more:
            sys.exit()  # of this thread
        data += more
    return data


def serve(conn, path, key, mode):
    while True:
        size, = struct.unpack(">I", receive(conn, 4))
        kind = receive(conn, size)[0]
        if kind == LIST:
            conn.sendall(string(bytes([KEYS]) + struct.pack(">I", 1) +
                                string(key) + string(b"fake")))
            continue
        if kind == SIGN:
            with open(path + ".log", "a") as f:
                print("sign", file=f)
        if mode == "refuse":
            conn.sendall(string(bytes([FAILURE])))


def main():
    path, key_file, mode = sys.argv[1:]
    key = base64.b64decode(open(key_file).read().split()[1])
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(16)
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=serve, args=(conn, path, key, mode),
                         daemon=True).start()


main()
