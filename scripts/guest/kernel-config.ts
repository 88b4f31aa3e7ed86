/** Options of a kernel's configuration by name, each as it stands after `=`; `n` for those that are not set. */
export type KernelConfig = ReadonlyMap<string, string>;

/** Reads a `.config` or a fragment of one: Documentation/kbuild/kconfig.rst. */
export function parseKernelConfig(text: string): KernelConfig {
  const options = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, set, value, unset] = /^(CONFIG_\w+)=(.*)$|^# (CONFIG_\w+) is not set$/u.exec(line.trim()) ?? [];
    if (set !== undefined) options.set(set, value ?? '');
    else if (unset !== undefined) options.set(unset, 'n');
  }
  return options;
}

/**
 * What a fragment asks for and a configuration does not have. Kconfig drops in silence what it knows no more, and what
 * depends on an option that is off.
 *
 * @returns a line each; none if all is as wanted
 */
export function unmetOptions(wanted: KernelConfig, actual: KernelConfig): readonly string[] {
  return [...wanted]
    .map(([name, value]) => ({ name, value, is: actual.get(name) ?? 'n' }))
    .filter(({ value, is }) => value !== is)
    .map(({ name, value, is }) => `${name} should be ${value} and is ${is}`);
}
