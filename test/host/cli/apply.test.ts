import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, finished, type Ran, type RunOptions, startCli, tempFolder, tempStateDir } from '../../support/cli.ts';
import { startServer } from '../../support/server.ts';
import { cannotInject, fill, mountsSeenHere, nothingLeft, type Scene, scene } from '../io/lab.ts';
import { startTarget } from '../io/target.ts';

/*
 * Files of Chaos Mesh on a host: what they ask for happens to a program with an open file, once however often they are
 * applied, and all of it or nothing.
 */

interface ObjectOptions {
  readonly volume: string;
  readonly name?: string;
  readonly namespace?: string;
  /** Lines of `spec`, in place of those that make all reads fail with EIO. */
  readonly spec?: readonly string[];
}

/** An IOChaos as people write them, with a selector of pods. */
function ioChaos({ volume, name = 'broken', namespace, spec }: ObjectOptions): string {
  return [
    'apiVersion: chaos-mesh.org/v1alpha1',
    'kind: IOChaos',
    'metadata:',
    `  name: ${name}`,
    ...(namespace === undefined ? [] : [`  namespace: ${namespace}`]),
    'spec:',
    ...(spec ?? ['action: fault', 'errno: 5', 'methods: [read]']).map((line) => `  ${line}`),
    `  volumePath: ${volume}`,
    '  mode: one',
    '  selector:',
    '    labelSelectors: {app: shop}',
    '',
  ].join('\n');
}

function written(text: string): string {
  const file = path.join(tempFolder(), 'chaos.yaml');
  writeFileSync(file, text);
  return file;
}

interface Applied {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly result: string;
  readonly notes: readonly string[];
  readonly injection: { readonly state: string; readonly leaseMs: number | null; readonly spec: object } | null;
  readonly plan: { readonly targets: readonly { readonly label: string }[] } | null;
}

const documents = ({ stdout }: Ran): readonly Applied[] => JSON.parse(stdout) as readonly Applied[];

const read = { do: 'read', at: 0, size: 10 } as const;

/** A folder of files beside the scene's own. */
function secondVolume({ volume }: Scene): string {
  const folder = path.join(path.dirname(volume), 'second');
  fill(folder);
  return folder;
}

