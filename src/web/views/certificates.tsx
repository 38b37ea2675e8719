// Certificates: what devices must trust, what the broker shows, and those with which clients sign in.

import { useState } from 'preact/hooks';
import type { Answer } from '../api/answer.ts';
import { api, ask } from '../api/client.ts';
import { breakable } from '../components/breakable.tsx';
import { Button } from '../components/button.tsx';
import { Badge, Card, PageHeader } from '../components/card.tsx';
import { Confirm } from '../components/dialog.tsx';
import { Empty, Shown } from '../components/faces.tsx';
import { Icon } from '../components/icon.tsx';
import { Table } from '../components/table.tsx';
import { toast } from '../components/toast.tsx';
import { ago, day, plural, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { waiting } from '../settings/trial.ts';
import { mayNow } from '../visit.ts';
import { InstallSteps } from './certificates/install-steps.tsx';
import { IssueCertificate } from './certificates/issue-certificate.tsx';
import { firstFree, OpenPorts } from './open-ports.tsx';
import '../styles/certificates.css';

type Certificates = Answer<'/api/v1/certificates'>;
type Client = Answer<'/api/v1/certificates/clients'>['items'][number];

const EVERY_MS = 15_000;
const MOST = 500;

/** Milliseconds before the end in which a certificate is said to end soon. */
const SOON_MS = 30 * 86_400_000;

/** What others use for clients with certificates. */
const PORTS = [8884, 8885, 8886] as const;
const TAKES_CERTIFICATES = ['secure true', 'require_certificate true', 'use_identity_as_username true'] as const;

/** View is the view of certificates. */
export function View() {
  const ours = useLive(() => ask(api.GET('/api/v1/certificates')), EVERY_MS);
  return (
    <>
      <PageHeader title={t('certificates.title')} lead={t('certificates.lead')} />
      <Shown live={ours}>
        {(data) => (
          <div class="stack certificates">
            <div class="columns">
              <Authority authority={data.authority} />
              <Server server={data.server} />
            </div>
            <Clients />
          </div>
        )}
      </Shown>
    </>
  );
}

function Authority({ authority: { name, fingerprint, until } }: { readonly authority: Certificates['authority'] }) {
  return (
    <Card title={t('certificates.authority')}>
      <p class="hint">{t('certificates.authorityWords')}</p>
      <dl class="pairs">
        <dt>{t('certificates.name')}</dt>
        <dd>{name}</dd>
        <dt>{t('certificates.expires')}</dt>
        <dd>
          <Until until={until} />
        </dd>
        <dt>{t('certificates.fingerprint')}</dt>
        <dd class="fingerprint">{breakable(fingerprint)}</dd>
      </dl>
      <div class="actions">
        <a class="button" href="/api/v1/certificates/authority" download="ca.crt">
          <Icon name="download" />
          <span>{t('certificates.download')}</span>
        </a>
      </div>
      <InstallSteps />
    </Card>
  );
}

function Server({ server: { names, until, fingerprint } }: { readonly server: Certificates['server'] }) {
  return (
    <Card title={t('certificates.server')}>
      <p class="hint">{t('certificates.serverWords')}</p>
      <dl class="pairs">
        <dt>{t('certificates.expires')}</dt>
        <dd>
          <Until until={until} /> <span class="hint">{t('certificates.renewed')}</span>
        </dd>
        <dt>{t('certificates.names')}</dt>
        <dd>{names.join(', ')}</dd>
        <dt>{t('certificates.fingerprint')}</dt>
        <dd class="fingerprint">{breakable(fingerprint)}</dd>
      </dl>
    </Card>
  );
}

function Until({ until }: { readonly until: string }) {
  const left = Date.parse(until) - Date.now();
  return (
    <>
      {day(until)}{' '}
      {left < 0 ? <Badge look="bad">{t('certificates.expired')}</Badge> : left < SOON_MS && <Badge look="warn">{ago(until)}</Badge>}
    </>
  );
}

function Clients() {
  const [isIssuing, setIssuing] = useState(false);
  const [leaving, setLeaving] = useState<Client | null>(null);
  const clients = useLive(() => ask(api.GET('/api/v1/certificates/clients', { params: { query: { limit: MOST } } })), EVERY_MS);
  const listeners = useLive(() => ask(api.GET('/api/v1/listeners')), EVERY_MS);
  const mayChange = mayNow('admin');
  return (
    <Card
      title={t('certificates.clients')}
      actions={
        mayChange && (
          <Button icon="plus" look="primary" onClick={() => setIssuing(true)}>
            {t('certificates.issue')}
          </Button>
        )
      }
    >
      <p class="hint">{t('certificates.clientsWords')}</p>
      {listeners.data.value !== null && <Ports listeners={listeners.data.value} opened={() => void listeners.refresh()} />}
      <Shown live={clients}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon="key" words={t('certificates.none')} />
          ) : (
            <ClientTable clients={items} revoke={mayChange ? setLeaving : null} />
          )
        }
      </Shown>
      {isIssuing && <IssueCertificate close={() => setIssuing(false)} issued={() => void clients.refresh()} />}
      {leaving !== null && <Revoke client={leaving} close={() => setLeaving(null)} revoked={() => void clients.refresh()} />}
    </Card>
  );
}

