// Entry of a worker that speaks plain text: with no word of TLS, for node:tls takes memory in each
// thread, and with no import that comes late, so that a bundle has all of it in one scope.

import type { WorkerStart } from "../channel/notify.ts";
import { serveThread } from "../channel/thread_scope.ts";
import { runWorker } from "./worker_thread.ts";

serveThread<WorkerStart>((start, report) => runWorker(start, report));
