// The boxes that were invited to connect a bridge to this one: who has come, who is connected now.

import type { Answer } from '../../api/answer.ts';
import { Badge, Card } from '../../components/card.tsx';
import { ago, dateTime, t } from '../../i18n.ts';
import { isOffered, linkTo } from '../../router.ts';
import { BridgeTopics } from './bridge-topics.tsx';

export type Guest = Answer<'/api/v1/bridge-invitations'>[number];

/** GuestCards is nothing where nobody was invited. */
export function GuestCards({ guests }: { readonly guests: readonly Guest[] }) {
  if (guests.length === 0) return null;
  return (
    <section class="stack bridges">
      <h2>{t('bridges.guests')}</h2>
      {guests.map((guest) => (
        <GuestCard key={guest.name} guest={guest} />
      ))}
    </section>
  );
}

function GuestCard({ guest: { name, invited, accepted, topics, connected, since, address } }: { readonly guest: Guest }) {
  const isAway = accepted !== null && !connected;
  return (
    <Card
      title={name}
      look={isAway ? 'warn' : 'normal'}
      actions={
        <Badge look={connected ? 'good' : isAway ? 'warn' : 'quiet'}>
          {t(connected ? 'bridges.connected' : isAway ? 'bridges.waiting' : 'bridges.notAccepted')}
        </Badge>
      }
    >
      <p class="hint">
        {address !== null && `${address} · `}
        {accepted !== null && since !== null && `${t('bridges.since', { time: dateTime(since) })} · `}
        <span title={dateTime(accepted ?? invited)}>
          {t(accepted === null ? 'bridges.invited' : 'bridges.accepted', { time: ago(accepted ?? invited) })}
        </span>
      </p>
      <BridgeTopics topics={topics} />
      {isOffered('people') && (
        <p>
          <a href={linkTo('people', [name])}>{t('bridges.guestAccount', { name })}</a>
        </p>
      )}
    </Card>
  );
}