describe.skipIf(cannotInject !== undefined)('a file of an IOChaos', () => {
  test('is applied as it is, is unchanged when applied again, and deleted', { timeout: 300_000 }, async () => {
    const one = scene();
    const target = await startTarget(one.inVolume('file'));
    const file = written(ioChaos({ volume: one.volume, namespace: 'shop' }));

    const first = await one.run(['apply', '-f', file]);
    expect(first).toMatchObject({ code: 0, stdout: 'iochaos/broken injected, uid: iochaos:shop:broken\n' });
    expect(first.stderr).toContain(
      'Note: iochaos/broken: mode, selector: not used, for there are no pods on a host; all',
    );
    expect(await target.ask(read)).toMatchObject({ error: 'EIO' });

    const again = await one.run(['apply', '-f', file]);
    expect(again).toEqual({
      ...again,
      code: 0,
      stdout: 'iochaos/broken unchanged, uid: iochaos:shop:broken\n',
      stderr: '',
    });
    expect(JSON.parse((await one.run(['search', '-o', 'json'])).stdout)).toHaveLength(1);

    const gone = await one.run(['delete', '-f', file]);
    expect(gone).toMatchObject({ code: 0, stdout: 'iochaos/broken recovered, uid: iochaos:shop:broken\n' });
    await nothingLeft(one, [target.pid]);
    expect(await target.ask(read)).toMatchObject({ count: 10 });
    const twice = await one.run(['delete', '-f', file]);
    expect(twice).toMatchObject({ code: 0, stdout: 'iochaos/broken was over already, uid: iochaos:shop:broken\n' });
  });

  test('is injected anew when it is over, each time under the next number', { timeout: 300_000 }, async () => {
    const one = scene();
    const file = written(ioChaos({ volume: one.volume }));
    for (const uid of ['', ':2', ':3', ':4'].map((number) => `iochaos:default:broken${number}`)) {
      expect(await one.run(['apply', '-f', file])).toMatchObject({ stdout: `iochaos/broken injected, uid: ${uid}\n` });
      expect(await one.run(['delete', '-f', file])).toMatchObject({
        stdout: `iochaos/broken recovered, uid: ${uid}\n`,
      });
    }
    await nothingLeft(one);
  });

  test('that was changed is refused while it is in force, and nothing is touched', { timeout: 300_000 }, async () => {
    const one = scene();
    const target = await startTarget(one.inVolume('file'));
    await one.run(['apply', '-f', written(ioChaos({ volume: one.volume }))]);
    const other = ['action: fault', 'errno: 28', 'methods: [read]', 'duration: 1h'];
    const changed = await one.run(['apply', '-f', written(ioChaos({ volume: one.volume, spec: other }))]);
    expect(changed.code).toBe(1);
    expect(changed.stderr).toMatch(
      /chaos\.yaml:6:3: iochaos\/broken: it is in force as .*: rules, duration \[INJECTION_EX/,
    );
    expect(changed.stderr).toMatch(/Hint: end that first: faultline delete -f FILE/);
    expect(await target.ask(read)).toMatchObject({ error: 'EIO' });
    await one.run(['delete', '-f', written(ioChaos({ volume: one.volume }))]);
    await nothingLeft(one, [target.pid]);
  });

  test('chooses processes by flags, and has a lease', { timeout: 300_000 }, async () => {
    const one = scene();
    const [meant, other] = [await startTarget(one.inVolume('file')), await startTarget(one.inVolume('file'))];
    const spec = ['action: fault', 'errno: 5', 'methods: [read]', 'duration: 20m'];
    const file = written(ioChaos({ volume: one.volume, spec }));
    const ran = await one.run(['apply', '-f', file, '--process', String(meant.pid), '-o', 'json']);
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code: 0, stderr: '' });
    const [document] = documents(ran);
    expect(document).toMatchObject({
      kind: 'IOChaos',
      namespace: 'default',
      name: 'broken',
      uid: 'iochaos:default:broken',
      result: 'injected',
      notes: [expect.stringContaining(`--process ${meant.pid} says which processes are meant`)],
      injection: { state: 'injected', leaseMs: 1_200_000, spec: { criteria: { process: String(meant.pid) } } },
      plan: null,
    });
    expect(await meant.ask(read)).toMatchObject({ error: 'EIO' });
    expect(await other.ask(read)).toMatchObject({ count: 10 });
    // Other flags are other words.
    expect(await one.run(['apply', '-f', file])).toMatchObject({ code: 1 });
    const deleted = documents(await one.run(['delete', '-f', file, '-o', 'json']));
    expect(deleted).toMatchObject([
      { uid: 'iochaos:default:broken', result: 'recovered', recovery: { recovered: true } },
    ]);
    await nothingLeft(one, [meant.pid, other.pid]);
  });

  test('a dry run tells what would be touched, and touches nothing', { timeout: 300_000 }, async () => {
    const one = scene();
    const target = await startTarget(one.inVolume('file'));
    const file = written(ioChaos({ volume: one.volume }));
    const ran = await one.run(['apply', '-f', file, '--dry-run', '-o', 'json']);
    expect(documents(ran)).toMatchObject([{ uid: 'iochaos:default:broken', result: 'planned', injection: null }]);
    expect(documents(ran)[0]?.plan?.targets.map(({ label }) => label)).toEqual([
      one.volume,
      expect.stringContaining(`pid ${target.pid}`) as string,
    ]);
    const text = await one.run(['apply', '-f', file, '--dry-run']);
    expect(text.stdout).toMatch(/^iochaos\/broken, uid: .*\nDry run: attack io fault would touch 2 of 2 matched\n/);
    expect(mountsSeenHere(one.volume)).toEqual([]);
    expect(await target.ask(read)).toMatchObject({ count: 10 });
    expect(await one.run(['search', '-o', 'json'])).toMatchObject({ stdout: '[]\n' });
  });

  test('two commands at once inject it once', { timeout: 300_000 }, async () => {
    const one = scene();
    const file = written(ioChaos({ volume: one.volume }));
    const ran = await Promise.all([one.run(['apply', '-f', file]), one.run(['apply', '-f', file])]);
    // Who comes second finds the target held, unless the first had done before.
    const said = ran.map(
      ({ stdout, stderr }) => /(injected|unchanged),|GUARD_CONFLICT|VOLUME_BUSY/.exec(stdout + stderr)?.[0],
    );
    expect(said.filter((word) => word === 'injected,')).toHaveLength(1);
    expect(said).not.toContain(undefined);
    expect(JSON.parse((await one.run(['search', '-o', 'json'])).stdout)).toHaveLength(1);
    await one.run(['delete', '-f', file]);
    await nothingLeft(one);
  });

  test('through a service it is the same', { timeout: 300_000 }, async () => {
    const one = scene();
    const target = await startTarget(one.inVolume('file'));
    const server = await startServer({ stateDir: one.stateDir });
    const there: RunOptions = { stateDir: path.join(tempFolder(), 'never'), env: { FAULTLINE_SERVER: server.url } };
    const file = written(ioChaos({ volume: one.volume }));
    for (const word of ['injected', 'unchanged']) {
      const said = `iochaos/broken ${word}, uid: iochaos:default:broken\n`;
      expect(await cli(['apply', '-f', file], there)).toMatchObject({ code: 0, stdout: said });
      expect(await target.ask(read)).toMatchObject({ error: 'EIO' });
    }
    for (const words of ['recovered', 'was over already']) {
      const said = `iochaos/broken ${words}, uid: iochaos:default:broken\n`;
      expect(await cli(['delete', '-f', file, '--server', server.url], there)).toMatchObject({ code: 0, stdout: said });
    }
    await nothingLeft(one, [target.pid]);
    expect(await target.ask(read)).toMatchObject({ count: 10 });
  });
});

