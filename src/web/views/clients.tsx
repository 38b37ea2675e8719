// Who is connected, who is away, and who was turned away and why.

import { useState } from 'preact/hooks';
import { api, ask } from '../api/client.ts';
import { breakable } from '../components/breakable.tsx';
import { Button } from '../components/button.tsx';
import { Badge, Card, PageHeader } from '../components/card.tsx';
import { Asked, Empty } from '../components/faces.tsx';
import { Choice } from '../components/field.tsx';
import { SearchBox } from '../components/search-box.tsx';
import { Table } from '../components/table.tsx';
import { bytes, lasting, number, plural, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { go, isOffered, linkTo, place } from '../router.ts';
import { useSettled } from '../settled.ts';
import { ClientDetails } from './client-details.tsx';
import { type Act, addressOf, type Client, ConfirmAct, mayEnd, Protocol, User } from './client-parts.tsx';
import { Refusals } from './refusals.tsx';

const EVERY_MS = 2000;

/** A screen of them; the search finds the others. */
const MOST = 200;

const SHOWN = ['connected', 'away', 'refused'] as const;
type Which = (typeof SHOWN)[number];

/** View is the list, one client, or the refusals, by the address of the page. */
export function View() {
  const [id] = place.value.rest;
  if (id !== undefined) return <ClientDetails key={id} id={id} />;
  const asked = place.value.query.get('show');
  const which = SHOWN.find((each) => each === asked) ?? 'connected';
  return (
    <>
      <PageHeader
        title={t('clients.title')}
        lead={t('clients.lead')}
        actions={
          isOffered('people') && (
            <Button icon="plus" onClick={() => go('people', [], { add: '', kind: 'device' })}>
              {t('steps.people')}
            </Button>
          )
        }
      />
      <div class="stack">
        <Choice<Which>
          label={t('clients.which')}
          isLabelHidden
          value={which}
          choose={(next) => go('clients', [], { show: next })}
          options={[
            ['connected', t('clients.connected')],
            ['away', t('clients.away')],
            ['refused', t('clients.refused')],
          ]}
        />
        {which === 'refused' ? <Refusals /> : <Clients key={which} isConnected={which === 'connected'} />}
      </div>
    </>
  );
}

function Clients({ isConnected }: { readonly isConnected: boolean }) {
  const [search, setSearch] = useState('');
  const [act, setAct] = useState<Act | null>(null);
  const sought = useSettled(search);
  const query = { connected: isConnected, limit: MOST, ...(sought === '' ? {} : { search: sought }) };
  const clients = useLive(() => ask(api.GET('/api/v1/clients', { params: { query } })), EVERY_MS, [isConnected, sought]);
  return (
    <Card>
      <SearchBox label={t('clients.search')} value={search} change={setSearch} />
      <Asked live={clients}>
        {({ items, total }) =>
          items.length === 0 ? (
            <Empty
              icon="plug"
              words={t(search !== '' ? 'clients.noneFound' : isConnected ? 'clients.noneConnected' : 'clients.noneAway')}
            />
          ) : (
            <>
              <ClientTable clients={items} isConnected={isConnected} choose={setAct} />
              {total > items.length && <p class="hint">{t('clients.more', { shown: items.length, total })}</p>}
            </>
          )
        }
      </Asked>
      {act !== null && <ConfirmAct act={act} close={() => setAct(null)} done={() => void clients.refresh()} />}
    </Card>
  );
}

interface ClientTableProps {
  readonly clients: readonly Client[];
  readonly isConnected: boolean;
  readonly choose: (act: Act) => void;
}

function ClientTable({ clients, isConnected, choose }: ClientTableProps) {
  return (
    <Table
      name={t('clients.title')}
      rows={clients}
      keyOf={({ id }) => id}
      columns={[
        { title: t('clients.id'), isHead: true, cell: ({ id }) => <a href={linkTo('clients', [id])}>{breakable(id)}</a> },
        {
          title: t('clients.user'),
          cell: (client) => <User client={client} />,
        },
        { title: t('clients.address'), cell: (client) => addressOf(client) },
        { title: t('clients.protocol'), cell: (client) => <Protocol client={client} /> },
        {
          title: t(isConnected ? 'clients.connected' : 'clients.away'),
          cell: ({ since }) => (since === null ? '–' : lasting(since)),
        },
        { title: t('clients.queue'), isNumber: true, cell: (client) => <Queue client={client} /> },
        {
          title: t('clients.actions'),
          isActions: true,
          cell: (client) => mayEnd(client) && <ActButton client={client} choose={choose} />,
        },
      ]}
    />
  );
}

function ActButton({ client, choose }: { readonly client: Client; readonly choose: (act: Act) => void }) {
  const what = client.connected ? 'kick' : 'forget';
  return (
    <Button
      look={what === 'kick' ? 'normal' : 'danger'}
      onClick={() => choose({ what, client })}
      name={t(what === 'kick' ? 'clients.kickName' : 'clients.forgetName', { id: client.id })}
    >
      {t(what === 'kick' ? 'clients.kick' : 'clients.forget')}
    </Button>
  );
}

function Queue({ client: { queue } }: { readonly client: Client }) {
  const waiting = queue.inflight + queue.waiting;
  if (waiting === 0 && queue.dropped === 0) return <span class="quiet">{t('clients.queueEmpty')}</span>;
  return (
    <>
      {waiting > 0 && `${number(waiting)} (${bytes(queue.bytes)})`}
      {queue.dropped > 0 && <Badge look="warn">{plural('clients.dropped', queue.dropped)}</Badge>}
    </>
  );
}
