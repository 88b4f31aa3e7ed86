/**
 * Checks who imports whom, by the rules of `.dependency-cruiser.mjs`, and checks that those rules can be broken: a tree
 * that breaks each of them once, in a temporary folder, must be reported line by line, and nothing else in it.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { plantedFiles, plantedViolations } from './lib/planted-imports.ts';
import { filesUnder, root } from './lib/tree.ts';

interface Cruise {
  readonly modules: readonly { readonly source: string; readonly dependencies: readonly unknown[] }[];
  readonly summary: {
    readonly totalDependenciesCruised: number;
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
      readonly cycle?: readonly { readonly name: string }[];
    }[];
  };
}

const tool = path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

function cruise(folder: string): Cruise {
  const config = path.join(root, '.dependency-cruiser.mjs');
  const json = execFileSync(process.execPath, [tool, '--config', config, '--output-type', 'json', 'src'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  return JSON.parse(json) as Cruise;
}

/** One line for each broken rule. */
function broken({ summary }: Cruise): readonly string[] {
  const lines = summary.violations.map(
    ({ rule, from, to, cycle = [] }) =>
      `${rule.name}: ${from} → ${cycle.length > 0 ? cycle.map(({ name }) => name).join(' → ') : to}`,
  );
  return [...new Set(lines)].toSorted();
}

/** Files whose imports the tool did not see, although anybody can. */
function unseen({ modules }: Cruise): readonly string[] {
  const seen = new Map(modules.map(({ source, dependencies }) => [source, dependencies.length]));
  return filesUnder('src', '.ts').filter((file) => {
    const imports = /^(?:import|export) .*from '/mu.test(readFileSync(path.join(root, file), 'utf8'));
    return (seen.get(file) ?? -1) < (imports ? 1 : 0);
  });
}

/** Plants every violation and says which were not reported, and what was reported that is none. */
function blindness(): readonly string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-boundaries-'));
  try {
    symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
    writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
    for (const [name, text] of Object.entries(plantedFiles())) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), text);
    }
    const found = new Set(cruise(folder).summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`));
    const planted = new Set(plantedViolations.map(({ rule, from }) => `${rule}: ${from}`));
    return [
      ...[...planted].filter((line) => !found.has(line)).map((line) => `planted and not found: ${line}`),
      ...[...found].filter((line) => !planted.has(line)).map((line) => `found and not planted: ${line}`),
      ...[...ruleNames]
        .filter((name) => !plantedViolations.some(({ rule }) => rule === name))
        .map((name) => `no violation is planted for the rule ${name}`),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { default: config } = (await import(path.join(root, '.dependency-cruiser.mjs'))) as {
  readonly default: { readonly forbidden: readonly { readonly name: string }[] };
};
const ruleNames = new Set(config.forbidden.map(({ name }) => name));

const real = cruise(root);
const problems = [
  ...broken(real),
  ...unseen(real).map((file) => `${file}: its imports were not seen, so no rule was applied to them`),
  ...blindness(),
];
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
} else {
  console.log(
    `${real.modules.length} modules, ${real.summary.totalDependenciesCruised} imports, ` +
      `${ruleNames.size} rules, ${plantedViolations.length} planted violations found`,
  );
}
