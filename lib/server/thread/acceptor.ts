// Entry of the acceptor.

import { CLOCK_START } from "../../base/clock.ts";
import { openThread } from "../../store/plan.ts";
import type { AcceptorStart } from "../channel/notify.ts";
import { serveThread } from "../channel/thread_scope.ts";
import { AcceptLoop } from "./accept_loop.ts";

serveThread<AcceptorStart>((start, report) => {
  const { control, counters } = openThread(
    start.plan,
    { control: start.control, segments: [], buckets: new ArrayBuffer(0) },
    0,
    { startUnix: 0, now: CLOCK_START },
  );
  const loop = new AcceptLoop(start, control, counters, () => performance.now());
  report({ type: "ready" });
  loop.run();
});
