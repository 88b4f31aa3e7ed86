import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { programExists } from '../../../src/linux/bpf/program.ts';
import { readCmdline } from '../../../src/linux/procfs/cmdline.ts';
import { readComm } from '../../../src/linux/procfs/comm.ts';
import { listPids } from '../../../src/linux/procfs/process-list.ts';
import { killIfAlive, stopped } from '../../host/targets/processes.ts';
import { cli, type ShownInjection, show, tempFolder, tempStateDir, uidIn } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';
import { del, post } from '../../support/http-requests.ts';
import { cgroup, moveTo, victim } from '../../support/kernel-victim.ts';
import { startServer } from '../../support/server.ts';

/*
 * The command as users have it, with its keeper and the process that holds the probes.
 */

/** As KernelChaos's documentation has it, but for the selector of pods. */
const kernelChaos = `apiVersion: chaos-mesh.org/v1alpha1
kind: KernelChaos
metadata:
  name: kernel-chaos-example
  namespace: chaos-testing
spec:
  mode: one
  selector:
    namespaces:
      - chaos-mount
  failKernRequest:
    callchain:
      - funcname: '__x64_sys_mount'
    failtype: 0
`;

interface Applied {
  readonly programs?: readonly number[];
  readonly holder?: { readonly pid: number };
}

function appliedIn({ targets }: ShownInjection): Applied {
  return targets.find(({ phase, evidence }) => phase === 'inject' && 'programs' in evidence)?.evidence ?? {};
}

function keepersOf(stateDir: string): readonly number[] {
  return listPids().filter(
    (pid) => readComm(pid) === 'faultline-keep' && readCmdline(pid)?.includes(stateDir) === true,
  );
}

/** Wait until an injection has ended by itself. @returns why, as it says */
async function endOf(uid: string, stateDir: string): Promise<string> {
  let shown: ShownInjection | undefined;
  await eventually('it has ended by itself', async () => {
    shown = await show(uid, { stateDir });
    return shown.state === 'recovered';
  });
  return JSON.stringify(shown?.timeline);
}

