import { assert, assertEquals, assertRejects } from "@std/assert";
import { bindInternet, bindUnix, listenOn } from "./bind.ts";
import { Errno } from "./errno.ts";
import { errorText } from "./libc.ts";
import { closeFd, localAddress } from "./socket.ts";

const HOSTS = ["127.0.0.1", "::1"] as const;

/** Binds, or fails. */
function bind(...[kind, host, port, isDual]: Parameters<typeof bindInternet>): number {
  const fd = bindInternet(kind, host, port, isDual);
  assert(fd >= 0, errorText(-fd));
  return fd;
}

function portOf(fd: number): number {
  const bound = localAddress(fd);
  return bound?.family === "tcp" ? bound.port : 0;
}

for (const hostname of HOSTS) {
  Deno.test(`a socket bound to ${hostname} takes nobody before it listens`, async () => {
    const fd = bind("stream", hostname, 0);
    const port = portOf(fd);
    await assertRejects(() => Deno.connect({ hostname, port }), Deno.errors.ConnectionRefused);
    assertEquals(listenOn(fd, 8), 0);
    (await Deno.connect({ hostname, port })).close();
    closeFd(fd);
  });

  Deno.test(`one of two sockets bound to ${hostname} can listen, and none beside it`, () => {
    const first = bind("stream", hostname, 0);
    const second = bind("stream", hostname, portOf(first));
    assertEquals([listenOn(first, 8), listenOn(second, 8)], [0, -Errno.EADDRINUSE]);
    assertEquals(bindInternet("stream", hostname, portOf(first)), -Errno.EADDRINUSE);
    for (const fd of [first, second]) closeFd(fd);
  });
}

Deno.test("bindInternet() keeps IPv6 to itself, unless it is to take both", async () => {
  const v4 = bind("stream", "0.0.0.0", 0);
  const port = portOf(v4);
  assertEquals(listenOn(v4, 8), 0);
  assertEquals(bindInternet("stream", "::", port, true), -Errno.EADDRINUSE);
  const v6 = bind("stream", "::", port);
  assertEquals(listenOn(v6, 8), 0);
  closeFd(v4);
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }));
  closeFd(v6);
  const both = bind("stream", "::", port, true);
  assertEquals(listenOn(both, 8), 0);
  for (const hostname of HOSTS) (await Deno.connect({ hostname, port })).close();
  closeFd(both);
});

const BAD_ADDRESSES: readonly (readonly [host: string, errno: number])[] = [
  ["no-number", Errno.EINVAL],
  ["300.1.1.1", Errno.EINVAL],
  ["192.0.2.1", Errno.EADDRNOTAVAIL], // Of TEST-NET-1: nobody's own.
  ["2001:db8::1", Errno.EADDRNOTAVAIL],
  ["fe80::1%no-such-interface", Errno.ENODEV],
];

for (const [host, code] of BAD_ADDRESSES) {
  Deno.test(`bindInternet() tells why ${host} cannot be bound`, () => {
    assertEquals(bindInternet("stream", host, 0), -code);
  });
}

Deno.test("bindInternet() knows interfaces by name and by number", () => {
  for (const scope of ["lo", "1"]) closeFd(bind("stream", `::1%${scope}`, 0));
});

Deno.test("bindUnix() makes a socket that takes nobody yet, where nothing is", async () => {
  const folder = Deno.makeTempDirSync({ dir: "/tmp", prefix: "memden-" });
  const path = `${folder}/sock`;
  const fd = bindUnix(path);
  assert(fd >= 0, errorText(-fd));
  const connect = () => Deno.connect({ transport: "unix", path });
  await assertRejects(connect, Deno.errors.ConnectionRefused);
  assertEquals(listenOn(fd, 8), 0);
  (await connect()).close();
  assertEquals(bindUnix(path), -Errno.EADDRINUSE);
  assertEquals(bindUnix(`${folder}/${"x".repeat(120)}`), -Errno.ENAMETOOLONG);
  closeFd(fd);
  Deno.removeSync(folder, { recursive: true });
});
