import { describe, expect, it } from 'vitest';
import { FaultlineError } from '../base/error.ts';
import { readObjects } from './objects.ts';

/** A file of one object, with these lines in `metadata`. */
const object = (metadata: readonly string[], kind = 'IOChaos'): string =>
  [
    'apiVersion: chaos-mesh.org/v1alpha1',
    `kind: ${kind}`,
    'metadata:',
    ...metadata.map((line) => `  ${line}`),
    'spec:',
    '  action: latency',
    '  volumePath: /data',
    '  delay: 10ms',
    '',
  ].join('\n');

async function named(text: string) {
  return (await readObjects(text, 'f.yaml')).map(({ namespace, name }) => `${namespace}/${name}`);
}

async function readAll(text: string) {
  const objects = await readObjects(text, 'f.yaml');
  return Promise.all(objects.map((one) => one.read()));
}

describe('files of objects', () => {
  it('may hold several documents, and empty ones', async () => {
    const text = ['---', object(['name: one']), '---', '---', object(['name: one', 'namespace: two'])].join('\n');
    expect(await named(text)).toEqual(['default/one', 'two/one']);
  });

  it('may hold what the server of a cluster fills in', async () => {
    const metadata = ['name: one', 'uid: 1-2', 'generation: 3', 'labels: {a: b}', 'annotations: {c: d}'];
    expect(await named(`${object(metadata)}status: {experiment: {desiredPhase: Run}}\n`)).toEqual(['default/one']);
  });

  it('tell which objects they are though there is something wrong in them', async () => {
    const text = object(['name: one']).replace('delay', 'delya');
    expect(await named(text)).toEqual(['default/one']);
    await expect(readAll(text)).rejects.toThrow(/^f\.yaml:8:3: there is no field "delya" in spec/u);
  });

  it.each<readonly [string, string, RegExp]>([
    ['another kind', object(['name: a'], 'PodChaos'), /^f\.yaml:2:7: there is no kind "PodChaos" here/u],
    ['what is not of Chaos Mesh', object(['name: a']).replace('chaos-mesh.org', 'apps'), /^f\.yaml:1:13: .*apps\/v1/u],
    ['no apiVersion', object(['name: a']).replace(/^.*\n/u, ''), /^f\.yaml:1:1: .*has no apiVersion/u],
    ['no kind', object(['name: a']).replace(/^kind.*\n/mu, ''), /^f\.yaml:1:1: the object has no kind/u],
    ['no name', object(['labels: {}']), /^f\.yaml:1:1: the object has no name/u],
    ['no metadata', object(['name: a']).replace(/metadata:\n.*\n/u, ''), /^f\.yaml:1:1: the object has no name/u],
    ['a name that cannot be', object(['name: a:b']), /^f\.yaml:4:9: "a:b" cannot be a name/u],
    ['a number for a name', object(['name: 12']), /^f\.yaml:4:9: name must be a text/u],
    ['a namespace that cannot be', object(['name: a', 'namespace: a.b']), /^f\.yaml:5:14: "a\.b" cannot be/u],
    ['metadata that is none', object(['nmae: a']), /^f\.yaml:4:3: there is no field "nmae" in metadata/u],
    ['a field beside spec', `${object(['name: a'])}specs: 1\n`, /^f\.yaml:9:1: there is no field "specs" in the obj/u],
    ['no spec', object(['name: a']).replace(/spec:[^]*/u, ''), /^f\.yaml:1:1: the object has no spec/u],
    ['a spec that is a text', object(['name: a']).replace(/spec:[^]*/u, 'spec: x\n'), /^f\.yaml:5:7: spec must be/u],
    ['a duration that is none', `${object(['name: a'])}  duration: 5 min\n`, /^f\.yaml:9:13: duration "5 min" is not/u],
    ['two of one name', `${object(['name: a'])}---\n${object(['name: a'])}`, /^f\.yaml:10:1: .* stands in line 1/u],
    [
      'a paused one',
      object(['name: a', "annotations: {experiment.chaos-mesh.org/pause: 'true'}"]),
      /:5:3: it is paused/u,
    ],
    ['a list', '- 1\n', /^f\.yaml:1:1: the object must be an object/u],
    ['no YAML', `${object(['name: a'])}  a: [\n`, /^f\.yaml:\d+:\d+: /u],
    ['an alias to nothing', `${object(['name: a'])}  path: *nowhere\n`, /^f\.yaml:9:9: /u],
    ['an alias to itself', `${object(['name: a'])}  selector: &s {x: *s}\n`, /^f\.yaml:9:\d+: this is no plain data/u],
    ['nothing', '# nothing\n', /^f\.yaml is empty/u],
  ])('refuses %s, with its place', async (_what, text, message) => {
    await expect(readAll(text)).rejects.toThrow(FaultlineError);
    await expect(readAll(text)).rejects.toThrow(message);
  });

  it('refuses what blows up', async () => {
    const lines = Array.from({ length: 12 }, (_, i) => `    a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`);
    const bomb = `${object(['name: a'])}  selector:\n    a0: &a0 [x]\n${lines.join('\n')}\n`;
    await expect(readAll(bomb)).rejects.toThrow(/^f\.yaml:\d+:\d+: this is no plain data/u);
  });
});
