/** How a call ended: -1 and an errno, or what it returned; and after how long. */
export interface Returned {
  readonly result: number;
  readonly errno: number;
  readonly elapsedMs: number;
}

/** What is known of each call; null of one that still waits. */
export type BlockedReport = Readonly<Record<string, Returned | null>>;

/** How long the calls with a time-out wait. */
export const TIMEOUT_MS = 5000;
