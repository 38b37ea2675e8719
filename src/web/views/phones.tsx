// Phones: how far each is, what keeps it out, and the link that sets up another one.

import { useState } from 'preact/hooks';
import type { Answer } from '../api/answer.ts';
import { api, ask } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Badge, Card, PageHeader } from '../components/card.tsx';
import { CopyButton } from '../components/copy-button.tsx';
import { Confirm } from '../components/dialog.tsx';
import { Empty, Shown } from '../components/faces.tsx';
import { SettingsLines } from '../components/settings-lines.tsx';
import { Table } from '../components/table.tsx';
import { toast } from '../components/toast.tsx';
import { type Key, t } from '../i18n.ts';
import { type Live, useLive } from '../live.ts';
import { go, linkTo, place } from '../router.ts';
import { AddPhone } from './phones/add-phone.tsx';
import { keptOutWords } from './phones/kept-out.ts';

type Phone = Answer<'/api/v1/phones'>[number];

const EVERY_MS = 2000;
const SETUP_EVERY_MS = 5000;

/** Adds the first phone too. */
const BEGIN_RULES = 'sudo midge phone add NAME';

/** View is the view of phones; `?add=PERSON` opens the dialog for another one. */
export function View() {
  const phones = useLive(() => ask(api.GET('/api/v1/phones')), EVERY_MS);
  const setup = useLive(() => ask(api.GET('/api/v1/phone-setup')), SETUP_EVERY_MS);
  const isReady = setup.data.value?.obstacle === null;
  const person = place.value.query.get('add');
  return (
    <>
      <PageHeader
        title={t('phones.title')}
        lead={t('phones.lead')}
        actions={
          isReady && (
            <Button look="primary" icon="plus" onClick={() => go('phones', [], { add: '' })}>
              {t('phones.add')}
            </Button>
          )
        }
      />
      <div class="stack">
        <Shown live={setup}>{({ obstacle }) => obstacle !== null && <Obstacle kind={obstacle.kind} />}</Shown>
        <Shown live={phones}>{(data) => <List phones={data} live={phones} />}</Shown>
      </div>
      {person !== null && isReady && setup.data.value !== null && (
        <AddPhone person={person} phones={phones} setup={setup.data.value} close={() => go('phones')} />
      )}
    </>
  );
}

type ObstacleKind = NonNullable<Answer<'/api/v1/phone-setup'>['obstacle']>['kind'];

const OBSTACLES: Readonly<Record<ObstacleKind, Key>> = {
  'no TLS': 'phones.obstacle.noTls',
  'no pages': 'phones.obstacle.noPages',
  'no accounts': 'phones.obstacle.noAccounts',
  'no rules': 'phones.obstacle.noRules',
};

function Obstacle({ kind }: { readonly kind: ObstacleKind }) {
  return (
    <Card title={t('phones.obstacle.title')} look="warn">
      <p>{t(OBSTACLES[kind])}</p>
      <WayPast kind={kind} />
    </Card>
  );
}

function WayPast({ kind }: { readonly kind: ObstacleKind }) {
  switch (kind) {
    case 'no TLS':
      return <SettingsLines lines={['listener 8883', 'secure true']} />;
    case 'no pages':
      return <SettingsLines lines={['listener 8443', 'protocol http']} />;
    case 'no accounts':
      return (
        <p>
          <a href={linkTo('settings')}>{t('phones.toSettings')}</a>
        </p>
      );
    case 'no rules':
      return (
        <div class="secret">
          <code>{BEGIN_RULES}</code>
          <CopyButton text={BEGIN_RULES} />
        </div>
      );
  }
}

function List({ phones, live }: { readonly phones: readonly Phone[]; readonly live: Live<readonly Phone[]> }) {
  const [removed, setRemoved] = useState<Phone | null>(null);
  if (phones.length === 0) return <Empty icon="phone" words={t('phones.none')} />;
  return (
    <Card>
      <Table
        name={t('phones.title')}
        rows={phones}
        keyOf={({ account }) => account}
        columns={[
          { title: t('phones.person'), isHead: true, cell: ({ person, device }) => `${person} · ${device}` },
          { title: t('phones.state'), cell: (phone) => <State phone={phone} /> },
          {
            title: t('phones.groups'),
            cell: ({ groups }) => (groups.length === 0 ? <span class="quiet">{t('phones.nobody')}</span> : groups.join(', ')),
          },
          {
            title: t('phones.remove'),
            isActions: true,
            cell: (phone) => (
              <Button icon="trash" name={t('phones.removeTitle', { name: phone.account })} onClick={() => setRemoved(phone)}>
                {t('phones.remove')}
              </Button>
            ),
          },
        ]}
      />
      {removed !== null && (
        <Confirm
          title={t('phones.removeTitle', { name: removed.account })}
          action={t('phones.remove')}
          act={() => remove(removed, live)}
          close={() => setRemoved(null)}
        >
          <p>{t('phones.removeWords')}</p>
        </Confirm>
      )}
    </Card>
  );
}

async function remove({ person, device, account }: Phone, live: Live<readonly Phone[]>): Promise<void> {
  await ask(api.DELETE('/api/v1/phones/{person}', { params: { path: { person }, query: { device } } }));
  toast(t('phones.removed', { name: account }));
  await live.refresh();
}

function State({ phone: { connected, isSetUp, link, problem } }: { readonly phone: Phone }) {
  if (connected) return <Badge look="good">{t('phones.connected')}</Badge>;
  if (problem !== null) {
    return (
      <>
        <Badge look="bad">{t('phones.keptOut')}</Badge> <span class="quiet">{keptOutWords(problem)}</span>
      </>
    );
  }
  if (isSetUp) return <span class="quiet">{t('phones.away')}</span>;
  return link === null ? <Badge look="warn">{t('phones.linkEnded')}</Badge> : <Badge look="quiet">{t('phones.settingUp')}</Badge>;
}
