import { FaultlineError } from '../base/error.ts';
import { errnoName } from './errno.ts';
import { type ArgumentType, bindUnchecked, stringAt } from './libc.ts';
import { SyscallError } from './syscall-error.ts';

/** getpwnam_r(3), getpwuid_r(3): name or uid, struct passwd, its strings and their length, where to put the result. */
const rest = ['pointer', 'pointer', 'size_t', 'pointer'] as const satisfies readonly ArgumentType[];
const getpwnam = bindUnchecked('getpwnam_r', 'int', ['string', ...rest]);
const getpwuid = bindUnchecked('getpwuid_r', 'int', ['uint', ...rest]);

/** struct passwd of glibc and musl on 64-bit: char *pw_name, *pw_passwd; uid_t pw_uid; gid_t pw_gid; char *[3]. */
const PASSWD_SIZE = 48;
const PW_NAME_OFFSET = 0;
const PW_UID_OFFSET = 16;

/** (uid_t) -1 means "no user" to chown(2) and setreuid(2). */
const UID_MAX = 0xffff_fffe;
const FIRST_BUFFER = 1024;
const LAST_BUFFER = 1024 * 1024;

interface User {
  readonly uid: number;
  readonly name: string;
}

/**
 * The number of a user, given by number or by name. Names are looked up as the host is set up to (files, LDAP, sssd).
 *
 * A number needs no entry: containers run under numbers that have none.
 *
 * @throws FaultlineError USER_UNKNOWN
 */
export function userId(nameOrUid: string): number {
  if (/^\d+$/.test(nameOrUid) && Number(nameOrUid) <= UID_MAX) return Number(nameOrUid);
  const user = nameOrUid === '' || nameOrUid.includes('\0') ? undefined : lookUp(getpwnam, 'getpwnam_r', nameOrUid);
  if (user === undefined) {
    throw new FaultlineError('USER_UNKNOWN', `there is no user ${JSON.stringify(nameOrUid)}`, {
      hint: 'give a name that `getent passwd` lists, or a numeric user ID',
    });
  }
  return user.uid;
}

/** The name of a user, or undefined where the number has none. */
export function userName(uid: number): string | undefined {
  return lookUp(getpwuid, 'getpwuid_r', uid)?.name;
}

type Lookup<Key> = (key: Key, passwd: Buffer, strings: Buffer, size: number, result: BigUint64Array) => number;

function lookUp<Key>(call: Lookup<Key>, syscall: string, key: Key): User | undefined {
  const passwd = Buffer.alloc(PASSWD_SIZE);
  const result = new BigUint64Array(1);
  for (let size = FIRST_BUFFER; ; size *= 2) {
    const strings = Buffer.alloc(size);
    const errno = call(key, passwd, strings, size, result);
    if (errnoName(errno) === 'ERANGE' && size < LAST_BUFFER) continue;
    if (result[0] !== 0n) {
      return { uid: passwd.readUInt32LE(PW_UID_OFFSET), name: stringAt(passwd.readBigUInt64LE(PW_NAME_OFFSET)) };
    }
    if (errno === 0 || isNoSuchUser(errno)) return undefined;
    throw new SyscallError(syscall, errno);
  }
}

/** Not finding is no error to POSIX, but libcs and their plug-ins answer with these: getpwnam(3), "RETURN VALUE". */
function isNoSuchUser(errno: number): boolean {
  const name = errnoName(errno);
  return name === 'ENOENT' || name === 'ESRCH' || name === 'EBADF' || name === 'EPERM';
}
