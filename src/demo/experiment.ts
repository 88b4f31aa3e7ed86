import { apiPath, apiServerName } from './api-server.ts';

/** What stands in for the parts of the experiment that are other each time. */
export interface DemoPlace {
  /** Of the balancer. */
  readonly url: string;
  /** In the command line of the demo's own servers, and of nobody else's. */
  readonly mark: string;
  readonly nginx: boolean;
}

/**
 * The experiment of the demo, as a user would write it.
 *
 * Reads and writes have rates that differ: at the same rate a balancer that takes servers in turn would give all reads
 * to one server and all writes to the other one.
 */
export function demoExperiment({ url, mark, nginx }: DemoPlace): string {
  const balancer = nginx ? 'nginx' : 'a small balancer';
  return `# FizzBuzz as a service: ${balancer} in front of two API servers, on this host alone.
experiment: fizzbuzz-demo
description: One of two servers is killed, and three seconds later the other one hangs for three seconds.
hypothesis: Nobody notices when one of two servers is gone or hangs. Every request is answered, 95 of 100 within 1 s.
steadyState:
  before: 800ms
  after: 2s
  recovery: 15s
  probes:
    reads:
      http: { url: "${url}${apiPath}?number=15", rate: 40/s }
      expect: { success: 100%, p95: { atMost: 1s } }
      window: 1s
    writes:
      http: { url: "${url}${apiPath}?number=15", method: POST, rate: 30/s }
      expect: { success: 100%, p95: { atMost: 1s } }
      window: 1s
    servers:
      process: { name: ${apiServerName}, every: 200ms }
      expect: { count: 2 }
      during: { count: { between: [1, 2] } }
method:
  - wait: 200ms
  - attack: process kill
    name: kill one server
    with: { process: ${apiServerName}, cmdline: "${mark}", mode: one, signal: KILL }
  - wait: 3s
  - attack: process stop
    name: stop the other one
    with: { process: ${apiServerName}, cmdline: "${mark}", oldest: true }
  - wait: 3s
  - recover: stop the other one
  - wait: 1s
blastRadius: { targets: 2, duration: 60s, processes: [${apiServerName}] }
`;
}
