// The machine that the broker runs on, and what runs there.

import { availableParallelism, release, version } from 'node:os';
import { z } from 'zod';
import { machineNames, systemName } from '../host/host.ts';
import { operation } from './operation.ts';

const DISK = z.object({ path: z.string().describe('state folder'), total: z.number(), free: z.number() });

/** MACHINE_HEALTH are the fields of how the machine fares. */
export const MACHINE_HEALTH = {
  cpuTemperature: z.number().nullable().describe('degrees Celsius'),
  power: z
    .object({ now: z.array(z.string()), sinceBoot: z.array(z.string()).nullable() })
    .nullable()
    .describe('what the power supply suffers from; null = the machine does not tell'),
  load: z.tuple([z.number(), z.number(), z.number()]).describe('averages of 1, 5 and 15 minutes'),
  memory: z.object({ total: z.number(), available: z.number() }).describe('bytes'),
  disk: DISK.nullable().describe('bytes'),
  wifi: z.array(z.object({ name: z.string(), signal: z.number().describe('dBm') })),
  clockSet: z
    .boolean()
    .nullable()
    .describe('whether a time server has set the clock since the machine was switched on; null = the machine does not tell'),
  uptime: z.number().describe('seconds since the machine was switched on'),
  hostName: z.string(),
  addresses: z.array(z.string()),
  announced: z.string().nullable().describe('the name that mDNS gives to it; null = it is not announced'),
};

/** HOST tells about it. */
export const HOST = operation({
  name: 'host',
  kind: 'query',
  right: 'viewer',
  summary: 'The machine: names, addresses, model, temperature, load, memory, disk, and what runs there.',
  input: z.strictObject({}),
  output: z.object({
    ...MACHINE_HEALTH,
    model: z.object({ vendor: z.string(), model: z.string() }).nullable(),
    processors: z.number().int(),
    versions: z.object({
      program: z.string(),
      system: z.string().nullable().describe('such as `Debian GNU/Linux 13 (trixie)`'),
      kernel: z.string(),
      architecture: z.string(),
      node: z.string(),
      openssl: z.string(),
      sqlite: z.string().nullable(),
    }),
  }),
  run: async ({ machine, program, announcedHost }) => ({
    ...(await machine.now()),
    ...machineNames(),
    announced: announcedHost,
    model: await machine.model(),
    processors: availableParallelism(),
    versions: {
      program: program.title,
      system: systemName(),
      kernel: `${release()} ${version()}`.trim(),
      architecture: process.arch,
      node: process.versions.node,
      openssl: process.versions.openssl ?? '',
      sqlite: process.versions['sqlite'] ?? null,
    },
  }),
});
