import { describe, expect, test } from 'vitest';
import { program, start, stateOf, until } from '../targets/processes.ts';
import { tempStateDir } from '../../support/cli.ts';
import { del, get, post } from '../../support/http-requests.ts';
import { readJournal } from '../../support/journal.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { descendantsOf } from '../../../src/targets/kinship.ts';
import { readProcessTable } from '../../../src/targets/process-table.ts';

const many = 1_000;

/** So many processes, children of one shell. */
async function crowd(name: string): Promise<readonly number[]> {
  const loop = 'i=0; while [ $i -lt $1 ]; do "$0" 3600 & i=$((i+1)); done; wait';
  const shell = await start('/bin/sh', ['-c', loop, program(name), String(many)]);
  return until(`${many} processes`, () => {
    const table = readProcessTable();
    const pids = [...descendantsOf(table, [shell.pid])].filter((pid) => table.comm(pid) === name);
    return pids.length === many && pids;
  });
}

const bodyFor = (pid: number) => ({ action: 'stop', process: String(pid), uid: `stop-${pid}` });

const attackUrl = (server: TestServer) => `${server.url}/api/attack/process`;

/** @returns the PIDs whose attack was answered */
async function stopAll(server: TestServer, pids: readonly number[], onAnswer: (answered: number) => void) {
  const answered: number[] = [];
  const statuses = new Map<number, number>();
  await Promise.all(
    pids.map(async (pid) => {
      try {
        const { status } = await post(attackUrl(server), bodyFor(pid));
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status === 200) answered.push(pid);
        onAnswer(answered.length);
      } catch {
        // The service was killed meanwhile.
      }
    }),
  );
  return { answered, statuses };
}

async function undoAll(server: TestServer, pids: readonly number[]): Promise<readonly number[]> {
  const answers = await Promise.all(pids.map((pid) => del(`${server.url}/api/attack/stop-${pid}`)));
  return [...new Set(answers.map(({ status }) => status))];
}

const inState = (pids: readonly number[], state: string): number => pids.filter((pid) => stateOf(pid) === state).length;

describe('a thousand at once', () => {
  test('are all stopped, and all undone', async () => {
    const server = await startServer({ stateDir: tempStateDir(), args: ['--max-rate', '100000'] });
    const pids = await crowd('fl-crowd');
    const { answered, statuses } = await stopAll(server, pids, () => undefined);
    expect([...statuses]).toEqual([[200, many]]);
    expect(answered).toHaveLength(many);
    expect(inState(pids, 'T')).toBe(many);
    expect(await undoAll(server, pids)).toEqual([200]);
    expect(inState(pids, 'S')).toBe(many);
    const page = (await get(`${server.url}/api/v1/injections?state=recovered&limit=1`)).body;
    expect(page).toMatchObject({ total: many });
  });

  test('with the service killed half way and started again: none is lost, none is left stopped', async () => {
    const stateDir = tempStateDir();
    const first = await startServer({ stateDir, args: ['--max-rate', '100000'] });
    const pids = await crowd('fl-cut');
    let killed: Promise<unknown> | undefined;
    const before = await stopAll(first, pids, (answered) => {
      if (answered >= many / 3) killed ??= first.end('SIGKILL');
    });
    await killed;
    expect(before.answered.length).toBeLessThan(many);
    expect([...before.statuses.keys()]).toEqual([200]);
    const second = await startServer({ stateDir, args: ['--max-rate', '100000'] });
    // Whoever was answered is stopped; of the others it is what their client, which asks again, is told.
    expect(inState(before.answered, 'T')).toBe(before.answered.length);
    const others = pids.filter((pid) => !before.answered.includes(pid));
    const retried = await stopAll(second, others, () => undefined);
    expect([...retried.statuses.keys()]).toEqual([200]);
    expect(inState(pids, 'T')).toBe(many);
    expect(await undoAll(second, pids)).toEqual([200]);
    expect(inState(pids, 'S')).toBe(many);
    expect(
      readJournal(stateDir).filter(({ record }) => ['injecting', 'injected', 'recovering'].includes(record.state)),
    ).toEqual([]);
  });
});
