import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../lib/tree.ts';
import { cacheFolder } from './cache-folder.ts';
import { buildKernel, checkFragment } from './kernel-build.ts';
import { ensurePackages } from './kernel-packages.ts';
import { type KernelRecipe, kernelKey, kernelRecipe } from './kernel-recipe.ts';
import { Unavailable } from './unavailable.ts';

export interface Kernel {
  readonly file: string;
  /** Where it is from, to be told. */
  readonly origin: string;
}

/** What a command prints, without the end of the line; undefined where it cannot be run or fails. */
function printed(file: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

/** Of the package that is installed, or else of the one that would be. */
function sourceVersion({ sourcePackage }: KernelRecipe): string | undefined {
  const installed = printed('dpkg-query', ['-W', '-f', '${db:Status-Abbrev}${Version}', sourcePackage]);
  if (installed?.startsWith('ii ') === true) return installed.slice(3);
  const candidate = /Candidate: (\S+)/u.exec(printed('apt-cache', ['policy', sourcePackage]) ?? '')?.[1];
  return candidate === '(none)' ? undefined : candidate;
}

function kernelsFolder(): string {
  return path.join(cacheFolder(), 'kernels');
}

/** Where a kernel of this recipe is kept; undefined where it is not known what it would be built of, or with. */
function cachedFile(recipe: KernelRecipe): string | undefined {
  const source = sourceVersion(recipe);
  const compiler = printed('gcc', ['--version'])?.split('\n')[0];
  if (source === undefined || compiler === undefined) return undefined;
  return path.join(kernelsFolder(), kernelKey(recipe.fragment, source, compiler), 'bzImage');
}

/** A kernel that was built elsewhere, if it is the recorded one. */
function givenKernel({ recorded, series }: KernelRecipe): Kernel | undefined {
  if (recorded === undefined) return undefined;
  const named = process.env['GUEST_BZIMAGE'] ?? '';
  const file = named === '' ? path.resolve(root, '..', 'shared', 'guest-kernel', 'bzImage') : path.resolve(named);
  if (named === '' && !existsSync(file)) return undefined;
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
  if (sha256 === recorded) return { file, origin: `given, Linux ${series}` };
  throw new Error(`${file} is not the recorded kernel of ${series}: its SHA-256 is ${sha256}`);
}

/**
 * The guest's kernel: kept from an earlier build, or given as `GUEST_BZIMAGE` (or beside the repository), or built now,
 * which takes 6 to 17 minutes of two processors.
 *
 * @throws Unavailable it is not there and cannot be built here
 * @throws Error a kernel is given that is another one, or the build fails
 */
export async function obtainKernel(signal: AbortSignal): Promise<Kernel> {
  if (process.arch !== 'x64') throw new Unavailable(`there is no guest for ${process.arch}, only for x64`);
  const recipe = kernelRecipe();
  // To ask apt takes a second, which is for nothing where none was ever built.
  const kept = existsSync(kernelsFolder()) ? cachedFile(recipe) : undefined;
  if (kept !== undefined && existsSync(kept)) return { file: kept, origin: `built earlier, Linux ${recipe.series}` };
  const given = givenKernel(recipe);
  if (given !== undefined) return given;
  await ensurePackages(recipe, signal);
  const file = cachedFile(recipe);
  if (file === undefined) throw new Unavailable('gcc or dpkg does not tell its version');
  if (!existsSync(file)) await buildKernel(recipe, file, signal);
  return { file, origin: `built now, Linux ${recipe.series}` };
}

/** See whether the source takes the fragment, without building it. @throws Unavailable, Error */
export async function checkRecipe(signal: AbortSignal): Promise<void> {
  const recipe = kernelRecipe();
  await ensurePackages(recipe, signal);
  await checkFragment(recipe, cacheFolder(), signal);
}
