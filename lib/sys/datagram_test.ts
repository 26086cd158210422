import { assert, assertEquals, assertThrows } from "@std/assert";
import { openDatagramSocket, Peer, receiveDatagram, sendDatagram } from "./datagram.ts";
import { SysError } from "./errno.ts";
import { errorText } from "./libc.ts";
import { closeFd, Io, localAddress } from "./socket.ts";

const EADDRINUSE = 98;
const EINVAL = 22;

function portOf(fd: number): number {
  const bound = localAddress(fd);
  return bound?.family === "tcp" ? bound.port : 0;
}

for (const host of ["127.0.0.1", "::1"]) {
  Deno.test(`openDatagramSocket() binds ${host}, and answers come back to who asked`, () => {
    const [server, client] = [openDatagramSocket(host, 0), openDatagramSocket(host, 0)];
    assert(server > 0 && client > 0, errorText(-server));
    const buffer = new Uint8Array(256);
    const peer = new Peer();
    assertEquals(receiveDatagram(server, buffer, peer), Io.AGAIN);
    // The client learns the server's address from the server, which sends to the client first.
    const other = new Peer();
    sendTo(server, portOf(client), host);
    assertEquals(receiveDatagram(client, buffer, other), 3);
    assertEquals(sendDatagram(client, new Uint8Array(200).fill(7), 100, other), 100);
    assertEquals([receiveDatagram(server, buffer, peer), buffer[99], buffer[100]], [100, 7, 0]);
    assertEquals(sendDatagram(server, buffer, 0, peer), 0, "an empty datagram");
    assertEquals(receiveDatagram(client, buffer, other), 0);
    assertEquals(openDatagramSocket(host, portOf(server)), -EADDRINUSE);
    for (const fd of [server, client]) closeFd(fd);
  });
}

/** Sends three bytes to a port of `host`. */
function sendTo(fd: number, port: number, host: string): void {
  const peer = new Peer();
  const isIpv6 = host.includes(":");
  peer.address.set([isIpv6 ? 10 : 2, 0, port >> 8, port & 255]);
  peer.address.set(isIpv6 ? [1] : [127, 0, 0, 1], isIpv6 ? 23 : 4);
  peer.length[0] = isIpv6 ? 28 : 16;
  const sent = sendDatagram(fd, new Uint8Array(64), 3, peer);
  assertEquals(sent, port === 0 ? Io.GONE : 3);
}

Deno.test("sendDatagram() gives up on a peer that cannot be sent to", () => {
  const fd = openDatagramSocket("127.0.0.1", 0);
  sendTo(fd, 0, "127.0.0.1");
  closeFd(fd);
});

Deno.test("receiveDatagram() throws SysError for a descriptor that is not open", () => {
  const call = () => receiveDatagram(9999, new Uint8Array(64), new Peer());
  assertThrows(call, SysError, "recvfrom on descriptor 9999: errno 9");
});

Deno.test("openDatagramSocket() tells why an address cannot be bound", () => {
  assertEquals(openDatagramSocket("no-number", 0), -EINVAL);
  const code = openDatagramSocket("192.0.2.1", 0); // Of TEST-NET-1: nobody's own.
  assertEquals(errorText(-code), "Cannot assign requested address");
});
