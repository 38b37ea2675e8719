// The brokers that work as one with this one: how they are, what waits for them, and the way out for one that never comes back.

import { useState } from 'preact/hooks';
import type { Answer } from '../../api/answer.ts';
import { api, ask } from '../../api/client.ts';
import { BoxSentence } from '../../components/box-sentence.tsx';
import { Button } from '../../components/button.tsx';
import { Badge, Card, Figure } from '../../components/card.tsx';
import { Confirm } from '../../components/dialog.tsx';
import { ago, dateTime, number, t } from '../../i18n.ts';
import { useLive } from '../../live.ts';
import { mayNow } from '../../visit.ts';

type Cluster = NonNullable<Answer<'/api/v1/cluster'>>;
type Peer = Cluster['peers'][number];

const EVERY_MS = 3000;

/** ClusterCards shows nothing for a broker on its own. */
export function ClusterCards() {
  const live = useLive(() => ask(api.GET('/api/v1/cluster')), EVERY_MS);
  const cluster = live.data.value;
  if (cluster === null) return null;
  return (
    <div class="stack bridges">
      <OwnCard cluster={cluster} />
      {cluster.peers.map((peer) => (
        <PeerCard key={peer.id} peer={peer} forgotten={() => void live.refresh()} />
      ))}
    </div>
  );
}

const PHASES = {
  connected: 'cluster.connected',
  connecting: 'cluster.connecting',
  alone: 'cluster.alone',
  stopped: 'cluster.stopped',
  away: 'cluster.away',
  refused: 'cluster.refused',
} as const;

const LOOKS = { connected: 'good', connecting: 'quiet', alone: 'bad', stopped: 'bad', away: 'warn', refused: 'bad' } as const;

function OwnCard({ cluster }: { readonly cluster: Cluster }) {
  const { name, id, phase, since, server, lastError, totals, peers } = cluster;
  const isDown = phase === 'alone' || phase === 'stopped';
  const connected = peers.filter((peer) => peer.phase === 'connected').length + 1;
  return (
    <Card
      title={t('cluster.title', { name })}
      look={isDown ? 'bad' : 'normal'}
      actions={<Badge look={LOOKS[phase]}>{t(PHASES[phase])}</Badge>}
    >
      <p class="hint">
        {t('cluster.own', { id })}
        {server !== null && ` · ${t('cluster.nats', { server })}`} ·{' '}
        <span title={dateTime(since)}>{t('bridges.since', { time: ago(since) })}</span>
      </p>
      <Reason isNow={isDown || phase === 'connecting'} text={lastError} />
      <dl class="figures">
        <Figure name={t('cluster.brokers')} value={t('cluster.of', { some: number(connected), all: number(peers.length + 1) })} />
        <Figure name={t('cluster.clients')} value={number(totals['clients/connected'] ?? 0)} />
        <Figure name={t('cluster.waiting')} value={number(peers.reduce((sum, { queued }) => sum + queued, 0))} />
      </dl>
    </Card>
  );
}

function PeerCard({ peer, forgotten }: { readonly peer: Peer; readonly forgotten: () => void }) {
  const { id, phase, since, version, sent, queued, dropped, latency, lastError } = peer;
  const [isAsking, setAsking] = useState(false);
  const isGone = phase === 'away' || phase === 'refused';
  const forget = async () => {
    await ask(api.DELETE('/api/v1/cluster/brokers/{id}', { params: { path: { id } } }));
    forgotten();
  };
  return (
    <Card title={id} look={isGone ? 'warn' : 'normal'} actions={<Badge look={LOOKS[phase]}>{t(PHASES[phase])}</Badge>}>
      <p class="hint">
        {version !== null && `midge ${version} · `}
        <span title={dateTime(since)}>{t('bridges.since', { time: ago(since) })}</span>
      </p>
      <Reason isNow={phase !== 'connected'} text={lastError} />
      <dl class="figures">
        <Figure name={t('bridges.sent')} value={number(sent)} />
        <Figure name={t('bridges.queued')} value={number(queued)} />
        <Figure name={t('bridges.dropped')} value={number(dropped)} />
        {latency !== null && <Figure name={t('cluster.latency')} value={t('cluster.milliseconds', { count: number(latency) })} />}
      </dl>
      {isGone && mayNow('admin') && (
        <p>
          <Button look="danger" onClick={() => setAsking(true)}>
            {t('cluster.forget')}
          </Button>
        </p>
      )}
      {isAsking && (
        <Confirm title={t('cluster.forgetTitle', { id })} action={t('cluster.forget')} act={forget} close={() => setAsking(false)}>
          <p>{t('cluster.forgetWords', { count: number(queued) })}</p>
        </Confirm>
      )}
    </Card>
  );
}

/** What went wrong stays when all is well again: then it is history, and not shown. */
function Reason({ isNow, text }: { readonly isNow: boolean; readonly text: string | null }) {
  if (text === null || !isNow) return null;
  return (
    <p class="remarks bad">
      <BoxSentence text={text} />
    </p>
  );
}
