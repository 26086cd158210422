"""Sends a UDP datagram that claims to come from somewhere else.

Arguments: the sender's address and port, the receiver's, the payload in hexadecimal. Root only.
"""

import socket
import struct
import sys

source, source_port, target, target_port, payload = sys.argv[1:]
data = bytes.fromhex(payload)
family = socket.AF_INET6 if ":" in target else socket.AF_INET
CHECKSUM_AT = 6  # In the header of UDP. IPv4 may leave it out, for IPv6 the kernel fills it in.

with socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_UDP) as sock:
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_CHECKSUM, CHECKSUM_AT)
    sock.bind((source, 0))
    ports = int(source_port), int(target_port)
    sock.sendto(struct.pack("!HHHH", *ports, 8 + len(data), 0) + data, (target, 0))
