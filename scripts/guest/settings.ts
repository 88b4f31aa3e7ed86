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

/** @throws Error a value is no number */
export function settings(): Settings {
  return Object.freeze({
    memoryMib: positive('GUEST_MEMORY', 768),
    timeoutMs: positive('GUEST_TIMEOUT', 600) * 1000,
  });
}
