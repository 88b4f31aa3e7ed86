import { describe, expect, it } from 'vitest';
import { FaultlineError } from '../../base/error.ts';
import { type IoChaos, parseIoChaos } from './iochaos.ts';
import { parseSpec } from './spec.ts';

const head = 'apiVersion: chaos-mesh.org/v1alpha1\nkind: IOChaos\nmetadata:\n  name: test\nspec:\n';

const file = (...spec: readonly string[]): string => head + spec.map((line) => `  ${line}\n`).join('');

async function only(text: string): Promise<IoChaos> {
  const [first] = await parseIoChaos(text, 'io.yaml');
  if (first === undefined) throw new Error('no experiment');
  return first;
}

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
    expect(chaos).toEqual({
      name: 'test',
      namespace: null,
      action: 'latency',
      input: { volume: '/var/run/etcd', path: '/var/run/etcd/**/*', percent: 10, delay: '10ms' },
      duration: '400s',
      selection: {
        mode: 'fixed',
        value: '2',
        selector: { labelSelectors: { app: 'etcd' } },
        containerNames: ['etcd'],
        remoteCluster: null,
      },
      notes: [],
    });
    expect(await parseSpec(chaos.action, chaos.input)).toMatchObject({
      volume: '/var/run/etcd',
      rules: [{ path: '/var/run/etcd/**/*', percent: 10, disturbances: [{ kind: 'latency', delayMs: 10 }] }],
    });
  });

  it('has errnos by number, attributes and mistakes, which become rules', async () => {
    const errno = await only(file('action: fault', 'volumePath: /data', 'errno: 5', 'methods: [read, write]'));
    expect(await parseSpec(errno.action, errno.input)).toMatchObject({
      rules: [{ methods: ['read', 'write'], disturbances: [{ kind: 'errno', choices: [{ errno: 5, weight: 1 }] }] }],
    });
    const attributes = await only(
      file(
        'action: attrOverride',
        'volumePath: /data',
        'attr: {perm: 72, size: 9007199254740993, mtime: {sec: 1, nsec: 2}}',
      ),
    );
    expect(await parseSpec(attributes.action, attributes.input)).toMatchObject({
      rules: [{ disturbances: [{ attr: { perm: 0o110, size: '9007199254740993', mtime: { sec: 1, nsec: 2 } } }] }],
    });
    const mistake = await only(
      file('action: mistake', 'volumePath: /data', 'mistake: {filling: zero, maxOccurrences: 2, maxLength: 3}'),
    );
    expect(await parseSpec(mistake.action, mistake.input)).toMatchObject({
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

  it('may hold several documents, and empty ones', async () => {
    const chaos = await parseIoChaos(`---\n${file(...latency)}---\n---\n${file(...latency, 'duration: 1m')}`, 'f');
    expect(chaos.map(({ duration }) => duration)).toEqual([null, '1m']);
  });

  it.each<readonly [string, string, RegExp]>([
    ['an unknown field', file(...latency, 'delya: 1s'), /^io\.yaml:9:3: there is no field "delya" in spec/u],
    ['an unknown attribute', file('attr: {sice: 1}'), /^io\.yaml:6:10: there is no field "sice" in attr/u],
    ['a field beside spec', `${file(...latency)}specs: 1\n`, /^io\.yaml:9:1: there is no field "specs" in the file/u],
    ['a number that is text', file(...latency, "percent: 'ten'"), /^io\.yaml:9:12: percent must be a whole number/u],
    ['a fraction', file(...latency, 'percent: 1.5'), /^io\.yaml:9:12: percent must be a whole number/u],
    ['a list that is none', file(...latency, 'methods: read'), /^io\.yaml:9:12: methods must be a list of texts/u],
    ['no action', file('volumePath: /data'), /^io\.yaml:6:3: spec has no action/u],
    ['no volume', file('action: latency'), /^io\.yaml:6:3: spec has no volumePath/u],
    ['an unknown action', file('action: slow', 'volumePath: /d'), /^io\.yaml:6:11: there is no action "slow"/u],
    ['another kind', file(...latency).replace('IOChaos', 'PodChaos'), /^io\.yaml:1:1: this is no IOChaos .*PodChaos/u],
    ['no spec', 'apiVersion: chaos-mesh.org/v1alpha1\nkind: IOChaos\n', /^io\.yaml:1:1: there is no spec/u],
    ['a list', '- 1\n', /^io\.yaml:1:1: the file must be an object/u],
    ['no YAML', `${file(...latency)}  a: [\n`, /^io\.yaml:\d+:\d+: /u],
    ['a key that comes twice', file(...latency, 'delay: 20ms'), /^io\.yaml:9:3: .*unique/u],
    ['nothing', '# nothing\n', /^io\.yaml is empty/u],
  ])('refuses %s, with its place', async (_what, text, message) => {
    await expect(parseIoChaos(text, 'io.yaml')).rejects.toThrow(FaultlineError);
    await expect(parseIoChaos(text, 'io.yaml')).rejects.toThrow(message);
  });
});
