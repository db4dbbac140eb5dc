# SPDX-License-Identifier: GPL-3.0-or-later
"""link: an emulated long line between two network namespaces.

usage: link.py READY_FILE    as root, until it is killed

netem would do the same, but is missing from the kernels of many clouds; a TUN
device is not. In each namespace all that is sent to the other side goes into
such a device; this program carries it across, DELAY_S later, and loses LOSS of
the packets. The bandwidth is not limited.

On the client's side NETWORK, though 127.x, is reached through the link; on the
server's side its addresses are local, as always. READY_FILE gets two lines, the
namespaces of server and client, for nsenter --net=.
"""
import collections
import ctypes
import fcntl
import os
import random
import select
import struct
import subprocess
import sys
import time

DELAY_S = 0.025
LOSS = 0.001
MTU = 1500
QUEUE_PACKETS = 10000
NETWORK = "127.77.0.0/16"
SERVER, CLIENT = "192.0.2.1", "192.0.2.2"
# So many packets at once, before others are passed on.
BURST = 64

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x1, 0x1000
DEVICE = "tun0"


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


def new_end(address):
    """A namespace of its own, for this process too, with its end of the link.
    Returns the descriptor whose packets are the namespace's."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        sys.exit("unshare: " + os.strerror(ctypes.get_errno()))
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack(
        "16sH22x", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
    ip("link", "set", "lo", "up")
    ip("addr", "add", address + "/24", "dev", DEVICE)
    ip("link", "set", "dev", DEVICE, "mtu", str(MTU), "txqueuelen",
       str(QUEUE_PACKETS), "up")
    for name, value in ("route_localnet", "1"), ("rp_filter", "0"):
        with open("/proc/sys/net/ipv4/conf/all/" + name, "w") as f:
            f.write(value)
    return fd


def receive(fd, queue, chance):
    for _ in range(BURST):
        try:
            packet = os.read(fd, MTU)
        except BlockingIOError:
            return
        if chance.random() >= LOSS:
            queue.append((time.monotonic() + DELAY_S, packet))


def deliver(queue, fd):
    while queue and queue[0][0] <= time.monotonic():
        os.write(fd, queue.popleft()[1])


def carry(server, client):
    chance = random.Random(1)
    ways = [(server, client, collections.deque()),
            (client, server, collections.deque())]
    while True:
        due = [queue[0][0] for _, _, queue in ways if queue]
        timeout = max(0, min(due) - time.monotonic()) if due else None
        ready, _, _ = select.select([server, client], [], [], timeout)
        for source, sink, queue in ways:
            if source in ready:
                receive(source, queue, chance)
            deliver(queue, sink)


def main():
    server = new_end(SERVER)
    # Open, so that the namespace stays.
    namespace = os.open("/proc/self/ns/net", os.O_RDONLY)
    client = new_end(CLIENT)
    ip("route", "add", "unicast", NETWORK, "dev", DEVICE, "src", CLIENT,
       "table", "local")
    with open(sys.argv[1] + ".new", "w") as f:
        f.write("/proc/%d/fd/%d\n/proc/%d/ns/net\n" % (
            os.getpid(), namespace, os.getpid()))
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    carry(server, client)


main()
