import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { start, until } from '../targets/processes.ts';

/*
 * A real PostgreSQL with checksums, and the load that it comes with: pgbench(1), TPC-B.
 */

const versions = '/usr/lib/postgresql';

/** Where Debian has the programs of its newest version; undefined without it. */
const programs: string | undefined = existsSync(versions)
  ? readdirSync(versions)
      .toSorted((one, other) => Number(other) - Number(one))
      .map((version) => path.join(versions, version, 'bin'))
      .find((folder) => existsSync(path.join(folder, 'pgbench')))
  : undefined;

export const hasPostgres = programs !== undefined;
if (!hasPostgres) console.warn('Skipped: without PostgreSQL (Debian: postgresql) nothing is injected under one');

/** It refuses to run as root: nobody of Debian. */
const nobody = { uid: 65_534, gid: 65_534 };

export interface Postgres {
  /** Its own processes, the postmaster first. */
  readonly pid: number;
  /**
   * End the load and the server.
   *
   * @returns what went wrong, in the words of who found it, and how many transactions there were
   */
  ended(): Promise<{ readonly wrong: readonly string[]; readonly rounds: number }>;
}

/**
 * Start a server whose data is in this folder, which is made, and keep it busy.
 *
 * @throws what a program of it has said
 */
export async function startPostgres(data: string): Promise<Postgres> {
  const sockets = mkdtempSync(path.join(tmpdir(), 'faultline-postgres-'));
  const environment = {
    PATH: '/usr/bin:/bin',
    HOME: sockets,
    PGHOST: sockets,
    PGUSER: 'bench',
    PGDATABASE: 'postgres',
  };
  const options = { ...nobody, env: { ...environment, LC_ALL: 'C.UTF-8' }, cwd: sockets };
  const program = (name: string): string => path.join(programs ?? '', name);
  const run = (name: string, args: readonly string[]): string => {
    const ran = spawnSync(program(name), args, { ...options, encoding: 'utf8' });
    if (ran.status === 0) return ran.stdout;
    throw new Error(`${name} ended with ${ran.status ?? ran.signal}: ${ran.stdout}${ran.stderr}`);
  };
  mkdirSync(data);
  for (const folder of [data, sockets]) chownSync(folder, nobody.uid, nobody.gid);

  run('initdb', ['-D', data, '-U', 'bench', '-A', 'trust', '--data-checksums', '--no-sync', '--locale', 'C.UTF-8']);
  // Little memory and checkpoints one after the other: what it does, it does with files.
  const settings = ['listen_addresses=', 'shared_buffers=2MB', 'max_wal_size=32MB', 'checkpoint_timeout=30s'];
  const flags = settings.flatMap((setting) => ['-c', setting]);
  const server = await start(program('postgres'), ['-D', data, '-k', sockets, ...flags], options);
  await until('it takes connections', () => spawnSync(program('pg_isready'), [], options).status === 0);
  run('pgbench', ['-i', '-q', '-s', '2']);

  const wrong: string[] = [];
  let rounds = 0;
  const running = new Set(['load']);
  async function keepBusy(): Promise<void> {
    while (running.size > 0 && wrong.length === 0) {
      const stdio = ['ignore', 'pipe', 'pipe'] as const;
      const { child } = await start(program('pgbench'), ['-n', '-c', '4', '-T', '3'], {
        ...options,
        stdio: [...stdio],
      });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding('utf8').on('data', (piece: string) => (said += piece));
      }
      await once(child, 'close');
      rounds += Number(/transactions actually processed: (\d+)/u.exec(said)?.[1] ?? 0);
      const isWell =
        child.exitCode === 0 && !/error|fatal|panic|warning|aborted/iu.test(said.replace(/failed.*\n/u, ''));
      if (!isWell) wrong.push(`pgbench ended with ${child.exitCode}: ${said}`);
    }
  }
  const busy = keepBusy();

  /** What TPC-B never changes: what was paid is on the accounts, at the tellers and in the branches. */
  function booksAgree(): void {
    const sums = ['abalance from pgbench_accounts', 'tbalance from pgbench_tellers', 'bbalance from pgbench_branches'];
    const totals = [...sums, 'delta from pgbench_history'].map((column) =>
      run('psql', ['-Atc', `select coalesce(sum(${column.replace(' ', '), 0) ')}`]),
    );
    if (new Set(totals).size > 1) wrong.push(`the sums differ: ${totals.join(', ')}`);
  }

  async function ended(): Promise<{ readonly wrong: readonly string[]; readonly rounds: number }> {
    running.clear();
    await busy;
    const { child } = server;
    const exited = once(child, 'exit');
    if (child.exitCode === null) {
      booksAgree();
      child.kill('SIGINT'); // fast shutdown
      await exited;
    }
    if (child.exitCode !== 0) wrong.push(`the server ended with ${child.exitCode ?? child.signalCode}`);
    run('pg_checksums', ['--check', '-D', data]);
    rmSync(sockets, { recursive: true, force: true });
    return { wrong, rounds };
  }

  return Object.freeze({ pid: server.pid, ended });
}
