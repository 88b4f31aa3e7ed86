import { describe, expect, it } from 'vitest';
import { FaultlineError } from '../../base/error.ts';
import { type ReadObject, readObjects } from '../objects.ts';
import { type IoAction, parseSpec } from './spec.ts';

const head = 'apiVersion: chaos-mesh.org/v1alpha1\nkind: IOChaos\nmetadata:\n  name: test\nspec:\n';

const file = (...spec: readonly string[]): string => head + spec.map((line) => `  ${line}\n`).join('');

async function all(text: string, name = 'io.yaml'): Promise<readonly ReadObject[]> {
  const objects = await readObjects(text, name);
  return Promise.all(objects.map((one) => one.read()));
}

async function only(text: string): Promise<ReadObject> {
  const [first] = await all(text);
  if (first === undefined) throw new Error('no object');
  return first;
}

const specOf = ({ action, input }: ReadObject) => parseSpec(action as IoAction, input);

const latency = ['action: latency', 'volumePath: /data', 'delay: 10ms'];

describe('IOChaos of Chaos Mesh', () => {
  it('is read as it is, with its comments and its selector', async () => {
    const text = `# A comment\n${head}${[
      'action: latency',
      'mode: fixed',
      "value: '2'",
      'selector:',
      '  labelSelectors:',
      '    app: etcd',
      'containerNames: [etcd]',
      'volumePath: /var/run/etcd',
      'path: /var/run/etcd/**/*',
      'delay: "10ms"',
      'percent: 10',
      'duration: "400s"',
    ]
      .map((line) => `  ${line}\n`)
      .join('')}status: {}\n`;
    const chaos = await only(text);
    expect(chaos).toMatchObject({
      action: 'latency',
      input: { volume: '/var/run/etcd', path: '/var/run/etcd/**/*', percent: 10, delay: '10ms' },
      places: { volume: { line: 14, column: 15 }, delay: { line: 16, column: 10 } },
      duration: '400s',
      podChoices: ['mode', 'value', 'selector', 'containerNames'],
      notes: [],
    });
    expect(await specOf(chaos)).toMatchObject({
      volume: '/var/run/etcd',
      rules: [{ path: '/var/run/etcd/**/*', percent: 10, disturbances: [{ kind: 'latency', delayMs: 10 }] }],
    });
  });

  it('has errnos by number, attributes and mistakes, which become rules', async () => {
    const errno = await only(file('action: fault', 'volumePath: /data', 'errno: 5', 'methods: [read, write]'));
    expect(await specOf(errno)).toMatchObject({
      rules: [{ methods: ['read', 'write'], disturbances: [{ kind: 'errno', choices: [{ errno: 5, weight: 1 }] }] }],
    });
    const attributes = await only(
      file(
        'action: attrOverride',
        'volumePath: /data',
        'attr: {perm: 72, size: 9007199254740993, mtime: {sec: 1, nsec: 2}}',
      ),
    );
    expect(await specOf(attributes)).toMatchObject({
      rules: [{ disturbances: [{ attr: { perm: 0o110, size: '9007199254740993', mtime: { sec: 1, nsec: 2 } } }] }],
    });
    const mistake = await only(
      file('action: mistake', 'volumePath: /data', 'mistake: {filling: zero, maxOccurrences: 2, maxLength: 3}'),
    );
    expect(await specOf(mistake)).toMatchObject({
      rules: [{ disturbances: [{ kind: 'mistake', filling: 'zero', maxOccurrences: 2, maxLength: 3 }] }],
    });
  });

  it('has permissions in octal where they begin with a nought, as Kubernetes reads them', async () => {
    const { input } = await only(file('action: attrOverride', 'volumePath: /data', 'attr: {perm: 0644}'));
    expect(input).toMatchObject({ attr: { perm: 0o644 } });
  });

  it('may leave out what is empty, and use anchors', async () => {
    const { input } = await only(
      file('action: latency', 'volumePath: &v /data', 'path: *v', 'delay: 1s', 'methods: []'),
    );
    expect(input).toEqual({ volume: '/data', path: '/data', delay: '1s' });
  });

  it('tells of fields that the action has no use for', async () => {
    const { notes } = await only(file(...latency, 'errno: 5'));
    expect(notes).toEqual(['errno (line 9, column 3) means nothing to the action latency']);
  });

  it.each<readonly [string, string, RegExp]>([
    ['an unknown field', file(...latency, 'delya: 1s'), /^io\.yaml:9:3: there is no field "delya" in spec/u],
    ['an unknown attribute', file('attr: {sice: 1}'), /^io\.yaml:6:10: there is no field "sice" in attr/u],
    ['a number that is text', file(...latency, "percent: 'ten'"), /^io\.yaml:9:12: percent must be a whole number/u],
    ['a fraction', file(...latency, 'percent: 1.5'), /^io\.yaml:9:12: percent must be a whole number/u],
    ['a list that is none', file(...latency, 'methods: read'), /^io\.yaml:9:12: methods must be a list of texts/u],
    ['no action', file('volumePath: /data'), /^io\.yaml:6:3: spec has no action/u],
    ['no volume', file('action: latency'), /^io\.yaml:6:3: spec has no volumePath/u],
    ['an unknown action', file('action: slow', 'volumePath: /d'), /^io\.yaml:6:11: there is no action "slow"/u],
  ])('refuses %s, with its place', async (_what, text, message) => {
    await expect(all(text)).rejects.toThrow(FaultlineError);
    await expect(all(text)).rejects.toThrow(message);
  });
});
