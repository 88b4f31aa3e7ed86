/** A quantity that a kind of probe tells. */
export interface Measure {
  readonly unit: 'ms' | '%' | 'bytes' | '/s' | '';
  /** What its values are. Only numbers have a unit. */
  readonly type: 'number' | 'text' | 'truth';
  /** One line of help. */
  readonly summary: string;
  /**
   * - `sum`: of all that happened in a window, such as a share or a percentile
   * - `look`: of a single look; in a window each look counts, and the worst is told
   */
  readonly over: 'sum' | 'look';
}

const sum = (unit: Measure['unit'], summary: string): Measure => ({ unit, type: 'number', summary, over: 'sum' });
const look = (unit: Measure['unit'], summary: string): Measure => ({ unit, type: 'number', summary, over: 'look' });
const text = (summary: string): Measure => ({ unit: '', type: 'text', summary, over: 'look' });
const truth = (summary: string): Measure => ({ unit: '', type: 'truth', summary, over: 'look' });

const timed = {
  success: sum('%', 'of all attempts, those that succeeded'),
  failures: sum('', 'attempts that failed'),
  p50: sum('ms', 'the median of how long attempts took; one that failed counts as long as it took'),
  p95: sum('ms', 'the 95th percentile of how long attempts took'),
  p99: sum('ms', 'the 99th percentile of how long attempts took'),
  max: sum('ms', 'the longest attempt'),
};

/** The kinds of probes. */
type ProbeKind = 'http' | 'tcp' | 'command' | 'process' | 'log' | 'prometheus' | 'file';

/** What can be expected of each kind of probe. */
export const measures: Readonly<Record<ProbeKind, Readonly<Record<string, Measure>>>> = Object.freeze({
  http: {
    ...timed,
    rate: sum('/s', 'answers a second that succeeded'),
    status: look('', 'the status of an answer; 0: there was none'),
    body: text('the body of an answer as text, its first 64 KiB'),
  },
  tcp: timed,
  command: {
    ...timed,
    exitCode: look('', 'the exit code; 128 + n: ended by signal n'),
    output: text('what it printed to standard output, its first 64 KiB, without the last end of line'),
  },
  process: {
    count: look('', 'how many processes there are'),
    age: look('ms', 'how long the youngest of them has been running'),
  },
  log: {
    lines: sum('', 'lines that match'),
    rate: sum('/s', 'lines a second that match'),
  },
  prometheus: {
    value: look('', 'the value of the query, which must be one number'),
  },
  file: {
    exists: truth('whether there is such a file: true or false'),
    size: look('bytes', 'its size'),
    age: look('ms', 'how long ago it was modified'),
    content: text('its text, the first 64 KiB, without the last end of line'),
  },
});
