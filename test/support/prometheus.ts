import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach } from 'vitest';
import { tempFolder } from './cli.ts';
import { eventually } from './eventually.ts';
import { get } from './http-requests.ts';

/** Debian's package `prometheus` brings both. */
export const hasPrometheus =
  spawnSync('prometheus', ['--version']).status === 0 && spawnSync('promtool', ['--version']).status === 0;

export interface Prometheus {
  /** Where it answers: `http://127.0.0.1:9090` */
  readonly url: string;
  /** What a query in PromQL gives now: each series' value, by its labels. */
  query(
    promql: string,
  ): Promise<readonly { readonly labels: Readonly<Record<string, string>>; readonly value: string }[]>;
}

const started = new Set<ChildProcess>();

afterEach(async () => {
  await Promise.all(
    [...started].map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }),
  );
  started.clear();
});

/** JSON is YAML, too. */
function configFile(folder: string, target: string, token: string | undefined): string {
  const file = path.join(folder, 'prometheus.yml');
  const authorization = token === undefined ? {} : { authorization: { credentials: token } };
  const job = { job_name: 'faultline', static_configs: [{ targets: [target] }], ...authorization };
  const config = { global: { scrape_interval: '1s', scrape_timeout: '1s' }, scrape_configs: [job] };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

interface QueryAnswer {
  readonly data: { readonly result: readonly { metric: Record<string, string>; value: readonly [number, string] }[] };
}

/** A Prometheus of the test's own that scrapes `target` each second; it is ended after the test. */
export async function startPrometheus(target: string, token?: string): Promise<Prometheus> {
  const folder = tempFolder();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${configFile(folder, target, token)}`,
      `--storage.tsdb.path=${path.join(folder, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder },
  );
  started.add(child);
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (log += piece));
  const address = (): string | undefined => /msg="Listening on" address=(\S+)/u.exec(log)?.[1];
  await eventually('prometheus listens', () => {
    if (child.exitCode !== null) throw new Error(`prometheus has ended:\n${log}`);
    return address() !== undefined;
  });
  const url = `http://${address() ?? ''}`;
  return Object.freeze<Prometheus>({
    url,
    query: async (promql) => {
      const { status, body } = await get(`${url}/api/v1/query?query=${encodeURIComponent(promql)}`);
      if (status !== 200) return []; // it is still reading its files
      const { data } = body as QueryAnswer;
      return data.result.map(({ metric, value }) => ({ labels: metric, value: value[1] }));
    },
  });
}

/** What promtool finds wrong with metrics in the text format; nothing when all is well. */
export function checkMetrics(text: string): string {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}exit code ${status}`;
}
