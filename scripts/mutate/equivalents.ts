// Changes that nobody can see: they cost time or memory only, or two ways lead to the same. Each
// with the reason; mutate.ts does not make them. A row whose line is gone is a finding.

/** Changes to one line that cannot be seen. */
export interface Equivalent {
  readonly path: string;
  /** The line as it is, without the blanks around it. */
  readonly before: string;
  /** As it is changed; empty for a statement that is left out. */
  readonly after: string;
  readonly why: string;
}

/** All of them, in order of path and line. */
export const EQUIVALENTS: readonly Equivalent[] = [];
