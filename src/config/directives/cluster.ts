// Words about several brokers that work as one, over NATS.

import { CLUSTER_ID, DEFAULT_CLUSTER_NAME } from '../../cluster/options.ts';
import { clusterServers } from '../cluster-values.ts';
import { type Directive, globalDirective } from '../directive.ts';
import { check, path, text, type ValueKind } from '../values.ts';

const name: ValueKind<string> = check(text('name'), (line) =>
  CLUSTER_ID.test(line) ? { value: line } : { problem: `Invalid name (${line})`, hint: 'write up to 64 letters, digits, - and _' },
);

/** CLUSTER_DIRECTIVES are all of our own. */
export const CLUSTER_DIRECTIVES: readonly Directive[] = [
  globalDirective(
    'cluster',
    clusterServers,
    {
      own: true,
      reloadable: true,
      doc: 'NATS servers over which this broker and others carry messages for each other: a client of one gets what is published at the others. Start each address with `nats://`, or with `tls://` for TLS. `docs/two-boxes.md` says what is shared and what is promised.',
    },
    (draft, value) => {
      draft.cluster.said = value;
    },
  ),
  globalDirective(
    'cluster_name',
    name,
    {
      own: true,
      reloadable: true,
      default: DEFAULT_CLUSTER_NAME,
      doc: 'Name of the cluster: brokers with the same name at the same NATS servers belong together.',
    },
    (draft, value) => {
      draft.cluster.name = value;
    },
  ),
  globalDirective(
    'cluster_id',
    name,
    {
      own: true,
      reloadable: true,
      doc: 'Name of this broker in its cluster, by default the host name. Each broker needs a name of its own that does not change: what other brokers have for it is stored under this name.',
    },
    (draft, value) => {
      draft.cluster.id = value;
    },
  ),
  globalDirective(
    'cluster_credentials',
    path,
    {
      own: true,
      reloadable: true,
      doc: 'File that lets this broker into NATS: a credentials file of NATS, or one line with `USER:PASSWORD`, a token or the seed of an nkey. Whoever can speak on the subjects `midge.NAME.>` is trusted like another broker.',
    },
    (draft, value) => {
      draft.cluster.credentialsFile = value;
    },
  ),
  globalDirective(
    'cluster_cafile',
    path,
    {
      own: true,
      reloadable: true,
      doc: 'File with the authorities (PEM) that the certificates of the NATS servers are verified with; by default those that programs usually trust. It needs `tls://` addresses.',
    },
    (draft, value) => {
      draft.cluster.cafile = value;
    },
  ),
];
