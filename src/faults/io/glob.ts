import { type GlobNode, type GlobSequence, parseGlobSyntax, type PointRange } from './glob-syntax.ts';

/*
 * Path patterns, compiled to a nondeterministic automaton whose states are all followed at once (Thompson, "Regular
 * expression search algorithm", 1968): a path of n characters takes at most n times as many steps as the pattern has
 * parts, whatever the pattern.
 */

export interface Glob {
  /** As it was written. */
  readonly pattern: string;
  /**
   * Does it match the whole path? Names are text as `decodeFileName` makes it: `?` and a class match a character, or a
   * byte that is part of none.
   */
  matches(path: string): boolean;
  /** Does it match the folder, or may it match something in it? */
  reachesInto(folder: string): boolean;
}

/** What a state asks of the next character; `fork` asks nothing and leads to two states at once. */
type State =
  | { readonly kind: 'point'; readonly point: number; readonly next: number }
  | { readonly kind: 'name' | 'all'; readonly next: number }
  | {
      readonly kind: 'class';
      readonly negated: boolean;
      readonly ranges: readonly PointRange[];
      readonly next: number;
    }
  | { readonly kind: 'fork'; readonly next: number; readonly other: number }
  | { readonly kind: 'end' };

const slash = 0x2f;

function inRanges(ranges: readonly PointRange[], point: number): boolean {
  return ranges.some(([low, high]) => point >= low && point <= high);
}

function accepts(state: State, point: number): boolean {
  switch (state.kind) {
    case 'point':
      return state.point === point;
    case 'name':
      return point !== slash;
    case 'all':
      return true;
    case 'class':
      return point !== slash && inRanges(state.ranges, point) !== state.negated;
    case 'fork':
    case 'end':
      return false;
  }
}

/** Builds states from the end to the beginning, so that each knows where it leads. */
class AutomatonBuilder {
  readonly states: State[] = [{ kind: 'end' }];

  add(state: State): number {
    this.states.push(state);
    return this.states.length - 1;
  }

  sequence(nodes: GlobSequence, next: number): number {
    return nodes.reduceRight((after, node) => this.node(node, after), next);
  }

  private node(node: GlobNode, next: number): number {
    switch (node.kind) {
      case 'point':
        return this.add({ kind: 'point', point: node.point, next });
      case 'any':
        return this.add({ kind: 'name', next });
      case 'class':
        return this.add({ kind: 'class', negated: node.negated, ranges: node.ranges, next });
      case 'star':
        return this.repeated('name', next);
      case 'everything':
        return this.add({ kind: 'all', next: this.repeated('all', next) });
      case 'folders':
        return this.folders(next);
      case 'either':
        return this.either(node.alternatives, next);
    }
  }

  /** Any number of characters, none included. */
  private repeated(kind: 'name' | 'all', next: number): number {
    const fork = this.states.length;
    this.states.push({ kind: 'fork', next: fork + 1, other: next });
    this.states.push({ kind, next: fork });
    return fork;
  }

  /** Any number of names that end in a slash. */
  private folders(next: number): number {
    const again = this.states.length;
    this.states.push({ kind: 'fork', next: again + 1, other: next });
    this.states.push({ kind: 'name', next: again + 2 });
    this.states.push({ kind: 'fork', next: again + 1, other: again + 3 });
    this.states.push({ kind: 'point', point: slash, next: again });
    return again;
  }

  private either(alternatives: readonly GlobSequence[], next: number): number {
    return alternatives
      .map((alternative) => this.sequence(alternative, next))
      .reduce((one, other) => this.add({ kind: 'fork', next: one, other }));
  }
}

/** The states that the automaton is in, each once, in two lists that take turns. */
class Run {
  private current: number[] = [];
  private following: number[] = [];
  private readonly pending: number[] = [];
  private readonly enteredAt: Int32Array;
  private step = 0;
  private readonly states: readonly State[];

  constructor(states: readonly State[]) {
    this.states = states;
    this.enteredAt = new Int32Array(states.length);
  }

  begin(start: number): void {
    this.enteredAt.fill(0);
    this.step = 1;
    this.current.length = 0;
    this.enter(start, this.current);
  }

  /** @returns false when no state is left */
  advance(point: number): boolean {
    this.step += 1;
    this.following.length = 0;
    for (const index of this.current) {
      const state = this.states[index];
      if (state === undefined || state.kind === 'end' || !accepts(state, point)) continue;
      this.enter(state.next, this.following);
    }
    [this.current, this.following] = [this.following, this.current];
    return this.current.length > 0;
  }

  get accepted(): boolean {
    return this.enteredAt[0] === this.step;
  }

  /** A state and all that it forks into. */
  private enter(first: number, into: number[]): void {
    this.pending.push(first);
    for (let index = this.pending.pop(); index !== undefined; index = this.pending.pop()) {
      if (this.enteredAt[index] === this.step) continue;
      this.enteredAt[index] = this.step;
      const state = this.states[index];
      if (state?.kind === 'fork') this.pending.push(state.other, state.next);
      else into.push(index);
    }
  }
}

/** What every path that matches begins with: the quickest way to see that one does not. */
function literalPrefix(nodes: GlobSequence): string {
  const end = nodes.findIndex(({ kind }) => kind !== 'point');
  return nodes
    .slice(0, end === -1 ? nodes.length : end)
    .map((node) => (node.kind === 'point' ? String.fromCodePoint(node.point) : ''))
    .join('');
}

/**
 * Compile an absolute path pattern.
 *
 * @param what names it in the error: `--path`
 * @throws {FaultlineError} ARGUMENT_INVALID, with the place of what is wrong in its hint
 */
export function parseGlob(pattern: string, what = '--path'): Glob {
  const nodes = parseGlobSyntax(pattern, what);
  const builder = new AutomatonBuilder();
  const start = builder.sequence(nodes, 0);
  const run = new Run(builder.states);
  const prefix = literalPrefix(nodes);

  function follow(path: string): boolean {
    run.begin(start);
    for (let at = 0; at < path.length; ) {
      const point = path.codePointAt(at) ?? 0;
      if (!run.advance(point)) return false;
      at += point > 0xffff ? 2 : 1;
    }
    return true;
  }

  return Object.freeze({
    pattern,
    matches: (path: string) => path.startsWith(prefix) && follow(path) && run.accepted,
    reachesInto: (folder: string) => follow(folder) && (run.accepted || run.advance(slash)),
  });
}
