import path from 'node:path';

/** An import that breaks a rule of `.dependency-cruiser.mjs`. */
interface PlantedViolation {
  readonly rule: string;
  readonly from: string;
  /** A file in the planted tree, or the name of a package. */
  readonly to: string;
  /** As the import is to be written: of values unless said otherwise. */
  readonly how?: 'type' | 'late';
}

/** At least one for each rule. A file that breaks two stands here twice. */
export const plantedViolations: readonly PlantedViolation[] = [
  { rule: 'no-import-runs-up-from-floor-0', from: 'src/base/up.ts', to: 'src/linux/ok.ts' },
  { rule: 'no-import-runs-up-from-floor-0', from: 'src/base/up-type.ts', to: 'src/experiment/ok.ts', how: 'type' },
  { rule: 'no-import-runs-up-from-floor-0', from: 'src/store/up.ts', to: 'src/linux/ok.ts' },
  { rule: 'no-import-runs-up-from-floor-1', from: 'src/linux/up.ts', to: 'src/targets/ok.ts' },
  { rule: 'no-import-runs-up-from-floor-1', from: 'src/linux/up-late.ts', to: 'src/targets/ok.ts', how: 'late' },
  { rule: 'no-import-runs-up-from-floor-2', from: 'src/targets/up.ts', to: 'src/faults/fault.ts', how: 'type' },
  { rule: 'no-import-runs-up-from-floor-3', from: 'src/faults/up.ts', to: 'src/experiment/ok.ts' },
  { rule: 'no-import-runs-up-from-floor-3', from: 'src/forensics/up.ts', to: 'src/experiment/ok.ts' },
  { rule: 'no-import-runs-up-from-floor-3', from: 'src/faults/one/up.ts', to: 'src/cli/ok.ts' },
  { rule: 'no-import-runs-up-from-floor-4', from: 'src/experiment/up.ts', to: 'src/cli/ok.ts' },
  { rule: 'no-import-runs-up-from-floor-4', from: 'src/experiment/up-late.ts', to: 'src/server/ok.ts', how: 'late' },
  { rule: 'no-import-runs-up-from-floor-4', from: 'src/experiment/up-api.ts', to: 'src/api/ok.ts', how: 'type' },
  { rule: 'no-import-runs-up-from-floor-5', from: 'src/api/up.ts', to: 'src/cli/ok.ts' },
  { rule: 'no-import-runs-up-from-floor-5', from: 'src/api/up-type.ts', to: 'src/server/ok.ts', how: 'type' },
  { rule: 'no-import-runs-up-from-floor-5', from: 'src/runner/up.ts', to: 'src/cli/ok.ts', how: 'late' },
  { rule: 'no-import-runs-sideways-from-base', from: 'src/base/sideways.ts', to: 'src/store/ok.ts' },
  { rule: 'only-experiment-and-server-import-store', from: 'src/base/sideways.ts', to: 'src/store/ok.ts' },
  { rule: 'no-import-runs-sideways-from-faults', from: 'src/faults/sideways.ts', to: 'src/forensics/ok.ts' },
  { rule: 'no-import-runs-sideways-from-forensics', from: 'src/forensics/sideways.ts', to: 'src/faults/fault.ts' },
  { rule: 'no-import-runs-sideways-from-api', from: 'src/api/sideways.ts', to: 'src/runner/ok.ts' },
  { rule: 'no-import-runs-sideways-from-runner', from: 'src/runner/sideways.ts', to: 'src/api/ok.ts', how: 'type' },
  { rule: 'no-import-runs-sideways-from-demo', from: 'src/demo/sideways.ts', to: 'src/runner/ok.ts', how: 'type' },
  { rule: 'no-import-runs-sideways-from-cli', from: 'src/cli/sideways.ts', to: 'src/server/ok.ts' },
  { rule: 'no-import-runs-sideways-from-server', from: 'src/server/sideways.ts', to: 'src/cli/ok.ts' },
  { rule: 'no-import-runs-sideways-from-kubernetes', from: 'src/kubernetes/sideways.ts', to: 'src/server/ok.ts' },
  { rule: 'no-import-runs-sideways-from-dashboard', from: 'src/dashboard/sideways.ts', to: 'src/server/ok.ts' },
  { rule: 'dashboard-imports-only-the-types-of-the-api', from: 'src/dashboard/sideways.ts', to: 'src/server/ok.ts' },
  { rule: 'no-circles', from: 'src/targets/circle-one.ts', to: 'src/targets/circle-two.ts' },
  { rule: 'faults-do-not-know-each-other', from: 'src/faults/one/other.ts', to: 'src/faults/two/fault.ts' },
  {
    rule: 'faults-do-not-know-each-other',
    from: 'src/faults/two/other.ts',
    to: 'src/faults/one/fault.ts',
    how: 'type',
  },
  { rule: 'faults-come-from-the-registry', from: 'src/faults/shared.ts', to: 'src/faults/one/fault.ts' },
  { rule: 'faults-come-from-the-registry', from: 'src/cli/fault.ts', to: 'src/faults/one/fault.ts', how: 'late' },
  { rule: 'only-linux-imports-koffi', from: 'src/targets/koffi.ts', to: 'koffi' },
  { rule: 'only-linux-imports-koffi', from: 'src/base/koffi.ts', to: 'koffi', how: 'late' },
  { rule: 'only-store-imports-sqlite', from: 'src/experiment/sqlite.ts', to: '@photostructure/sqlite' },
  { rule: 'only-store-imports-sqlite', from: 'src/base/sqlite.ts', to: '@photostructure/sqlite', how: 'type' },
  { rule: 'only-experiment-and-server-import-store', from: 'src/cli/store.ts', to: 'src/store/ok.ts' },
  { rule: 'only-experiment-and-server-import-store', from: 'src/runner/store.ts', to: 'src/store/ok.ts' },
  { rule: 'only-experiment-and-server-import-store', from: 'src/faults/one/store.ts', to: 'src/store/ok.ts' },
  { rule: 'only-experiment-and-server-import-store', from: 'src/linux/store.ts', to: 'src/store/ok.ts', how: 'type' },
  { rule: 'dashboard-imports-only-the-types-of-the-api', from: 'src/dashboard/base.ts', to: 'src/base/ok.ts' },
  { rule: 'sources-do-not-import-tests-or-tools', from: 'src/base/tests.ts', to: 'test/helper.ts' },
  { rule: 'sources-do-not-import-tests-or-tools', from: 'src/linux/bench.ts', to: 'bench/helper.ts' },
  { rule: 'sources-do-not-import-tests-or-tools', from: 'src/linux/scripts.ts', to: 'scripts/helper.ts', how: 'late' },
  { rule: 'sources-do-not-import-tests-or-tools', from: 'src/cli/test.ts', to: 'src/base/ok.test.ts' },
  { rule: 'sources-do-not-import-tests-or-tools', from: 'src/base/vitest.ts', to: 'vitest' },
  { rule: 'everything-resolves', from: 'src/cli/nowhere.ts', to: 'src/cli/nothing-there.ts' },
];

