import { describe, expect, it } from 'vitest';
import { flagName } from '../../base/schema.ts';
import { ioActions } from './descriptor.ts';
import { type IoAction, parseSpec } from './spec.ts';

const actions = Object.entries(ioActions);

/** The options of every attack, which no fault may have as well. */
const reserved = ['uid', 'duration', 'max-targets', 'max-percent', 'allow-overlap', 'schedule', 'dry-run', 'output'];

describe('attack io', () => {
  it.each(actions)('%s has flags with a description each, and none that every attack has', (_name, { schema }) => {
    for (const [name, property] of Object.entries(schema.properties)) {
      expect(property['description'], name).toMatch(/^[A-Z].{10,}/u);
      expect(reserved).not.toContain(flagName(name));
    }
  });

  it.each(actions)('%s has examples that name its flags', async (name, { schema, examples }) => {
    expect(examples.length).toBeGreaterThan(0);
    for (const { command } of examples) {
      expect(command).toMatch(new RegExp(`^attack io ${name} `, 'u'));
      const flags = [...command.matchAll(/ --([a-z-]+)/gu)].map(([, flag = '']) => flag);
      const known = [...Object.keys(schema.properties).map(flagName), ...reserved];
      for (const flag of flags) expect(known).toContain(flag);
    }
    await expect(parseSpec(name as IoAction, {})).rejects.toThrow('volume (--volume) is missing');
  });
});
