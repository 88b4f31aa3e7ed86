/** Words in a schema that only the command line understands, and no reader of an API should meet. */
const commandLineWords = new Set(['placeholder', 'completion', 'aliases', 'chaosd', 'short', 'x-name', '$id']);

/** All of them that stand in a document as keywords. A property of a schema may be called so. */
export function commandLineWordsIn(document: unknown): readonly string[] {
  if (typeof document !== 'object' || document === null) return [];
  if (Array.isArray(document)) return document.flatMap(commandLineWordsIn);
  return Object.entries(document).flatMap(([keyword, value]: [string, unknown]) => {
    const inside = keyword === 'properties' ? Object.values(value as object) : value;
    return [...(commandLineWords.has(keyword) ? [keyword] : []), ...commandLineWordsIn(inside)];
  });
}
