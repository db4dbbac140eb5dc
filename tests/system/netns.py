# SPDX-License-Identifier: GPL-3.0-or-later
"""netns: runs a command in a network that has a fault.

usage: netns.py MODE COMMAND...   in a network namespace of its own (unshare -n)

  nothing      no interface is up, there is no route to anywhere
  silent-dns   loopback is up, and a name server there says nothing; it is to
               be 127.0.0.53 in resolv.conf
"""
import fcntl
import os
import socket
import struct
import sys

SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def main():
    mode, *command = sys.argv[1:]
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if mode == "silent-dns":
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sH14s", b"lo", IFF_UP, b""))
        s.bind(("127.0.0.53", 53))
        os.set_inheritable(s.fileno(), True)
    elif mode != "nothing":
        sys.exit("netns: unknown mode " + mode)
    os.execvp(command[0], command)


main()
