// The listeners that clients can use now.

import { z } from 'zod';
import { operation } from './operation.ts';
import { namesOfListener } from './phone-address.ts';

/** LISTENER is one of them. */
export const LISTENER = z.object({
  name: z.string().describe('as in the list of clients, such as `1883` or `1883 192.168.1.2`'),
  protocol: z.enum(['mqtt', 'websockets', 'http', 'http_api']),
  tls: z.boolean(),
  certificate: z.enum(['ours', 'of files']).nullable().describe('that it shows; null = it has no TLS, or pre-shared keys'),
  wantsCertificate: z.boolean().describe('clients must have a certificate as well'),
  takesOurCertificates: z.boolean().describe('it wants a certificate that our authority issues'),
  port: z.number().describe('0 for a Unix socket'),
  addresses: z.array(z.string()),
  connections: z.number(),
});

/** LISTENERS lists them. */
export const LISTENERS = operation({
  name: 'listeners',
  kind: 'query',
  right: 'viewer',
  summary: 'The listeners that are open, in the order of the configuration.',
  input: z.strictObject({}),
  output: z.array(
    LISTENER.extend({
      hosts: z.array(z.string()).describe('by which others find it, the best first; none = only programs of this machine reach it'),
    }),
  ),
  run: (needs) => needs.listeners.map((each) => ({ ...each, hosts: [...namesOfListener(needs, each)] })),
});
