import { FaultlineError } from '../../base/error.ts';
import { type JsonObject, toJson } from '../../base/json.ts';
import { checkProperty, parseInput } from '../../base/schema.ts';
import type { Static } from '../../base/schema-types.ts';
import { printable } from '../../base/text.ts';
import { type ErrnoName, errnoNumber } from '../../linux/errno.ts';
import { parseCriteria } from '../../targets/criteria.ts';
import { type FailType, failTypeNamed } from './fail-points.ts';
import { type Frame, parseFrame, parseSpecText } from './frame-syntax.ts';
import { kernelSchema, type Way } from './schema.ts';

/** Who is hit. */
export type KernelScope =
  /** A path as `cgroupMembers` takes it. */
  | { readonly kind: 'cgroup'; readonly path: string }
  /** `children`: those that they start, too. */
  | { readonly kind: 'processes'; readonly process: string; readonly children: boolean }
  | { readonly kind: 'system' };

/** What is to fail in the kernel, with every default filled in. Plain JSON. */
export interface KernelSpec {
  /** What fails; null: `function` does. */
  readonly failtype: FailType | null;
  readonly function: string | null;
  readonly errno: ErrnoName | null;
  /** The outermost first. */
  readonly frames: readonly Frame[];
  /** A predicate on the parameters of what fails. */
  readonly condition: Pick<Frame, 'parameters' | 'predicate'> | null;
  /** More than 0, up to 100. */
  readonly probability: number;
  /** null: without end. */
  readonly times: number | null;
  readonly scope: KernelScope;
  /** null: the best that the host has. */
  readonly via: Way | null;
  /** Once in each thread, at this call; null: whenever it is the turn of it. */
  readonly nth: number | null;
  readonly headers: readonly string[];
}

type Input = Static<typeof kernelSchema>;

function refuse(sentence: string, hint: string): never {
  throw new FaultlineError('ARGUMENT_INVALID', sentence, { hint });
}

const functionName = /^[A-Za-z_][\w.]{0,200}$/u;

function nameOf(given: string): string {
  const name = given.trim();
  if (functionName.test(name)) return name;
  return refuse(
    `"${printable(name.slice(0, 80))}" cannot be a function`,
    'as /proc/kallsyms lists it: __x64_sys_mount',
  );
}

function textOrNull(text: string | undefined): string | null {
  return text === undefined || text.trim() === '' ? null : text;
}

/** The frames as one of the three ways to say it has them, the outermost first. */
function framesOf({ frame, spec, callchain }: Input): readonly Frame[] {
  if ([frame, spec, callchain].filter((one) => one !== undefined).length > 1) {
    refuse('the frames are given in several ways', 'give one of --frame, --spec and --callchain');
  }
  if (frame !== undefined) return frame.map((one) => checkProperty('frame', () => parseFrame(one)));
  if (spec !== undefined) return checkProperty('spec', () => parseSpecText(spec));
  return (callchain ?? []).map(({ funcname, parameters, predicate }) => ({
    function: (funcname ?? '').trim(),
    parameters: textOrNull(parameters),
    predicate: textOrNull(predicate),
  }));
}

interface Chain {
  readonly frames: readonly Frame[];
  readonly condition: KernelSpec['condition'];
}

const maxFrames = 16;

function chainOf(input: Input): Chain {
  const all = framesOf(input);
  const frames = all.filter((one) => one.function !== '');
  const [unnamed, ...others] = all.filter((one) => one.function === '');
  if (others.length > 0 || (unnamed !== undefined && all.at(-1) !== unnamed)) {
    refuse('a frame has no function', 'only the innermost may have none: its predicate is about what fails itself');
  }
  if (frames.length > maxFrames) refuse(`there are ${frames.length} frames`, `up to ${maxFrames} can be followed`);
  return {
    frames: frames.map((one) => ({ ...one, function: checkProperty('frame', () => nameOf(one.function)) })),
    condition:
      unnamed?.predicate === null || unnamed === undefined
        ? null
        : { parameters: unnamed.parameters, predicate: unnamed.predicate },
  };
}

function scopeOf(input: Input, isNarrow: boolean): KernelScope {
  const { cgroup, process, children = false, systemWide = false, yesSystemWide = false } = input;
  const given = [cgroup !== undefined, process !== undefined, systemWide].filter(Boolean).length;
  if (given !== 1) {
    const problem = given === 0 ? 'nothing says who is hit' : 'there are several answers to who is hit';
    refuse(problem, 'give one of --cgroup PATH, --process NAME|PID and --system-wide');
  }
  if (children && process === undefined) refuse('--children is of --process', 'a cgroup has all of them by itself');
  if (cgroup !== undefined) return { kind: 'cgroup', path: cgroup };
  if (process !== undefined) {
    checkProperty('process', () => parseCriteria({ process }));
    return { kind: 'processes', process, children };
  }
  if (!isNarrow && !yesSystemWide) {
    refuse(
      'this would fail the whole host wherever it asks for it',
      'name a frame or a predicate, choose --cgroup or --process, or say --yes-system-wide',
    );
  }
  return { kind: 'system' };
}

function failureOf({ failtype, function: name, errno }: Input): Pick<KernelSpec, 'failtype' | 'function' | 'errno'> {
  if (failtype !== undefined && name !== undefined) {
    refuse('--failtype and --function say two things', 'give one of them');
  }
  if (name !== undefined) {
    const number = errno === undefined ? 0 : errnoNumber(errno.toUpperCase());
    if (number === undefined) {
      refuse(`there is no error "${printable((errno ?? '').slice(0, 40))}"`, 'by name as in errno(3): ENOMEM, EIO');
    }
    const checked = checkProperty('function', () => nameOf(name));
    return { failtype: null, function: checked, errno: (errno?.toUpperCase() as ErrnoName | undefined) ?? null };
  }
  if (errno !== undefined) refuse('--errno is of --function', 'what the three types fail with, the kernel has fixed');
  if (failtype === undefined) {
    refuse('nothing says what fails', 'give --failtype slab, page or bio, or --function NAME');
  }
  return { failtype: checkProperty('failtype', () => failTypeNamed(failtype)), function: null, errno: null };
}

/**
 * Check the input of `attack kernel`. Nothing is looked up: whether there are such functions, types, cgroups and
 * processes is asked when it is planned.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID, NAME_INVALID, PID_INVALID
 */
export async function parseSpec(raw: JsonObject): Promise<KernelSpec> {
  const { failKernRequest, ...own } = await parseInput(kernelSchema, raw);
  const input: Input = { ...failKernRequest, ...own };
  const chain = chainOf(input);
  const failure = failureOf(input);
  const isNarrow = chain.frames.length > 0 || chain.condition !== null;
  return Object.freeze({
    ...failure,
    ...chain,
    probability: input.probability ?? 100,
    times: input.times ?? null,
    scope: scopeOf(input, isNarrow),
    via: (input.via as Way | undefined) ?? null,
    nth: input.nth ?? null,
    headers: input.headers ?? [],
  });
}

/** The journal's copy. */
export function specToJson(spec: KernelSpec): JsonObject {
  return toJson(spec) as JsonObject;
}

/** Back from the journal, where it was written by {@link specToJson}. */
export function specFromJson(json: JsonObject): KernelSpec {
  return json as unknown as KernelSpec;
}
