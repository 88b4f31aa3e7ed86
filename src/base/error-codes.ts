/**
 * Every code that an expected error may carry, with what the front doors make of it.
 *
 * `exit` follows chaosd: 1 for a failure, 128 for arguments that could never work.
 * `http` is the status of Faultline's own API.
 */
const codes = {
  // Arguments
  ARGUMENT_INVALID: { http: 400, exit: 128 },
  COMMAND_UNKNOWN: { http: 404, exit: 128 },
  OPTION_UNKNOWN: { http: 400, exit: 128 },
  DURATION_INVALID: { http: 400, exit: 128 },
  SIGNAL_UNKNOWN: { http: 400, exit: 128 },
  PID_INVALID: { http: 400, exit: 128 },
  NAME_INVALID: { http: 400, exit: 128 },
  REGEX_INVALID: { http: 400, exit: 128 },
  UID_INVALID: { http: 400, exit: 128 },
  USER_UNKNOWN: { http: 400, exit: 128 },
  FAULT_UNKNOWN: { http: 404, exit: 128 },
  POLICY_INVALID: { http: 500, exit: 128 },
  // Targets
  PROCESS_NOT_FOUND: { http: 404, exit: 1 },
  CGROUP_NOT_FOUND: { http: 404, exit: 1 },
  CGROUP_UNFIT: { http: 409, exit: 1 },
  TARGET_NONE: { http: 200, exit: 0 },
  TRACE_REFUSED: { http: 409, exit: 1 },
  // Volumes
  VOLUME_INVALID: { http: 400, exit: 128 },
  VOLUME_NOT_FOUND: { http: 404, exit: 1 },
  VOLUME_BUSY: { http: 409, exit: 1 },
  // Guard
  GUARD_PROTECTED: { http: 403, exit: 128 },
  GUARD_LIMIT: { http: 403, exit: 1 },
  GUARD_CONFLICT: { http: 409, exit: 1 },
  GUARD_HALTED: { http: 423, exit: 1 },
  // Injections
  INJECTION_NOT_FOUND: { http: 404, exit: 1 },
  INJECTION_EXISTS: { http: 409, exit: 1 },
  INJECTION_ELSEWHERE: { http: 409, exit: 1 },
  INJECTION_BUSY: { http: 409, exit: 1 },
  INJECTION_CANCELLED: { http: 409, exit: 1 },
  INJECTION_FAILED: { http: 500, exit: 1 },
  INJECTION_UNPROVEN: { http: 200, exit: 1 },
  RECOVERY_IMPOSSIBLE: { http: 200, exit: 1 },
  EXPECTATION_MISSED: { http: 200, exit: 1 },
  RECOVERY_INCOMPLETE: { http: 500, exit: 1 },
  KEEPER_FAILED: { http: 500, exit: 1 },
  // Service
  SERVER_RUNNING: { http: 409, exit: 1 },
  SERVER_UNSAFE: { http: 400, exit: 128 },
  SERVER_STOPPING: { http: 503, exit: 1 },
  SERVER_UNREACHABLE: { http: 502, exit: 1 },
  ADDRESS_UNUSABLE: { http: 500, exit: 1 },
  UNAUTHENTICATED: { http: 401, exit: 1 },
  FORBIDDEN: { http: 403, exit: 1 },
  ROUTE_UNKNOWN: { http: 404, exit: 1 },
  METHOD_UNKNOWN: { http: 405, exit: 1 },
  REQUEST_TOO_LARGE: { http: 413, exit: 1 },
  REQUEST_TOO_SLOW: { http: 408, exit: 1 },
  MEDIA_UNSUPPORTED: { http: 415, exit: 1 },
  TOO_MANY_REQUESTS: { http: 429, exit: 1 },
  // Schedules
  SCHEDULE_INVALID: { http: 400, exit: 128 },
  SCHEDULE_NOT_FOUND: { http: 404, exit: 1 },
  SCHEDULE_EXISTS: { http: 409, exit: 1 },
  SCHEDULE_NEEDS_SERVICE: { http: 409, exit: 1 },
  // Experiments
  EXPERIMENT_INVALID: { http: 400, exit: 3 },
  RUN_NOT_FOUND: { http: 404, exit: 1 },
  // State folder
  STATE_DIR_UNSAFE: { http: 500, exit: 1 },
  STATE_UNWRITABLE: { http: 500, exit: 1 },
  STATE_DISK_FULL: { http: 507, exit: 1 },
  STATE_DAMAGED: { http: 500, exit: 1 },
  STATE_FOREIGN: { http: 500, exit: 1 },
  STATE_NEWER: { http: 500, exit: 1 },
  STATE_BUSY: { http: 503, exit: 1 },
  // Host
  SYSCALL_FAILED: { http: 500, exit: 1 },
  PERMISSION_DENIED: { http: 403, exit: 1 },
  ARCHITECTURE_UNSUPPORTED: { http: 500, exit: 1 },
  HOST_UNSUPPORTED: { http: 500, exit: 1 },
  UNEXPECTED: { http: 500, exit: 1 },
  INTERRUPTED: { http: 499, exit: 130 },
} as const;

export type ErrorCode = keyof typeof codes;

export interface ErrorMeaning {
  readonly http: number;
  readonly exit: number;
}

/** What the front doors make of a code. */
export const errorCodes: Readonly<Record<ErrorCode, ErrorMeaning>> = codes;
