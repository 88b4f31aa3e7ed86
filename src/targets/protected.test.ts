import { describe, expect, it } from 'vitest';
import { readProcessTable } from './process-table.ts';
import { protectedProcess } from './protected.ts';
import { type ProcessSummary, summaryOf } from './target-process.ts';

const table = readProcessTable();

function processWith(about: Partial<Omit<ProcessSummary, 'identity'>> & { readonly pid?: number }): ProcessSummary {
  const { pid = 4_000_000, ...rest } = about;
  const identity = { pid, startTimeTicks: 1, bootId: 'b' };
  return { comm: 'x', ppid: 1, state: 'S', kernelThread: false, ...rest, identity };
}

function ruleFor(target: ProcessSummary, names: readonly string[] = [], allowListed = false) {
  const refusal = protectedProcess({ names, allowListed })(target, table);
  return refusal === undefined ? undefined : [refusal.rule, refusal.override];
}

describe('protectedProcess', () => {
  const unconditional: readonly (readonly [string, ProcessSummary])[] = [
    ['pid-1', processWith({ pid: 1 })],
    ['kernel-thread', processWith({ kernelThread: true, ppid: 2 })],
    ['self', processWith({ pid: process.pid })],
    ['ancestor', processWith({ pid: process.ppid })],
    ['faultline', processWith({ comm: 'faultline' })],
    ['faultline', processWith({ comm: 'faultline-keepe' })],
  ];

  it.each(unconditional)('has the rule %s, which no flag overrides', (rule, target) => {
    expect(ruleFor(target)).toEqual([rule, undefined]);
    expect(ruleFor(target, [target.comm], true)).toEqual([rule, undefined]);
  });

  it.each(['sshd', 'sshd-session', 'sshd-auth'])('protects %s until that is allowed', (comm) => {
    expect(ruleFor(processWith({ comm }))).toEqual(['sshd', '--allow-protected']);
    expect(ruleFor(processWith({ comm }), [], true)).toBeUndefined();
  });

  it("protects the policy's names, whole and in their case, until that is allowed", () => {
    expect(ruleFor(processWith({ comm: 'postgres' }), ['redis', 'postgres'])).toEqual(['policy', '--allow-protected']);
    expect(ruleFor(processWith({ comm: 'postgres' }), ['postgres'], true)).toBeUndefined();
    expect(ruleFor(processWith({ comm: 'postgres' }), ['postgre', 'Postgres'])).toBeUndefined();
  });

  it('names the rule that allows least: an ancestor called sshd is an ancestor', () => {
    expect(ruleFor(processWith({ comm: 'sshd', pid: process.ppid }), [], true)).toEqual(['ancestor', undefined]);
  });

  it('lets others be hit, also PID 2 and its children where they are no kernel threads', () => {
    expect(ruleFor(processWith({}))).toBeUndefined();
    expect(ruleFor(processWith({ comm: 'ssh' }))).toBeUndefined();
    expect(ruleFor(processWith({ comm: 'my-faultline' }))).toBeUndefined();
    expect(ruleFor(processWith({ pid: 2 }))).toBeUndefined();
    expect(ruleFor(processWith({ ppid: 2 }))).toBeUndefined();
  });

  it('gives each refusal a reason', () => {
    const self = summaryOf(table, process.pid);
    const refusal = self && protectedProcess({ names: [], allowListed: false })(self, table);
    expect(refusal?.reason).toBe('it is this very command');
  });
});
