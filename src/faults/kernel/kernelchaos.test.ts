import { describe, expect, it } from 'vitest';
import { readObjects } from '../objects.ts';
import { parseSpec } from './spec.ts';

const head = ['apiVersion: chaos-mesh.org/v1alpha1', 'kind: KernelChaos', 'metadata:', '  name: kernel-chaos-example'];
const pods = ['spec:', '  mode: one', '  selector:', '    namespaces:', '      - chaos-mount'];
const example = [...head, ...pods, '  failKernRequest:', '    callchain:', "      - funcname: '__x64_sys_mount'"];

async function read(...lines: readonly string[]) {
  const [object] = await readObjects(lines.join('\n'), 'chaos.yaml');
  if (object === undefined) throw new Error('there is no object');
  return object.read();
}

describe('a KernelChaos', () => {
  it('is taken as the documents of Chaos Mesh have it', async () => {
    const { action, input, notes, podChoices } = await read(...example, '    failtype: 0', '  duration: 10s');
    expect([action, notes, podChoices]).toStrictEqual(['fail', [], ['mode', 'selector']]);
    expect(await parseSpec({ ...input, cgroup: '/web' })).toStrictEqual(
      await parseSpec({ failtype: 'slab', frame: ['__x64_sys_mount'], cgroup: '/web' }),
    );
  });

  it('may have fields that are kept empty', async () => {
    const empty = ['  failKernRequest:', '    callchain:', '    headers:', '    failtype: 2', '    times: null'];
    const { input } = await read(...head, ...pods, ...empty);
    expect(await parseSpec({ ...input, cgroup: '/web' })).toStrictEqual(
      await parseSpec({ failtype: 'bio', cgroup: '/web' }),
    );
    const frame = ['      - funcname: vfs_read', '        parameters:', '        predicate:'];
    const { input: framed } = await read(...head, ...pods, ...empty.slice(0, 2), ...frame, '    failtype: 2');
    expect(await parseSpec({ ...framed, cgroup: '/web' })).toStrictEqual(
      await parseSpec({ failtype: 'bio', frame: ['vfs_read'], cgroup: '/web' }),
    );
  });

  it('says what it does not heed', async () => {
    const { notes } = await read(...example, '    failtype: 0', '  scheduler:', '    cron: "@every 10s"');
    expect(notes).toStrictEqual(['scheduler (line 14) is not heeded: a schedule of Faultline does it again and again']);
  });

  it('is refused where it says nothing', async () => {
    await expect(read(...head, ...pods)).rejects.toThrow('chaos.yaml:6:3: spec has no failKernRequest');
    await expect(read(...head, ...pods, '  failKernRequest: 3')).rejects.toThrow('must be an object');
    await expect(read(...example, '    failtype: 0', '  what: 1')).rejects.toThrow('there is no field "what" in spec');
  });
});
