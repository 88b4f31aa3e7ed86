import { describe, expect, it } from 'vitest';
import { sleeper, stateOf } from '../host/targets/processes.ts';
import { cli, show, tempStateDir, uidIn } from '../support/cli.ts';

interface Part {
  readonly part: string;
  readonly requirements: readonly { readonly name: string; readonly status: string; readonly detail: string }[];
}

describe('faultline in the guest', () => {
  it('doctor finds the guest, and all that process faults need', async () => {
    const ran = await cli(['doctor', '-o', 'json'], { stateDir: tempStateDir() });
    expect(ran.code, ran.stderr).toBe(0);
    const parts = JSON.parse(ran.stdout) as readonly Part[];
    const requirements = parts.flatMap(({ part, requirements: of }) => of.map((one) => ({ part, ...one })));
    const linux = requirements.find(({ name }) => name === 'Linux');
    expect(linux?.detail).toMatch(/^6\.\d+\.\d+ on x86_64$/u);
    const needed = requirements.filter(({ part }) => part === 'engine' || part === 'process');
    // The exit status of strangers needs Linux 6.15.
    const lacking = needed.filter(({ name, status }) => status !== 'ok' && name !== 'PIDFD_INFO_EXIT');
    expect(needed.length).toBeGreaterThan(4);
    expect(lacking).toEqual([]);
  });

  it('attack process stop stops, and recover continues', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-guest');
    const ran = await cli(['attack', 'process', 'stop', '-p', String(pid)], { stateDir });
    expect(ran.code, ran.stderr).toBe(0);
    expect(stateOf(pid)).toBe('T');
    const uid = uidIn(ran.stdout);
    expect(await show(uid, { stateDir })).toMatchObject({ state: 'injected', verdict: 'confirmed' });
    const recovered = await cli(['recover', uid], { stateDir });
    expect(recovered.code, recovered.stderr).toBe(0);
    expect(stateOf(pid)).toBe('S');
  });
});
