// Phones: how far each is, what keeps it out, and the link that sets up another one.

import { useState } from 'preact/hooks';
import type { Answer } from '../api/answer.ts';
import { api, ask } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Badge, Card, PageHeader } from '../components/card.tsx';
import { Confirm } from '../components/dialog.tsx';
import { Empty, Shown } from '../components/faces.tsx';
import { Table } from '../components/table.tsx';
import { toast } from '../components/toast.tsx';
import { type Key, t } from '../i18n.ts';
import { type Live, useLive } from '../live.ts';
import { go, linkTo, place } from '../router.ts';
import { notingTrial, waiting } from '../settings/trial.ts';
import { Obstacles } from './obstacles.tsx';
import { OpenPorts } from './open-ports.tsx';
import { AddPhone } from './phones/add-phone.tsx';
import { ChangeGroups } from './phones/change-groups.tsx';
import { keptOutWords } from './phones/kept-out.ts';
import { NewLink } from './phones/new-link.tsx';

type Phone = Answer<'/api/v1/phones'>[number];
type Obstacle = Answer<'/api/v1/phone-setup'>['obstacles'][number];

const OBSTACLES: Readonly<Record<Obstacle['kind'], Key>> = {
  'no TLS': 'phones.obstacle.noTls',
  'no pages': 'phones.obstacle.noPages',
  'no accounts': 'phones.obstacle.noAccounts',
  'no rules': 'phones.obstacle.noRules',
};

/** Adds the first phone too. */
const BEGIN_RULES = 'sudo midge phone add NAME';

const EVERY_MS = 2000;
const SETUP_EVERY_MS = 5000;

/** View is the view of phones; `?add=PERSON` opens the dialog for another one, and `?groups=PERSON` that for the groups of somebody. */
export function View() {
  const phones = useLive(() => ask(api.GET('/api/v1/phones')), EVERY_MS);
  const setup = useLive(loadSetup, SETUP_EVERY_MS, [waiting.value === null]);
  const [opened, setOpened] = useState<readonly string[] | null>(null);
  const isReady = setup.data.value?.obstacles.length === 0 && !setup.data.value.isOnTrial && waiting.value === null;
  const person = place.value.query.get('add');
  const sharer = place.value.query.get('groups');
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
        <Shown live={setup}>
          {({ obstacles }) =>
            obstacles.length > 0 && (
              <Card title={t('phones.obstacle.title')} look="warn">
                <Obstacles obstacles={obstacles} words={(kind) => t(OBSTACLES[kind])} command={BEGIN_RULES} open={setOpened} />
              </Card>
            )
          }
        </Shown>
        <Shown live={phones}>{(data) => <List phones={data} live={phones} isReady={isReady} />}</Shown>
      </div>
      {sharer !== null && phones.data.value?.some((each) => each.person === sharer) && (
        <ChangeGroups person={sharer} phones={phones.data.value} done={() => phones.refresh()} close={() => go('phones')} />
      )}
      {opened !== null && <OpenPorts lines={opened} kept={() => go('phones', [], { add: person ?? '' })} close={() => setOpened(null)} />}
      {person !== null && isReady && setup.data.value !== null && (
        <AddPhone person={person} phones={phones} setup={setup.data.value} close={() => go('phones')} />
      )}
    </>
  );
}

/** What is there on trial may be gone in a minute, and a phone that is set up by it could not come. */
function loadSetup() {
  return notingTrial(ask(api.GET('/api/v1/phone-setup')));
}

interface ListProps {
  readonly phones: readonly Phone[];
  readonly live: Live<readonly Phone[]>;
  /** Links can be made. */
  readonly isReady: boolean;
}

function List({ phones, live, isReady }: ListProps) {
  const [linked, setLinked] = useState<Phone | null>(null);
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
          { title: t('phones.groups'), cell: (phone) => <Groups phone={phone} /> },
          {
            title: t('phones.remove'),
            isActions: true,
            cell: (phone) => (
              <div class="actions">
                {isReady && (
                  <Button icon="phone" name={t('phones.newLinkOf', { name: phone.account })} onClick={() => setLinked(phone)}>
                    {t('phones.newLink')}
                  </Button>
                )}
                <Button icon="trash" name={t('phones.removeTitle', { name: phone.account })} onClick={() => setRemoved(phone)}>
                  {t('phones.remove')}
                </Button>
              </div>
            ),
          },
        ]}
      />
      {linked !== null && <NewLink phone={linked} phones={live} close={() => setLinked(null)} />}
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

/** Only OwnTracks tells where a phone is. */
function Groups({ phone: { person, groups, use } }: { readonly phone: Phone }) {
  if (use === 'mqtt') return <span class="quiet">{t('phones.nobody')}</span>;
  return (
    <>
      {groups.length === 0 ? <span class="quiet">{t('phones.nobody')}</span> : groups.join(', ')}{' '}
      <a href={linkTo('phones', [], { groups: person })} aria-label={t('phones.groupsOf', { name: person })}>
        {t('phones.groupsChange')}
      </a>
    </>
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
