import type { Json, JsonObject } from '../../base/json.ts';
import { type ObjectReader, podFields } from '../object-kind.ts';
import { errorAt, type Fields } from '../yaml-fields.ts';

/*
 * The `spec` of Chaos Mesh's KernelChaos, as its files have it.
 */

const specFields: Fields = { ...podFields, failKernRequest: 'any', scheduler: 'any' };

/** A field that is there and empty (`callchain:`) is left out, as Kubernetes does with its objects. */
function withoutNulls<Value extends Json>(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutNulls) as unknown as Value;
  if (typeof value !== 'object' || value === null) return value;
  const given = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(given.map(([name, field]) => [name, withoutNulls(field)])) as Value;
}

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
    const input: JsonObject = { failKernRequest: withoutNulls(given) };
    const notes =
      scheduler === undefined
        ? []
        : [`scheduler (line ${scheduler.place.line}) is not heeded: a schedule of Faultline does it again and again`];
    return Object.freeze({ action: 'fail', input, places: { failKernRequest: request.valuePlace }, notes });
  },
};
