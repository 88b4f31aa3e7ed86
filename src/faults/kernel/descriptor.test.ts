import { describe, expect, it } from 'vitest';
import { flagName } from '../../base/schema.ts';
import { kernelFault } from './descriptor.ts';

/** The options of every attack, which no fault may have as well. */
const reserved = ['uid', 'duration', 'max-targets', 'max-percent', 'allow-overlap', 'schedule', 'dry-run', 'output'];

describe('attack kernel', () => {
  const { fail } = kernelFault.actions;

  it('has flags with a description each, and none that every attack has', () => {
    for (const [name, property] of Object.entries(fail?.schema.properties ?? {})) {
      expect(property['description'], name).toMatch(/^[A-Z].{10,}/u);
      expect(reserved).not.toContain(flagName(name));
    }
  });

  it('has examples that name its flags', () => {
    const known = [...Object.keys(fail?.schema.properties ?? {}).map(flagName), ...reserved];
    for (const { command } of fail?.examples ?? []) {
      expect(command).toMatch(/^attack kernel --/u);
      const flags = [...command.matchAll(/ --([a-z-]+)/gu)].map(([, flag = '']) => flag);
      for (const flag of flags) expect(known).toContain(flag);
    }
  });
});
