// Starts a server in this process, counts an item that is not there in its memory, has the store
// checked, and prints how the server ended. Run by store_check_test.ts as a process of its own.
// deno-lint-ignore-file no-console

import { settingsFrom } from "../../lib/config/settings.ts";
import { parseCommandLine } from "../../lib/config/parse.ts";
import { openControl } from "../../lib/memory/regions.ts";
import { openLog } from "../../lib/server/process/log_output.ts";
import { descriptorsFor } from "../../lib/server/listen/descriptors.ts";
import { startServer } from "../../lib/server/start_server.ts";
import { shapeOf } from "../../lib/server/server_memory.ts";
import { Counters } from "../../lib/stats/counters.ts";
import { ClassCounter } from "../../lib/stats/names.ts";
import { planStore } from "../../lib/store/plan.ts";

const made: SharedArrayBuffer[] = [];

/** Remembers each buffer: the server shows its memory to nobody. */
class RememberedBuffer extends SharedArrayBuffer {
  constructor(bytes: number) {
    super(bytes);
    made.push(this);
  }
}

const commandLine = parseCommandLine(["-l", "127.0.0.1", "-p", "-1", "-t", "1"]);
if (commandLine.action !== "serve") throw new Error("Not a command line that serves");
const settings = settingsFrom(commandLine.raw, {});
globalThis.SharedArrayBuffer = RememberedBuffer as unknown as SharedArrayBufferConstructor;
const server = await startServer(settings, openLog(0));
const shape = shapeOf({ ...settings, transport: "native" }, descriptorsFor(settings));
const { regions } = planStore(shape);
const memory = made.find(({ byteLength }) => byteLength === regions.bytes);
if (memory === undefined) throw new Error("The server made no control memory");
new Counters(openControl(memory, regions), 0).addClass(1, ClassCounter.NUMBER, 1);
server.checkStore();
console.log(JSON.stringify(await server.ended));
Deno.exit(0);
