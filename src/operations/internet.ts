// What the box does towards the Internet, and whether the Internet leads to it.

import { z } from 'zod';
import type { Internet } from '../internet/internet.ts';
import { WAY_IN_CODES } from '../internet/way-in.ts';
import { type Answer, operation } from './operation.ts';
import { iso, TIME } from './time.ts';

const NAMES = z.array(z.string());
const FAULT = z.string().nullable().describe('why the last try failed; null = it did not');

/** INTERNET_STATE is a part of the status. */
export const INTERNET_STATE = z.object({
  certificate: z
    .object({
      names: NAMES,
      directory: z.string().describe('of the authority'),
      expires: TIME.nullable().describe('null = there is none yet'),
      fault: FAULT,
      nextTry: TIME.nullable().describe('null = none is needed now'),
    })
    .nullable()
    .describe('from an authority that phones trust without more (acme_names); null = not wanted'),
  dynamicDns: z
    .object({
      names: NAMES,
      address: z.string().nullable().describe('that was told last'),
      updatedAt: TIME.nullable(),
      fault: FAULT,
    })
    .nullable()
    .describe('names that follow the address of the house (dynamic_dns_names); null = not wanted'),
});

/** internetState shows it. */
export function internetState({ certificateState, dynamicDnsState }: Internet): Answer<z.infer<typeof INTERNET_STATE>> {
  const time = (at: number | null) => (at === null ? null : iso(at));
  return {
    certificate: certificateState && {
      ...certificateState,
      expires: time(certificateState.expires),
      nextTry: time(certificateState.nextTry),
    },
    dynamicDns: dynamicDnsState && { ...dynamicDnsState, updatedAt: time(dynamicDnsState.updatedAt) },
  };
}

const STEP = z.object({
  code: z.enum(WAY_IN_CODES),
  ok: z.boolean().describe('false = it stands in the way'),
  values: z.record(z.string(), z.string()).describe('what the words are about'),
  text: z.string(),
  advice: z.string().nullable().describe('what to do'),
});

/** CHECK_INTERNET looks from inside. */
export const CHECK_INTERNET = operation({
  name: 'check internet',
  kind: 'command',
  right: 'operator',
  summary: 'Look whether the Internet leads to this box: the router, the names, and a connection by each name. Nothing is changed.',
  input: z.strictObject({
    names: z.array(z.hostname()).max(10).optional().describe('none = those of acme_names, dynamic_dns_names and certificate_names'),
  }),
  output: z.object({ ok: z.boolean().describe('nothing stands in the way, as far as that can be seen from inside'), steps: z.array(STEP) }),
  progress: STEP,
  run: async ({ checkWayIn }, { names }, _, report) => {
    const steps: z.infer<typeof STEP>[] = [];
    const ok = await checkWayIn(names ?? [], (step) => {
      steps.push(step);
      report(step);
    });
    return { ok, steps };
  },
});
