// Entry of a worker of a server that has certificates.

import type { WorkerStart } from "../channel/notify.ts";
import { serveThread } from "../channel/thread_scope.ts";
import * as tls from "../tls/tls_transport.ts";
import { runWorker } from "./worker_thread.ts";

serveThread<WorkerStart>((start, report) => runWorker(start, report, tls));
