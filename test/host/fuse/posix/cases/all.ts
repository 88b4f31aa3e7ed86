import type { PosixCase } from '../../../../support/posix/scene.ts';
import { attributeCases } from './attributes.ts';
import { copyCases } from './copies.ts';
import { dataCases } from './data.ts';
import { directoryCases } from './directories.ts';
import { lifeCases } from './life.ts';
import { limitCases } from './limits.ts';
import { lockCases } from './locks.ts';
import { memoryCases } from './memory.ts';
import { nameCases } from './names.ts';
import { openCases } from './open.ts';
import { permissionCases } from './permissions.ts';
import { timeCases } from './times.ts';
import { xattrCases } from './xattr.ts';

/** The whole battery. */
export const posixCases: readonly PosixCase[] = [
  ...openCases,
  ...nameCases,
  ...dataCases,
  ...copyCases,
  ...limitCases,
  ...timeCases,
  ...attributeCases,
  ...xattrCases,
  ...permissionCases,
  ...lockCases,
  ...directoryCases,
  ...lifeCases,
  ...memoryCases,
];
