/** `the recover command exited with 1 after 3 ms: sh: 1: …` */
const saidByCommand = /(the recover command [^:]*): .*/gsu;

/**
 * A sentence about a recover command without what the command said: a shell quotes the command in its errors, and the
 * command may hold a password.
 */
export function withoutCommandOutput(sentence: string): string {
  return sentence.replaceAll(saidByCommand, '$1');
}
