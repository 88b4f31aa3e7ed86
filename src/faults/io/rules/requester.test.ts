import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { RequesterSpec } from '../rule.ts';
import { operation } from '../test-support/operations.ts';
import { requesterFilter } from './requester.ts';

const { pid } = process;

/** A thread of ours that is not the main one: Node has several from its start. */
const thread = readdirSync(`/proc/${pid}/task`)
  .map(Number)
  .find((tid) => tid !== pid);

const comm = (file: string): string => readFileSync(`/proc/${file}/comm`, 'utf8').trimEnd();

function asks(by: Partial<RequesterSpec>, tid: number, uid = 0): boolean {
  return requesterFilter({ pids: [], comms: [], uids: [], ...by })(operation({ pid: tid, uid }));
}

describe('who asks', () => {
  it('is a thread, by its process', () => {
    expect(asks({ pids: [pid] }, thread ?? 0)).toBe(true);
    expect(asks({ pids: [pid] }, pid)).toBe(true);
    expect(asks({ pids: [process.ppid] }, thread ?? 0)).toBe(false);
    expect(asks({ pids: [process.ppid, pid] }, thread ?? 0)).toBe(true);
  });

  it('has its own name, or that of its process', () => {
    expect(asks({ comms: [comm(String(pid))] }, thread ?? 0)).toBe(true);
    expect(asks({ comms: [comm(`${pid}/task/${thread}`)] }, thread ?? 0)).toBe(true);
    expect(asks({ comms: ['somebody else'] }, thread ?? 0)).toBe(false);
  });

  it('must be in every list that is not empty', () => {
    expect(asks({ pids: [pid], uids: [7] }, pid, 7)).toBe(true);
    expect(asks({ pids: [pid], uids: [7] }, pid, 8)).toBe(false);
    expect(asks({ pids: [process.ppid], uids: [7] }, pid, 7)).toBe(false);
    expect(asks({}, 0)).toBe(true);
  });

  it('is nobody that could be named, where no thread can be seen or it is gone', () => {
    expect(asks({ pids: [pid] }, 0)).toBe(false);
    expect(asks({ comms: [comm(String(pid))] }, 4_194_304)).toBe(false);
    expect(asks({ uids: [0] }, 0)).toBe(true);
  });
});