interface PortsProps {
  readonly listeners: Answer<'/api/v1/listeners'>;
  readonly opened: () => void;
}

/** Ports are those where a device can sign in so, or the way to one. */
function Ports({ listeners, opened }: PortsProps) {
  const [isOpening, setOpening] = useState(false);
  const taking = listeners.filter(({ takesOurCertificates, protocol }) => takesOurCertificates && protocol !== 'http');
  if (taking.length > 0) return <p class="hint">{t('certificates.ports', { ports: taking.map(({ port }) => port).join(', ') })}</p>;
  const port = firstFree(PORTS, listeners);
  return (
    <div class="certificates-ports">
      <p>{t('certificates.noPort')}</p>
      {mayNow('admin') && (
        <div class="actions">
          <Button disabled={waiting.value !== null} onClick={() => setOpening(true)}>
            {plural('ports.open', 1, { ports: `${port}` })}
          </Button>
        </div>
      )}
      {isOpening && <OpenPorts lines={[`listener ${port}`, ...TAKES_CERTIFICATES]} kept={opened} close={() => setOpening(false)} />}
    </div>
  );
}

interface ClientTableProps {
  readonly clients: readonly Client[];
  /** Null = this role may not. */
  readonly revoke: ((client: Client) => void) | null;
}

function ClientTable({ clients, revoke }: ClientTableProps) {
  return (
    <Table
      name={t('certificates.clients')}
      rows={clients}
      keyOf={({ serial }) => serial}
      columns={[
        { title: t('certificates.name'), isHead: true, cell: ({ name }) => name },
        { title: t('certificates.state'), cell: (client) => <State client={client} /> },
        { title: t('certificates.expires'), cell: ({ until }) => day(until) },
        {
          title: t('certificates.actions'),
          isActions: true,
          cell: (client) =>
            client.state === 'valid' &&
            revoke !== null && (
              <Button look="danger" onClick={() => revoke(client)}>
                {t('certificates.revoke')}
              </Button>
            ),
        },
      ]}
    />
  );
}

function State({ client: { state, revoked } }: { readonly client: Client }) {
  if (state === 'revoked') return <Badge look="bad">{t('certificates.revokedOn', { time: day(revoked ?? 0) })}</Badge>;
  return state === 'expired' ? (
    <Badge look="warn">{t('certificates.expired')}</Badge>
  ) : (
    <Badge look="good">{t('certificates.valid')}</Badge>
  );
}

interface RevokeProps {
  readonly client: Client;
  readonly close: () => void;
  readonly revoked: () => void;
}

function Revoke({ client: { name, serial }, close, revoked }: RevokeProps) {
  const act = async () => {
    const done = await ask(api.DELETE('/api/v1/certificates/clients/{certificate}', { params: { path: { certificate: serial } } }));
    toast(plural('certificates.revoked', done.revoked.length, { name }));
    revoked();
  };
  return (
    <Confirm title={t('certificates.revokeTitle', { name })} action={t('certificates.revoke')} act={act} close={close}>
      <p>{t('certificates.revokeWords')}</p>
      <p class="fingerprint">{t('certificates.serial', { serial })}</p>
    </Confirm>
  );
}
