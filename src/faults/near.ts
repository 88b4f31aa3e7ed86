import { editDistance } from '../targets/near-names.ts';

/** A hint for a word that is none of the known ones: the one that may have been meant, or all. */
export function nearHint(word: string, known: readonly string[]): string {
  const wanted = word.slice(0, 40).toLowerCase();
  const distances = known.map((one) => [editDistance(wanted, one.toLowerCase()), one] as const);
  const [nearest] = distances.toSorted(([near], [far]) => near - far);
  const tolerated = Math.max(1, Math.floor(wanted.length / 3));
  if (nearest !== undefined && nearest[0] <= tolerated) return `did you mean ${nearest[1]}?`;
  return `there is: ${known.join(', ')}`;
}
