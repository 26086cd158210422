// Calls of the runtime whose failure is an ordinary outcome.

/** What a call gives or throws: an address in use, or a missing file. */
export function tryCall<T>(call: () => T): T | Error {
  try {
    return call();
    // The runtime reports an address in use by throwing.
  } catch (error) {
    return error as Error;
  }
}
