/** One thing that the current word may become. */
export interface Candidate {
  readonly value: string;
  /** A few words beside it, in shells that show such; perhaps empty. */
  readonly description: string;
}

/** What to offer: candidates, or what the shell itself finds best. */
export type Answer =
  | { readonly what: 'words'; readonly candidates: readonly Candidate[] }
  | { readonly what: 'files' | 'folders' };

export function candidate(value: string, description = ''): Candidate {
  return { value, description };
}
