import { seededRandom } from '../../../src/base/random.ts';
import { errnoName } from '../../../src/linux/errno.ts';
import { calls } from '../posix/calls.ts';
import { Generator } from './operations.ts';
import { Volume } from './volume.ts';

/* The same operations by several processes in one folder: nobody can say what each must give, but much it must not. */

export interface RoamRequest {
  readonly folder: string;
  readonly seed: string;
  readonly count: number;
}

/** What may come of names that others change at the same time. */
const usual: ReadonlySet<string> = new Set(
  'ENOENT EEXIST ENOTDIR EISDIR ENOTEMPTY ELOOP EINVAL EBADF EPERM ENODATA'.split(' '),
);

/** Do operations that are drawn from a seed. @returns what came of them that never should, each once */
export function roam({ folder, seed, count }: RoamRequest): readonly string[] {
  const generator = new Generator(seededRandom(seed));
  const volume = new Volume(folder);
  const strange = new Set<string>();
  calls.umask(0);
  for (let step = 0; step < count; step++) {
    const operation = generator.next();
    // Memory of a file that another has cut short is SIGBUS.
    if (operation.do === 'peek' || operation.do === 'poke') continue;
    const result = volume.apply(operation);
    if (typeof result !== 'number' || result >= 0) continue;
    const name = errnoName(-result) ?? String(result);
    if (!usual.has(name)) strange.add(`${operation.do}: ${name}`);
  }
  volume.close();
  calls.umask(0o022);
  return [...strange].toSorted();
}
