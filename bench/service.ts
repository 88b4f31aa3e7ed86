import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { type Figure, median } from './figure.ts';

/*
 * The service as a client meets it: how soon it answers, how long one attack takes with its durable journal, how many
 * it does a second over 16 connections, and what it holds in memory after many. Beside it, in the same run, a bare
 * `node:http` server that does nothing, which is what the same client sees at best.
 */

const script = path.resolve(import.meta.dirname, '../dist/faultline.js');

/** A server that answers every request with nothing done. */
const bareServer =
  "require('node:http').createServer((q, r) => { q.resume(); q.on('end', () => r.end('{}')); })" +
  ".listen(0, '127.0.0.1', function () { console.error('listening on http://127.0.0.1:' + this.address().port); });";

interface Running {
  readonly url: string;
  readonly readyMs: number;
  readonly child: ChildProcess;
}

async function startServer(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Running> {
  const begin = performance.now();
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  let log = '';
  for await (const piece of child.stderr.iterator({ destroyOnReturn: false })) {
    log += String(piece);
    const url = /listening on (\S+)/.exec(log)?.[1];
    if (url === undefined) continue;
    const readyMs = performance.now() - begin;
    child.stderr.resume(); // its log goes nowhere, but it must go
    return { url, readyMs, child };
  }
  throw new Error(`the server did not start: ${log}`);
}

async function end({ child }: Running): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** Processes to stop: children of one shell, which ends them with itself. */
async function sleepers(
  count: number,
): Promise<{ readonly pids: readonly number[]; readonly end: () => Promise<void> }> {
  const loop = 'i=0; while [ $i -lt $0 ]; do sleep 3600 & echo $!; i=$((i+1)); done; wait';
  const shell = spawn('/bin/sh', ['-c', loop, String(count)], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  const pids: number[] = [];
  let rest = '';
  for await (const piece of shell.stdout.iterator({ destroyOnReturn: false })) {
    const lines = (rest + String(piece)).split('\n');
    rest = lines.pop() ?? '';
    pids.push(...lines.map(Number));
    if (pids.length === count) break;
  }
  return {
    pids,
    end: async () => {
      const exited = once(shell, 'exit');
      process.kill(-(shell.pid ?? 0), 'SIGKILL');
      await exited;
    },
  };
}

/** Connections are kept and used again, as a client library does. */
const agent = new Agent({ keepAlive: true });

/** @throws Error when the answer is no success */
function ask(url: string, method = 'GET', body?: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const asked = request(url, { method, agent, headers }, (answer) => {
      const status = answer.statusCode ?? 0;
      text(answer).then((read) => {
        if (status === 200 || status === 201) resolve(JSON.parse(read));
        else reject(new Error(`${method} ${url}: ${status} ${read}`));
      }, reject);
    });
    asked.once('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const post = (url: string, body: object): Promise<unknown> => ask(url, 'POST', body);

/** Run `work` for each item, so many at a time. */
async function inParallel<Item>(width: number, items: readonly Item[], work: (item: Item) => Promise<unknown>) {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

async function eachTimed<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (const item of items) {
    const begin = performance.now();
    await work(item);
    times.push(performance.now() - begin);
  }
  return times;
}

/** A second's worth of something. */
async function perSecond(count: number, work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return count / ((performance.now() - begin) / 1_000);
}

function memoryMiB({ child }: Running): number {
  const kib = Number(/^VmRSS:\s*(\d+)/mu.exec(readFileSync(`/proc/${child.pid ?? 0}/status`, 'utf8'))?.[1]);
  return kib / 1024;
}

async function startUp(runs: number, env: NodeJS.ProcessEnv): Promise<readonly Figure[]> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let turn = 0; turn < runs; turn++) {
    for (const [args, times] of [
      [[script, 'server', '--port', '0'], ours],
      [['-e', bareServer], bare],
    ] as const) {
      const server = await startServer(args, env);
      times.push(server.readyMs);
      await end(server);
    }
  }
  return [
    { name: 'service ready after its start', value: median(ours), unit: 'ms', bound: '≤ 400 ms' },
    { name: 'bare node:http server ready', value: median(bare), unit: 'ms' },
  ];
}

async function attacks(server: Running, bare: Running, pids: readonly number[]): Promise<readonly Figure[]> {
  const injections = `${server.url}/api/v1/injections`;
  const stop = (pid: number) => post(injections, { kind: 'process', action: 'stop', process: String(pid) });
  const recover = () => ask(injections, 'DELETE');
  const [warm, serial] = [pids.slice(0, 250), pids.slice(250)];
  const askBare = (pid: number) => post(bare.url, { process: String(pid) });
  await eachTimed(warm, stop); // V8 compiles what is run often: a service is not measured in its first second
  await eachTimed(warm, askBare);
  const times = await eachTimed(serial, stop);
  const bareTimes = await eachTimed(serial, askBare);
  await recover();
  const rate = await perSecond(pids.length, () => inParallel(16, pids, stop));
  const list = (await ask(`${injections}?state=injected&limit=500`)) as { readonly items: { uid: string }[] };
  const some = list.items.map(({ uid }) => uid);
  const undone = await perSecond(some.length, () =>
    inParallel(16, some, (uid) => ask(`${injections}/${uid}`, 'DELETE')),
  );
  await recover();
  return [
    { name: 'stop attack, one connection, p50', value: median(times), unit: 'ms', bound: '≤ 5 ms' },
    { name: 'request to the bare server, p50', value: median(bareTimes), unit: 'ms' },
    { name: 'stop attacks over 16 connections', value: rate, unit: '/s', bound: '≥ 300 /s' },
    { name: 'recoveries over 16 connections', value: undone, unit: '/s' },
  ];
}

/** Many attacks that leave nothing behind, and what the service is like afterwards. */
async function endurance(server: Running, pids: readonly number[], count: number): Promise<readonly Figure[]> {
  const injections = `${server.url}/api/v1/injections`;
  const before = memoryMiB(server);
  const rate = await perSecond(count, () =>
    inParallel(
      16,
      Array.from({ length: count }, (_, index) => index),
      (index) =>
        post(injections, {
          kind: 'process',
          action: 'kill',
          signal: 'CONT',
          process: String(pids[index % pids.length]),
        }),
    ),
  );
  const page = await eachTimed(
    Array.from({ length: 20 }, (_, index) => index),
    () => ask(`${injections}?limit=500&offset=${Math.floor(count / 2)}`),
  );
  return [
    { name: `attacks with SIGCONT, ${count} over 16 connections`, value: rate, unit: '/s' },
    { name: 'memory before them', value: before, unit: 'MiB' },
    { name: 'memory after them', value: memoryMiB(server), unit: 'MiB', bound: '≤ 120 MiB' },
    { name: 'a page of 500 from the middle of them', value: median(page), unit: 'ms', bound: '≤ 50 ms' },
  ];
}

export async function run(runs: number, attackCount: number): Promise<readonly Figure[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-bench-'));
  const env = { FAULTLINE_STATE_DIR: path.join(folder, 'state'), FAULTLINE_POLICY: '' };
  const victims = await sleepers(500);
  try {
    const ready = await startUp(runs, env);
    const server = await startServer([script, 'server', '--port', '0', '--max-rate', '1000000'], env);
    const bare = await startServer(['-e', bareServer]);
    try {
      return [
        ...ready,
        ...(await attacks(server, bare, victims.pids)),
        ...(await endurance(server, victims.pids, attackCount)),
      ];
    } finally {
      await end(server);
      await end(bare);
    }
  } finally {
    await victims.end();
    rmSync(folder, { recursive: true, force: true });
  }
}
