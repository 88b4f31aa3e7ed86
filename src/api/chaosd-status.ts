import type { InjectionState } from '../base/lifecycle.ts';

/** chaosd's words for the states of an experiment, which its clients and scripts read. */
export const chaosdStatuses = ['created', 'success', 'error', 'destroyed', 'scheduled'] as const;

export type ChaosdStatus = (typeof chaosdStatuses)[number];

const statusOf: Readonly<Record<InjectionState, ChaosdStatus>> = {
  planned: 'created',
  injecting: 'created',
  injected: 'success',
  recovering: 'success',
  unrecoverable: 'success',
  recovered: 'destroyed',
  failed: 'error',
};

export function chaosdStatus(state: InjectionState): ChaosdStatus {
  return statusOf[state];
}

/** The states that chaosd calls by one word. */
export function statesOf(status: ChaosdStatus): readonly InjectionState[] {
  return (Object.keys(statusOf) as InjectionState[]).filter((state) => statusOf[state] === status);
}