/** Imports that keep the rules and must not be reported. */
const allowed: readonly Omit<PlantedViolation, 'rule'>[] = [
  // The other half of the circle above: one circle is reported once.
  { from: 'src/targets/circle-two.ts', to: 'src/targets/circle-one.ts', how: 'type' },
  { from: 'src/store/below.ts', to: 'src/base/ok.ts' },
  { from: 'src/store/sqlite.ts', to: '@photostructure/sqlite' },
  { from: 'src/linux/koffi.ts', to: 'koffi' },
  { from: 'src/targets/below.ts', to: 'src/linux/ok.ts' },
  { from: 'src/faults/one/port.ts', to: 'src/faults/fault.ts' },
  { from: 'src/faults/one/own.ts', to: 'src/faults/one/fault.ts' },
  { from: 'src/faults/registry.ts', to: 'src/faults/one/fault.ts' },
  { from: 'src/experiment/store.ts', to: 'src/store/ok.ts' },
  { from: 'src/server/store.ts', to: 'src/store/ok.ts' },
  { from: 'src/cli/registry.ts', to: 'src/faults/registry.ts' },
  { from: 'src/base/x.test.ts', to: 'vitest' },
];

/** The planted tree: path → text. */
export function plantedFiles(): Readonly<Record<string, string>> {
  const imports = [...plantedViolations, ...allowed];
  const targets = imports.map(({ to }) => to).filter((to) => to.endsWith('.ts') && !to.includes('nothing'));
  return {
    ...Object.fromEntries(
      targets.map((target) => [target, 'export const here = 1;\nexport type Here = typeof here;\n']),
    ),
    ...Object.fromEntries(imports.map((planted) => [planted.from, textOf(planted)])),
  };
}

function textOf({ from, to, how }: Omit<PlantedViolation, 'rule'>): string {
  const specifier = to.endsWith('.ts') ? relative(from, to) : to;
  if (how === 'late') {
    return `export const late = () => import('${specifier}');\n`;
  }
  const kind = how === 'type' ? 'import type' : 'import';
  const text = `${kind} * as there from '${specifier}';\nexport type There = typeof there;\n`;
  // The files of a circle are each other's targets as well.
  return `${text}export const here = 1;\n`;
}

function relative(from: string, to: string): string {
  const specifier = path.posix.relative(path.posix.dirname(from), to);
  return specifier.startsWith('.') ? specifier : `./${specifier}`;
}
