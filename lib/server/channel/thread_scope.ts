// What the entries of worker threads have in common: take the start message, run, report the end.

import type { Report } from "./notify.ts";

/** What a worker's global scope has. */
interface WorkerScope<Start> {
  onmessage: ((event: MessageEvent<Start>) => void) | null;
  postMessage(report: Report): void;
  close(): void;
}

/** Tells the main thread something. */
export type ReportFunction = (report: Report) => void;

/**
 * Makes this module a thread's entry: `run` is called with the first message. When it returns, or
 * its promise is kept, the thread reports that it has stopped, and ends; when it throws, the main
 * thread learns of it.
 */
export function serveThread<Start>(
  run: (start: Start, report: ReportFunction) => void | Promise<void>,
): void {
  const scope = globalThis as unknown as WorkerScope<Start>;
  const report: ReportFunction = (message) => scope.postMessage(message);
  scope.onmessage = ({ data }) => {
    scope.onmessage = null;
    const stop = () => {
      report({ type: "stopped" });
      scope.close();
    };
    const ended = run(data, report);
    if (ended === undefined) stop();
    else void ended.then(stop);
  };
}