describe.skipIf(cannotInject !== undefined)('a file of several objects', () => {
  test('is applied and deleted as a whole', { timeout: 300_000 }, async () => {
    const one = scene();
    const second = secondVolume(one);
    const first = await startTarget(one.inVolume('file'));
    const other = await startTarget(path.join(second, 'file'));
    const file = written(`${ioChaos({ volume: one.volume, name: 'a' })}---\n${ioChaos({ volume: second, name: 'b' })}`);
    const ran = await one.run(['apply', '-f', file]);
    expect(ran.stdout).toBe('iochaos/a injected, uid: iochaos:default:a\niochaos/b injected, uid: iochaos:default:b\n');
    for (const target of [first, other]) expect(await target.ask(read)).toMatchObject({ error: 'EIO' });
    const gone = await one.run(['delete', '-f', file]);
    expect(gone.stdout).toBe(
      'iochaos/a recovered, uid: iochaos:default:a\niochaos/b recovered, uid: iochaos:default:b\n',
    );
    for (const target of [first, other]) expect(await target.ask(read)).toMatchObject({ count: 10 });
    await nothingLeft(one, [first.pid]);
  });

  test('is checked before the first of them is injected', { timeout: 300_000 }, async () => {
    const one = scene();
    const missing = path.join(path.dirname(one.volume), 'missing');
    const file = written(
      `${ioChaos({ volume: one.volume, name: 'a' })}---\n${ioChaos({ volume: missing, name: 'b' })}`,
    );
    const ran = await one.run(['apply', '-f', file]);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(/chaos\.yaml:19:3: iochaos\/b: there is no folder .*\[VOLUME_NOT_FOUND\]/);
    const same = written(
      `${ioChaos({ volume: one.volume, name: 'a' })}---\n${ioChaos({ volume: one.volume, name: 'b' })}`,
    );
    const twice = await one.run(['apply', '-f', same]);
    expect(twice.stderr).toMatch(/iochaos\/b: .* is what iochaos\/a touches, too \[GUARD_CONFLICT\]/);
    expect(await one.run(['search', '-o', 'json'])).toMatchObject({ stdout: '[]\n' });
  });

  test('when one fails, those before it are undone, but for those that were in force before', {
    timeout: 300_000,
  }, async () => {
    const one = scene();
    const second = secondVolume(one);
    // Not below a volume until there is one.
    const inside = path.join(one.volume, 'inside');
    mkdirSync(inside);
    const target = await startTarget(one.inVolume('file'));
    const stays = ioChaos({ volume: second, name: 'stays' });
    await one.run(['apply', '-f', written(stays)]);

    const begins = ioChaos({ volume: one.volume, name: 'begins' });
    const file = written([stays, begins, ioChaos({ volume: inside, name: 'fails' })].join('---\n'));
    const ran = await one.run(['apply', '-f', file, '-o', 'json']);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    const { error } = JSON.parse(ran.stderr) as { readonly error: { readonly code: string; readonly details: object } };
    expect(error).toMatchObject({ code: 'VOLUME_BUSY', details: { undone: ['iochaos:default:begins'], left: [] } });
    expect(await target.ask(read)).toMatchObject({ count: 10 });
    expect(mountsSeenHere(one.volume)).toEqual([]);
    expect(mountsSeenHere(second)).toHaveLength(1);

    const gone = await one.run(['delete', '-f', file]);
    expect(gone.code).toBe(1);
    expect(gone.stdout.split('\n')).toEqual([
      'iochaos/stays recovered, uid: iochaos:default:stays',
      'iochaos/begins was over already, uid: iochaos:default:begins',
      '',
    ]);
    expect(gone.stderr).toContain('iochaos/fails was never applied in the namespace default [INJECTION_NOT_FOUND]');
    await nothingLeft(one, [target.pid]);
  });
});

