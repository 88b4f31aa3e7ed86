/**
 * Functions of the kernel that a program may call, with the numbers of `enum bpf_func_id`
 * (include/uapi/linux/bpf.h); bpf-helpers(7) says what each takes and returns.
 */
const numbers = {
  bpf_map_lookup_elem: 1,
  bpf_map_update_elem: 2,
  bpf_map_delete_elem: 3,
  bpf_ktime_get_ns: 5,
  bpf_get_prandom_u32: 7,
  bpf_get_current_pid_tgid: 14,
  bpf_get_current_comm: 16,
  bpf_get_current_task: 35,
  bpf_current_task_under_cgroup: 37,
  bpf_override_return: 58,
  bpf_probe_read_user: 112,
  bpf_probe_read_kernel: 113,
  bpf_probe_read_user_str: 114,
  bpf_probe_read_kernel_str: 115,
  bpf_ringbuf_output: 130,
  bpf_get_current_task_btf: 158,
  bpf_task_pt_regs: 175,
} as const;

export type BpfFunction = keyof typeof numbers;

export function functionNumber(name: BpfFunction): number {
  return numbers[name];
}

/** The name of a function, for listings; undefined for one that is not in the table. */
export function functionName(number: number): BpfFunction | undefined {
  return (Object.keys(numbers) as BpfFunction[]).find((name) => numbers[name] === number);
}
