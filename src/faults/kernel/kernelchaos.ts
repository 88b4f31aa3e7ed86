import type { JsonObject } from '../../base/json.ts';
import { type ObjectReader, podFields } from '../object-kind.ts';
import { errorAt, type Fields } from '../yaml-fields.ts';

/*
 * The `spec` of Chaos Mesh's KernelChaos, as its files have it.
 */

const specFields: Fields = { ...podFields, failKernRequest: 'any', scheduler: 'any' };

/** Reads a KernelChaos as `attack kernel`. */
export const kernelChaosReader: ObjectReader = {
  fields: specFields,
  read: (spec, at) => {
    const { failKernRequest: request, scheduler } = spec;
    if (request === undefined) {
      throw errorAt(at, 'spec has no failKernRequest', 'add failKernRequest with a failtype, as KernelChaos has it');
    }
    const given = request.value;
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      throw errorAt(
        request.valuePlace,
        'failKernRequest must be an object',
        'with failtype, callchain, probability, …',
      );
    }
    const input: JsonObject = { failKernRequest: given };
    const notes =
      scheduler === undefined
        ? []
        : [`scheduler (line ${scheduler.place.line}) is not heeded: a schedule of Faultline does it again and again`];
    return Object.freeze({ action: 'fail', input, places: { failKernRequest: request.valuePlace }, notes });
  },
};