describe('what is wrong in a file is told with its place, and nothing is done', () => {
  const object = ioChaos({ volume: '/nowhere' });

  test.each<readonly [string, string, RegExp]>([
    [
      'another kind',
      object.replace('IOChaos', 'NetworkChaos'),
      /chaos\.yaml:2:7: there is no kind "NetworkChaos" here/,
    ],
    ['an unknown field', object.replace('errno', 'errnos'), /chaos\.yaml:7:3: .*"errnos" in spec .*\nHint: .*errno\?/],
    [
      'a value out of range',
      object.replace('mode: one', 'percent: 101'),
      /chaos\.yaml:10:12: percent .* not valid: 101/,
    ],
    ['a pattern', object.replace('mode: one', "path: '/nowhere/['"), /chaos\.yaml:10:9: .* is not a valid pattern/],
    ['a method', object.replace('[read]', '[red]'), /chaos\.yaml:8:12: .*red/],
    ['an errno', object.replace('errno: 5', 'errno: ENOPE'), /chaos\.yaml:7:10: .*ENOPE/],
    [
      'a kind of mistake',
      object.replace('action: fault\n  errno: 5', 'action: mistake\n  mistake: {filling: ones}'),
      /chaos\.yaml:7:12: filling .* not valid: ones/,
    ],
    ['a volume', object.replace('/nowhere', 'nowhere'), /chaos\.yaml:9:15: the volume "nowhere" is a relative path/],
    ['a duration', object.replace('mode: one', 'duration: 5'), /chaos\.yaml:10:13: duration must be a text/],
    [
      'in the second object',
      `${object}---\n${object.replace('broken', 'b').replace('5', '-5')}`,
      /chaos\.yaml:20:10: /,
    ],
    ['no YAML', 'kind: [\n', /chaos\.yaml:\d+:\d+: /],
    ['nothing in it', '', /chaos\.yaml is empty/],
  ])('%s', async (_what, text, message) => {
    const ran = await cli(['apply', '-f', written(text)], { stateDir: tempStateDir() });
    expect(ran).toMatchObject({ code: 128, stdout: '' });
    expect(ran.stderr).toMatch(message);
    expect(ran.stderr).toContain('[ARGUMENT_INVALID]');
  });

  test('and by a program', async () => {
    const file = written(object.replace('errno', 'errnos'));
    const ran = await cli(['apply', '-f', file, '-o', 'json'], { stateDir: tempStateDir() });
    expect(JSON.parse(ran.stderr)).toMatchObject({
      error: { code: 'ARGUMENT_INVALID', details: { line: 7, column: 3 } },
    });
  });

  test.each<readonly [string, readonly string[], RegExp]>([
    ['no file', ['apply'], /'-f, --filename <FILE>' not specified \[ARGUMENT_INVALID\]/],
    ['a file that is not there', ['apply', '-f', '/nowhere.yaml'], /nowhere\.yaml cannot be read .*\nHint: ENOENT/],
    ['a folder', ['delete', '-f', '/'], /\/ cannot be read .*\nHint: EISDIR/],
    ['a flag that is the file’s', ['apply', '-f', '/nowhere.yaml', '--duration', '5s'], /unknown option '--duration'/],
  ])('%s', async (_what, args, message) => {
    const ran = await cli(args, { stateDir: tempStateDir() });
    expect(ran).toMatchObject({ code: 128, stdout: '' });
    expect(ran.stderr).toMatch(message);
  });

  test('what is no text, or too much of it', async () => {
    for (const [bytes, message] of [
      [Buffer.from([0xff, 0xfe]), /cannot be read/],
      [Buffer.alloc(5 * 1024 * 1024, 10), /is larger than 4 MiB/],
    ] as const) {
      const file = written('');
      writeFileSync(file, bytes);
      expect((await cli(['apply', '-f', file], { stateDir: tempStateDir() })).stderr).toMatch(message);
    }
  });

  test('the standard input', async () => {
    const ran = await finished(startCli(['delete', '-f', '-'], { stateDir: tempStateDir() }));
    expect(ran).toMatchObject({ code: 128 });
    expect(ran.stderr).toContain('<stdin> is empty');
  });

  test('to delete what never was', async () => {
    const ran = await cli(['delete', '-f', written(object)], { stateDir: tempStateDir() });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('iochaos/broken was never applied in the namespace default [INJECTION_NOT_FOUND]');
  });
});
