// What the entries of worker threads have in common: take the start message, run, report the end.

import type { Report } from "./notify.ts";

/** What a worker's global scope has. */
interface WorkerScope<Start> {
  onmessage: ((event: MessageEvent<Start>) => void) | null;
  postMessage(report: Report): void;
  close(): void;
}

/** Sends a report to the main thread. */
export type ReportFunction = (report: Report) => void;

/**
 * Makes this module a thread's entry: calls `run` with the first message. When `run` returns, or
 * its promise is fulfilled, the thread reports that it has stopped, and ends. When it throws, the
 * main thread gets an error event.
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
    const running = run(data, report);
    if (running === undefined) stop();
    else void running.then(stop);
  };
}
