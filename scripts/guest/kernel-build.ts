import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseKernelConfig, unmetOptions } from './kernel-config.ts';
import { fragmentFile, type KernelRecipe } from './kernel-recipe.ts';
import { runTool } from './run-tool.ts';

const progressMs = 30_000;

function say(text: string): void {
  console.error(`guest kernel: ${text}`);
}

/**
 * Unpack the source and configure it: everything off, then what the fragment asks for, then what follows from that.
 *
 * @throws Error an option of the fragment did not survive
 */
async function configure(recipe: KernelRecipe, tree: string, signal: AbortSignal): Promise<void> {
  const options = { cwd: tree, signal };
  say(`unpacking ${recipe.archive}`);
  await runTool('tar', ['-xf', recipe.archive, '--strip-components=1'], options);
  say('configuring');
  const fragment = path.join(tree, 'wanted.config');
  writeFileSync(fragment, recipe.fragment);
  await runTool('make', ['allnoconfig'], options);
  await runTool('scripts/kconfig/merge_config.sh', ['-m', '.config', fragment], options);
  await runTool('make', ['olddefconfig'], options);
  const config = parseKernelConfig(readFileSync(path.join(tree, '.config'), 'utf8'));
  const unmet = unmetOptions(parseKernelConfig(recipe.fragment), config);
  if (unmet.length > 0) {
    throw new Error(`Linux ${recipe.series} does not take ${fragmentFile} as it is:\n  ${unmet.join('\n  ')}`);
  }
}

async function compile(tree: string, signal: AbortSignal): Promise<void> {
  const jobs = availableParallelism();
  say(`compiling with ${jobs} jobs, which takes 6 to 17 minutes on two processors`);
  const startedAt = performance.now();
  let steps = 0;
  const progress = setInterval(() => {
    say(`${Math.round((performance.now() - startedAt) / 1000)} s, ${steps} steps`);
  }, progressMs);
  try {
    await runTool('make', [`-j${jobs}`, 'bzImage'], { cwd: tree, signal, onLine: () => (steps += 1) });
  } finally {
    clearInterval(progress);
  }
}

/** Work in a folder beside the kernels that are kept: it takes gigabytes, which a `/tmp` in memory may not have. */
async function withTree<Result>(near: string, work: (tree: string) => Promise<Result>): Promise<Result> {
  mkdirSync(near, { recursive: true });
  const tree = mkdtempSync(path.join(near, 'build-'));
  try {
    return await work(tree);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

/**
 * Build the kernel.
 *
 * @param file where it is kept, with its configuration beside it; it appears there whole or not at all
 * @throws Error a step fails, or the source does not have an option that the fragment asks for
 */
export async function buildKernel(recipe: KernelRecipe, file: string, signal: AbortSignal): Promise<void> {
  const folder = path.dirname(file);
  await withTree(path.dirname(folder), async (tree) => {
    await configure(recipe, tree, signal);
    await compile(tree, signal);
    mkdirSync(folder, { recursive: true });
    copyFileSync(path.join(tree, '.config'), path.join(folder, 'config'));
    copyFileSync(path.join(tree, 'arch/x86/boot/bzImage'), `${file}.new`);
    renameSync(`${file}.new`, file);
  });
  say(`built ${file}`);
}

/** Only see whether the source takes the fragment, in a minute. @throws Error it does not */
export async function checkFragment(recipe: KernelRecipe, folder: string, signal: AbortSignal): Promise<void> {
  await withTree(folder, (tree) => configure(recipe, tree, signal));
  say(`Linux ${recipe.series} takes all of ${fragmentFile}`);
}