describe('faultline attack kernel', { timeout: 600_000 }, () => {
  it('fails what KernelChaos names; what held the probes is killed: they are gone, and it says so', async () => {
    const stateDir = tempStateDir();
    const target = cgroup('/fl-command');
    const { ask } = await victim(target);
    const place = tempFolder();
    const mount = `command("mount", "-t", "tmpfs", "none", "${place}")`;
    const file = path.join(tempFolder(), 'kernelchaos.yaml');
    writeFileSync(file, kernelChaos);
    expect(await ask(`times(2, mount, "${place}")`)).toEqual({ ok: 2 });
    const ran = await cli(['apply', '-f', file, '--cgroup', '/fl-command', '-o', 'json'], { stateDir });
    expect(ran.code, ran.stderr).toBe(0);
    const { uid } = (JSON.parse(ran.stdout) as readonly { readonly uid: string }[])[0] ?? { uid: '' };
    expect(await ask(mount)).toEqual([32, expect.stringContaining('Cannot allocate memory')]);
    const shown = await show(uid, { stateDir });
    expect(shown).toMatchObject({
      state: 'injected',
      verdict: 'confirmed',
      present: [{ verdict: 'confirmed', seen: expect.stringMatching(/^\d+ calls? failed/u) }],
    });
    expect(shown.present[0]?.evidence).toMatchObject({ hits: [{ comm: 'mount' }] });
    const { programs = [], holder } = appliedIn(shown);
    expect(programs).toHaveLength(3);
    // It has the probes before it has its name.
    await eventually('their holder has its name', () => readComm(holder?.pid ?? 0) === 'faultline-probe');
    process.kill(holder?.pid ?? 0, 'SIGKILL');
    const killedMs = performance.now();
    await eventually('its programs are gone', () => !programs.some(programExists));
    console.log(`SIGKILL to no program: ${Math.round(performance.now() - killedMs)} ms`);
    expect(await ask(`times(2, mount, "${place}")`)).toEqual({ ok: 2 });
    expect(await endOf(uid, stateDir)).toContain('the process that held its probes has died');
  });

  it('the keeper is replaced: it goes on; the last keeper is killed: the probes are gone, and it says so', async () => {
    const stateDir = tempStateDir();
    const { ask } = await victim(cgroup('/fl-kept'));
    const mount = `mount("${tempFolder()}")`;
    const args = ['attack', 'kernel', '--failtype', 'slab', '--frame', '__x64_sys_mount', '--cgroup', '/fl-kept'];
    const ran = await cli(args, { stateDir });
    expect(ran.code, ran.stderr).toBe(0);
    const uid = uidIn(ran.stdout);
    const [first = 0] = keepersOf(stateDir);
    expect(first, 'there is a keeper').toBeGreaterThan(0);
    await stopped({ pid: first });
    const { programs = [] } = appliedIn(await show(uid, { stateDir }));
    const [second = 0] = keepersOf(stateDir).filter((pid) => pid !== first);
    expect(second, 'another one has taken over').toBeGreaterThan(0);
    process.kill(first, 'SIGKILL');
    await eventually('the first keeper is gone', () => !keepersOf(stateDir).includes(first));
    await delay(2000); // much longer than its probes would stay without another one
    expect(programs.map(programExists)).toEqual([true, true, true]);
    expect(await ask(mount)).toBe('ENOMEM');
    process.kill(second, 'SIGKILL');
    const killedMs = performance.now();
    await eventually('its programs are gone', () => !programs.some(programExists));
    console.log(`SIGKILL of the keeper to no program: ${Math.round(performance.now() - killedMs)} ms`);
    expect(await ask(mount)).toBe('ok');
    expect(await endOf(uid, stateDir)).toContain('its keeper was killed');
  });

  it('ends by itself when its cgroup is removed, and says so', async () => {
    const stateDir = tempStateDir();
    const one = await victim(cgroup('/fl-removed'));
    const place = tempFolder();
    const args = ['attack', 'kernel', '--failtype', 'slab', '--frame', '__x64_sys_mount', '--cgroup', '/fl-removed'];
    const ran = await cli([...args, '--duration', '1h'], { stateDir });
    expect(ran.code, ran.stderr).toBe(0);
    expect(await one.ask(`mount("${place}")`)).toBe('ENOMEM');
    moveTo(cgroup('/fl-refuge'), one);
    expect(await one.ask('attempt(os.rmdir, "/sys/fs/cgroup/fl-removed")')).toBe('ok');
    expect(await endOf(uidIn(ran.stdout), stateDir)).toContain('was removed');
    await eventually('its holder is gone', () => !listPids().some((pid) => readComm(pid) === 'faultline-probe'));
    expect(await one.ask(`mount("${place}")`)).toBe('ok');
  });

  it("takes KernelChaos's request over HTTP, and ends it there", async () => {
    const server = await startServer({ stateDir: tempStateDir() });
    const { ask } = await victim(cgroup('/fl-http'));
    const mount = `mount("${tempFolder()}")`;
    const callchain = [{ funcname: '__x64_sys_mount', parameters: '', predicate: '' }];
    const failKernRequest = { failtype: 0, callchain, headers: ['linux/fs.h'], probability: 100, times: 1 };
    const made = await post(`${server.url}/api/attack/kernel`, { failKernRequest, cgroup: '/fl-http' });
    expect(made, made.text).toMatchObject({ status: 200, body: { uid: expect.any(String) } });
    expect([await ask(mount), await ask(mount)]).toEqual(['ENOMEM', 'ok']);
    const { uid } = made.body as { readonly uid: string };
    expect(await del(`${server.url}/api/attack/${uid}`)).toMatchObject({ status: 200 });
    await eventually('its holder is gone', () => !listPids().some((pid) => readComm(pid) === 'faultline-probe'));
    expect(await server.end()).toBe(0);
  });

  it('by debugfs: the keeper is killed, and recover undoes it all the same', async () => {
    const stateDir = tempStateDir();
    const one = await victim();
    const file = `${tempFolder()}/bananas`;
    const args = ['attack', 'kernel', '--failtype', 'slab', '--via', 'debugfs', '--process', String(one.pid)];
    const ran = await cli([...args, '--times', '2'], { stateDir });
    expect(ran.code, ran.stderr).toBe(0);
    expect(await one.ask(`times(4, look, "${file}")`)).toEqual({ ENOMEM: 2, ENOENT: 2 });
    const keepers = keepersOf(stateDir);
    expect(keepers).not.toEqual([]);
    for (const pid of keepers) killIfAlive(pid);
    await eventually('its keeper is gone', () => keepersOf(stateDir).length === 0);
    const recovered = await cli(['recover', uidIn(ran.stdout)], { stateDir });
    expect(recovered.code, recovered.stderr).toBe(0);
    expect((await show(uidIn(ran.stdout), { stateDir })).targets.at(-1)?.seen).toBe('is as it was; 2 calls failed');
    expect(await one.ask('open("/proc/self/make-it-fail").read()')).toBe('0\n');
  });

  it('--dry-run shows the programs, their source beside them, and where they would be', async () => {
    cgroup('/fl-dry');
    const frame = 'd_alloc_parallel(struct dentry *parent, const struct qstr *name)(name->len == 7)';
    const args = ['attack', 'kernel', '--failtype', '0', '--frame', frame, '--cgroup', '/fl-dry', '--dry-run'];
    const { code, stdout, stderr } = await cli(args, { stateDir: tempStateDir() });
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/Program enter_1: \d+ instructions, kprobe at the beginning of d_alloc_parallel/u);
    expect(stdout).toContain('name->len == 7');
    expect(stdout).toContain('overriding what it returns');
    expect(stdout).toContain('__GFP_NOFAIL');
  });
});
