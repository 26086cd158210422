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
 * Makes this module a thread's entry: `run` is called with the first message. When it returns, the
 * thread reports that it has stopped, and ends; when it throws, the main thread learns of it.
 */
export function serveThread<Start>(run: (start: Start, report: ReportFunction) => void): void {
  const scope = globalThis as unknown as WorkerScope<Start>;
  const report: ReportFunction = (message) => scope.postMessage(message);
  scope.onmessage = ({ data }) => {
    scope.onmessage = null;
    run(data, report);
    report({ type: "stopped" });
    scope.close();
  };
}
