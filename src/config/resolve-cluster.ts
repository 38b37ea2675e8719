// The words about a cluster -> options: what goes together is there, and nothing is said in vain.

import { reasonOf } from '../base/errors.ts';
import { readNamedText } from '../base/named-file.ts';
import { certificatesInFile } from '../base/pem-files.ts';
import { type ClusterOptions, DEFAULT_CLUSTER_NAME } from '../cluster/options.ts';
import { fileHint, warnIfOpen } from './check-files.ts';
import { EXIT, type Report } from './diagnostic.ts';
import type { GlobalDraft } from './draft.ts';

const WORDS = ['cluster_name', 'cluster_id', 'cluster_credentials', 'cluster_cafile'];

/** resolveCluster gives the options, null without `cluster`; mistakes go to the report. */
export function resolveCluster({ cluster, broker, places }: GlobalDraft, report: Report): ClusterOptions | null {
  const { said, name = DEFAULT_CLUSTER_NAME, id = null, credentialsFile = null, cafile = null } = cluster;
  const place = (word: string) => places.get(word) ?? null;
  if (said === undefined) {
    for (const word of WORDS)
      if (places.has(word) && !places.has('cluster'))
        // its mistake is reported
        report.warning(place(word), `${word} has no effect`, 'write cluster nats://HOST:4222 beside it');
    return null;
  }
  if (cafile !== null && !said.isTls)
    report.error(
      place('cluster_cafile'),
      'Cannot use cluster_cafile here: the cluster has no TLS',
      'write tls:// before the addresses of cluster',
    );
  if (broker.allowDuplicateMessages === true)
    report.error(
      place('allow_duplicate_messages'),
      'Cannot use allow_duplicate_messages true with cluster',
      'remove it: overlapping subscriptions at one broker would double the messages at all others',
    );
  if (!said.isTls && !said.servers.every(isLoopback))
    report.warning(
      place('cluster'),
      'Everything that the brokers carry for each other goes over the network in clear text',
      'write tls://',
    );
  return { servers: said.servers, name, id, credentialsFile, tls: said.isTls ? { cafile } : null };
}

/** checkClusterFiles opens the files once: a file that cannot be used is a mistake in the configuration. */
export function checkClusterFiles({ cluster, places }: GlobalDraft, report: Report): void {
  if (cluster.said === undefined) return;
  const { credentialsFile, cafile } = cluster;
  if (credentialsFile !== undefined) {
    const place = places.get('cluster_credentials') ?? null;
    try {
      if (readNamedText(credentialsFile).trim() === '')
        report.error(
          place,
          `Cannot use cluster_credentials "${credentialsFile}": it is empty`,
          'write USER:PASSWORD, a token, or the seed of an nkey',
          EXIT.FAILED,
        );
    } catch (error) {
      report.error(place, `Unable to open cluster_credentials "${credentialsFile}"`, fileHint(credentialsFile, error), EXIT.FAILED);
    }
    warnIfOpen(credentialsFile, place, 'the credentials can be read by everyone on this machine', report);
  }
  if (cafile === undefined) return;
  try {
    certificatesInFile('cluster_cafile', cafile);
  } catch (error) {
    report.error(
      places.get('cluster_cafile') ?? null,
      reasonOf(error),
      'name a PEM file with the authorities of the NATS servers',
      EXIT.FAILED,
    );
  }
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\]):\d+$/;

function isLoopback(server: string): boolean {
  return LOOPBACK.test(server);
}
