// What the list of clients and the view of one have in common.

import type { Answer } from '../api/answer.ts';
import { api, ask } from '../api/client.ts';
import { breakable } from '../components/breakable.tsx';
import { Badge } from '../components/card.tsx';
import { Confirm } from '../components/dialog.tsx';
import { toast } from '../components/toast.tsx';
import { plural, t } from '../i18n.ts';
import { isOffered, linkTo } from '../router.ts';
import { mayNow } from '../visit.ts';

export type Client = Answer<'/api/v1/clients'>['items'][number];

/** Act is what is about to be done to a client. */
export interface Act {
  readonly what: 'kick' | 'forget';
  readonly client: Client;
}

/** addressOf is where a client comes from. */
export function addressOf({ address }: Pick<Client, 'address'>): string {
  if (address === null) return '–';
  return address === '' ? t('clients.unixSocket') : address;
}

/** User is who has signed in, or the bridge whose own end it is. With `isLink` it leads to the account: who is to keep a client out for good does it there. */
export function User({ client: { username, bridge }, isLink = false }: { readonly client: Client; readonly isLink?: boolean }) {
  if (bridge !== null) return <a href={linkTo('bridges')}>{t('clients.bridge', { name: bridge })}</a>;
  if (username === null) return <span class="quiet">{t('clients.nobody')}</span>;
  return isLink && isOffered('people') ? <a href={linkTo('people', [username])}>{username}</a> : <span>{breakable(username)}</span>;
}

/** mayEnd tells whether who is at work may disconnect or forget it: a bridge connects again at once, and ends in its own view. */
export function mayEnd({ bridge }: Client): boolean {
  return bridge === null && mayNow('operator');
}

/** Protocol is the version, and whether others can read along. */
export function Protocol({ client: { protocol, tls, connected, bridge } }: { readonly client: Client }) {
  return (
    <>
      MQTT {protocol.replace(/\.0$/, '')} {tls !== null && <Badge look="good">{tls.version.replace('TLSv', 'TLS ')}</Badge>}
      {tls === null && connected && bridge === null && <Badge look="quiet">{t('clients.plain')}</Badge>}
    </>
  );
}

export interface ConfirmActProps {
  readonly act: Act;
  readonly close: () => void;
  readonly done: () => void;
}

/** ConfirmAct asks before a client is disconnected or forgotten. */
export function ConfirmAct({ act: { what, client }, close, done }: ConfirmActProps) {
  const { id, subscriptions, queue, will } = client;
  const params = { path: { id } };
  const kick = async () => {
    await ask(api.POST('/api/v1/clients/{id}/kick', { params, body: {} }));
    toast(t('clients.kicked', { id }));
    done();
  };
  const forget = async () => {
    await ask(api.DELETE('/api/v1/clients/{id}', { params }));
    toast(t('clients.forgotten', { id }));
    done();
  };
  if (what === 'kick') {
    return (
      <Confirm title={t('clients.kickTitle', { id })} action={t('clients.kick')} act={kick} close={close}>
        <p>{t('clients.kickWords')}</p>
        {will !== null && <p>{t('clients.kickWill', { topic: will })}</p>}
        <KeepOut client={client} />
      </Confirm>
    );
  }
  return (
    <Confirm title={t('clients.forgetTitle', { id })} action={t('clients.forget')} act={forget} close={close}>
      <p>{t('clients.forgetWords')}</p>
      <ul>
        <li>{plural('clients.forgetSubscriptions', subscriptions)}</li>
        <li>{plural('clients.forgetMessages', queue.inflight + queue.waiting)}</li>
      </ul>
      {client.connected && <p>{t('clients.forgetConnected')}</p>}
    </Confirm>
  );
}

function KeepOut({ client: { username } }: { readonly client: Client }) {
  if (username === null || !isOffered('people')) return null;
  return (
    <p>
      <a href={linkTo('people', [username], { lock: '' })}>{t('clients.keepOut', { name: username })}</a>
    </p>
  );
}
