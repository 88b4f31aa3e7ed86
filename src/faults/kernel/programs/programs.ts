import { FaultlineError } from '../../../base/error.ts';
import { type BpfProgram, JumpTooFar } from '../../../linux/bpf/assembler.ts';
import { StackFull } from '../compiler/stack.ts';
import type { Design, MapReferences } from './design.ts';
import { failureProgram } from './failure.ts';
import { exitProgram, forkProgram } from './descendants.ts';
import { entryProgram, returnProgram } from './frames.ts';

/** Where a program is to run. */
export type Attachment =
  | { readonly kind: 'entry' | 'return' | 'override' | 'modify-return'; readonly function: string }
  | { readonly kind: 'tracepoint'; readonly name: string };

export interface PlannedProgram {
  readonly name: string;
  readonly attachment: Attachment;
  readonly program: BpfProgram;
}

/** A program whose predicate needs more room than there is tells so. */
function written(name: string, predicate: string | undefined, write: () => BpfProgram): BpfProgram {
  try {
    return write();
  } catch (error) {
    if (!(error instanceof StackFull || error instanceof JumpTooFar)) throw error;
    throw new FaultlineError('ARGUMENT_INVALID', `the predicate of ${name} is too large: ${error.message}`, {
      hint: 'compare shorter texts, or nest fewer operators in each other',
      cause: error,
      details: { predicate },
    });
  }
}

/**
 * The programs of an injection, in the order in which they are to be attached: what fails comes first and does nothing
 * until the frames are followed; of a frame the return comes first, so that no entry is left without.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID: a predicate is too large
 */
export function programsOf(design: Design, maps: MapReferences): readonly PlannedProgram[] {
  const { frames, fail, scope } = design;
  const text = (index: number): string | undefined => frames[index]?.predicate?.source.text;
  const follow: readonly PlannedProgram[] =
    scope.kind === 'processes' && scope.follow
      ? [
          {
            name: 'follow_children',
            attachment: { kind: 'tracepoint', name: 'sched_process_fork' },
            program: forkProgram(design, maps),
          },
          {
            name: 'forget_ended',
            attachment: { kind: 'tracepoint', name: 'sched_process_free' },
            program: exitProgram(design, maps),
          },
        ]
      : [];
  const failing: PlannedProgram = {
    name: 'fail',
    attachment: { kind: fail.way, function: fail.function },
    program: written(fail.function, fail.predicate?.source.text, () => failureProgram(design, maps)),
  };
  const following = frames.toReversed().flatMap((frame, reversed): readonly PlannedProgram[] => {
    const index = frames.length - 1 - reversed;
    const { function: name } = frame;
    return [
      {
        name: `return_${index + 1}`,
        attachment: { kind: 'return', function: name },
        program: returnProgram(design, maps, index),
      },
      {
        name: `enter_${index + 1}`,
        attachment: { kind: 'entry', function: name },
        program: written(name, text(index), () => entryProgram(design, maps, index)),
      },
    ];
  });
  return [...follow, failing, ...following];
}
