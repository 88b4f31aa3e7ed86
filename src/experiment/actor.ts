import { readFileSync } from 'node:fs';
import type { JsonObject } from '../base/json.ts';
import { userName } from '../linux/users.ts';

/** `loginuid` of a process that nobody logged in for: (uid_t) -1, see proc_pid_loginuid(5). */
const noLogin = 0xffffffff;

/** The user who logged in, which survives `sudo` and `su`; the kernel keeps it where auditing is compiled in. */
function loginUid(): number | null {
  try {
    const uid = Number(readFileSync('/proc/self/loginuid', 'latin1'));
    return uid === noLogin ? null : uid;
  } catch {
    return null;
  }
}

/** Who acts, for the audit log: the user, the user who logged in, and the process. */
export function currentActor(via: string): JsonObject {
  const uid = process.geteuid?.() ?? 0;
  const login = loginUid();
  return Object.freeze({
    via,
    uid,
    user: userName(uid) ?? null,
    loginUid: login,
    sudoUser: process.env['SUDO_USER'] ?? null,
    pid: process.pid,
    parentPid: process.ppid,
  });
}
