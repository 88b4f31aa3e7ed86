/** What the environment says of the guest. */
export interface Settings {
  readonly memoryMib: number;
  readonly timeoutMs: number;
}

function positive(name: string, usual: number): number {
  const text = process.env[name] ?? '';
  const value = text === '' ? usual : Number(text);
  if (!(value > 0)) throw new Error(`${name}=${text}: it is a number greater than 0`);
  return value;
}

/**
 * @param timeoutSeconds where the environment says nothing
 * @throws Error a value is no number
 */
export function settings(timeoutSeconds: number): Settings {
  return Object.freeze({
    memoryMib: positive('GUEST_MEMORY', 768),
    timeoutMs: positive('GUEST_TIMEOUT', timeoutSeconds) * 1000,
  });
}
