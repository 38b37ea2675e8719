// One client: all that is known of it, its subscriptions, and what it was refused.

import { useState } from 'preact/hooks';
import { api, ask, Refusal } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Badge, Card, Facts, PageHeader } from '../components/card.tsx';
import { Empty, Shown } from '../components/faces.tsx';
import { Table } from '../components/table.tsx';
import { bytes, dateTime, lasting, number, span, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { go, linkTo } from '../router.ts';
import { addressOf, type Client, ConfirmAct, mayEnd, Protocol, User } from './client-parts.tsx';
import { Refusals } from './refusals.tsx';

const EVERY_MS = 2000;

/** ClientDetails shows it. */
export function ClientDetails({ id }: { readonly id: string }) {
  const [what, setWhat] = useState<'kick' | 'forget' | null>(null);
  const client = useLive(() => ask(api.GET('/api/v1/clients/{id}', { params: { path: { id } } })), EVERY_MS, [id]);
  const data = client.data.value;
  const problem = client.problem.value;
  if (problem instanceof Refusal && problem.status === 404) return <Gone id={id} />;
  return (
    <>
      <p class="back">
        <a href={linkTo('clients')}>{t('clients.back')}</a>
      </p>
      <PageHeader
        title={id}
        lead={data === null ? undefined : <State client={data} />}
        actions={
          data !== null &&
          mayEnd(data) && (
            <>
              {data.connected && <Button onClick={() => setWhat('kick')}>{t('clients.kick')}</Button>}
              <Button look="danger" onClick={() => setWhat('forget')}>
                {t('clients.forget')}
              </Button>
            </>
          )
        }
      />
      <Shown live={client}>
        {(shown) => (
          <div class="stack">
            <div class="columns">
              <Connection client={shown} />
              <Messages client={shown} />
            </div>
            <Subscriptions id={id} />
            <Refusals about={id} />
            {what !== null && (
              <ConfirmAct
                act={{ what, client: shown }}
                close={() => setWhat(null)}
                done={() => (what === 'forget' ? go('clients') : void client.refresh())}
              />
            )}
          </div>
        )}
      </Shown>
    </>
  );
}

/** Gone has the refusals all the same: a client that never came in is looked for here. */
function Gone({ id }: { readonly id: string }) {
  return (
    <>
      <p class="back">
        <a href={linkTo('clients')}>{t('clients.back')}</a>
      </p>
      <PageHeader title={id} />
      <div class="stack">
        <Card>
          <Empty icon="plug" words={t('clients.gone')} />
        </Card>
        <Refusals about={id} />
      </div>
    </>
  );
}

function State({ client: { connected, since } }: { readonly client: Client }) {
  return (
    <>
      <Badge look={connected ? 'good' : 'quiet'}>{t(connected ? 'clients.isConnected' : 'clients.isAway')}</Badge>{' '}
      {since !== null && <span title={dateTime(since)}>{lasting(since)}</span>}
    </>
  );
}

function Connection({ client }: { readonly client: Client }) {
  const { listener, tls, keepAlive, port } = client;
  const address = addressOf(client);
  return (
    <Card title={t('clients.connection')}>
      <Facts
        rows={[
          [t('clients.user'), <User key="user" client={client} isLink />],
          [t('clients.address'), port === null || port === 0 ? address : `${address} : ${port}`],
          [t('clients.listener'), listener],
          [t('clients.protocol'), <Protocol key="protocol" client={client} />],
          [t('clients.cipher'), tls?.cipher ?? '–'],
          [t('clients.keepAlive'), keepAlive === null ? '–' : keepAlive === 0 ? t('clients.off') : span(keepAlive)],
        ]}
      />
    </Card>
  );
}

function Messages({ client: { queue, sessionExpiry, will } }: { readonly client: Client }) {
  const kept = sessionExpiry === null ? t('clients.forEver') : sessionExpiry === 0 ? t('clients.notKept') : span(sessionExpiry);
  return (
    <Card title={t('clients.messages')}>
      <Facts
        rows={[
          [t('clients.inflight'), number(queue.inflight)],
          [t('clients.waiting'), number(queue.waiting)],
          [t('clients.bytes'), bytes(queue.bytes)],
          [t('clients.unread'), bytes(queue.unread)],
          [t('clients.droppedName'), number(queue.dropped)],
          [t('clients.session'), kept],
          [t('clients.will'), will ?? '–'],
        ]}
      />
    </Card>
  );
}

function Subscriptions({ id }: { readonly id: string }) {
  const query = { client: id, limit: 1000 };
  const subscriptions = useLive(() => ask(api.GET('/api/v1/subscriptions', { params: { query } })), 5000, [id]);
  return (
    <Card title={t('clients.subscriptions')}>
      <Shown live={subscriptions}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon="tree" words={t('clients.noSubscriptions')} />
          ) : (
            <Table
              name={t('clients.subscriptions')}
              rows={items}
              keyOf={({ filter }) => filter}
              columns={[
                { title: t('clients.filter'), isHead: true, cell: ({ filter }) => <code>{filter}</code> },
                { title: t('clients.qos'), isNumber: true, cell: ({ qos }) => String(qos) },
              ]}
            />
          )
        }
      </Shown>
    </Card>
  );
}
