import { assertEquals, assertThrows } from "@std/assert";
import { assert } from "../base/assert.ts";
import { Epoll, EpollEvent } from "./epoll.ts";
import { SysError } from "./errno.ts";
import { DOORBELL_EVENTS, openEventFd, ring } from "./eventfd.ts";
import {
  accept,
  closeFd,
  Io,
  listeningAddress,
  localAddress,
  outcomeOf,
  peerAddress,
  recvInto,
  sendFrom,
} from "./socket.ts";

const buffer = () => new Uint8Array(256);

Deno.test("recvInto() throws SysError with EBADF for a descriptor that is not open", () => {
  assertThrows(() => recvInto(9999, buffer(), 8), SysError, "recv on descriptor 9999: errno 9");
});

Deno.test("outcomeOf() blames the network for whatever is not a bug here", () => {
  // What ICMP and routes say comes up when the kernel gives a connection up.
  const [EACCES, EINVAL, ENONET, ECONNREFUSED, ECONNRESET, ETIMEDOUT] = [13, 22, 64, 111, 104, 110];
  for (const code of [EACCES, EINVAL, ENONET, ECONNREFUSED, ECONNRESET, ETIMEDOUT]) {
    assertEquals(outcomeOf(code, "recv", 5), Io.GONE);
  }
  const [EAGAIN, EINTR, ENOBUFS] = [11, 4, 105];
  for (const code of [EAGAIN, EINTR, ENOBUFS]) assertEquals(outcomeOf(code, "recv", 5), Io.AGAIN);
  const [EBADF, EFAULT, ENOTSOCK] = [9, 14, 88];
  for (const code of [EBADF, EFAULT, ENOTSOCK]) {
    assertThrows(() => outcomeOf(code, "recv", 5), SysError);
  }
});

Deno.test("localAddress() and peerAddress() name both ends, IPv6 as inet_ntop does", async () => {
  using listener = Deno.listen({ hostname: "::1", port: 0 });
  const { port } = listener.addr;
  const listenFd = Array.from({ length: 200 }, (_, fd) => fd).find((fd) => {
    const address = listeningAddress(fd);
    return address?.family === "tcp" && address.port === port;
  });
  assert(listenFd !== undefined, "found");
  using client = await Deno.connect({ hostname: "::1", port });
  const fd = accept(listenFd);
  assertEquals(localAddress(fd), { family: "tcp", port, address: "::1" });
  const { port: clientPort } = client.localAddr as Deno.NetAddr;
  assertEquals(peerAddress(fd), { family: "tcp", port: clientPort, address: "::1" });
  closeFd(fd);
  assertEquals([localAddress(9999), peerAddress(listenFd)], [undefined, undefined]);
});

Deno.test("listeningAddress() names a listening socket and nothing else", () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const found = Array.from({ length: 200 }, (_, fd) => listeningAddress(fd))
    .filter((address) => address?.family === "tcp" && address.port === port);
  assertEquals(found, [{ family: "tcp", port, address: "127.0.0.1" }]);
  assertEquals(listeningAddress(0), undefined);
});

Deno.test("accept(), recvInto() and sendFrom() move bytes, and say when they cannot", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const listenFd = Array.from({ length: 200 }, (_, fd) => fd).find((fd) => {
    const address = listeningAddress(fd);
    return address?.family === "tcp" && address.port === port;
  });
  assert(listenFd !== undefined, "found");
  assertEquals(accept(listenFd), Io.AGAIN);
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  const fd = accept(listenFd);
  assert(fd > 0, "accepted");
  assertEquals(recvInto(fd, buffer(), 256), Io.AGAIN);
  await client.write(new Uint8Array([1, 2, 3]));
  const bytes = buffer();
  assertEquals([recvInto(fd, bytes, 2), bytes[0], bytes[1]], [2, 1, 2]);
  assertEquals(recvInto(fd, bytes, 256), 1);
  assertEquals(sendFrom(fd, bytes, 5), 5);
  client.close();
  assert([0, Io.GONE].includes(recvInto(fd, bytes, 256)), "the client is gone");
  closeFd(fd);
});

Deno.test("Epoll.wait() names the descriptor that is ready: each time, or once a ring", () => {
  const epoll = new Epoll();
  const [bell, other] = [openEventFd(), openEventFd()];
  epoll.add(bell, EpollEvent.IN);
  epoll.add(other, EpollEvent.IN);
  assertEquals(epoll.wait(0), 0);
  ring(bell);
  ring(bell);
  assertEquals([epoll.wait(0), epoll.fdAt(0), epoll.eventsAt(0)], [1, bell, EpollEvent.IN]);
  assertEquals(epoll.wait(0), 1, "level-triggered: still ready");
  epoll.change(bell, DOORBELL_EVENTS);
  assertEquals(epoll.wait(0), 1, "what is there counts as new");
  assertEquals(epoll.wait(0), 0, "edge-triggered: told once");
  for (let times = 0; times < 3; times++) {
    ring(bell);
    assertEquals([epoll.wait(0), epoll.fdAt(0)], [1, bell], "and again for each ring");
    assertEquals(epoll.wait(0), 0);
  }
  epoll.remove(bell);
  ring(bell);
  assertEquals(epoll.wait(0), 0);
  for (const fd of [bell, other]) closeFd(fd);
  epoll.close();
});
