// Who may connect: accounts, their rules, and who may use this page.

import { useEffect, useState } from 'preact/hooks';
import type { Answer } from '../api/answer.ts';
import { api, ask } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Badge, Card, PageHeader } from '../components/card.tsx';
import { Empty, Shown } from '../components/faces.tsx';
import { SearchBox } from '../components/search-box.tsx';
import { Table } from '../components/table.tsx';
import { number, plural, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { go, goInstead, linkTo, place } from '../router.ts';
import { AddPerson } from './add-person.tsx';
import { BeginRules } from './begin-rules.tsx';
import { DynamicSecurity } from './dynamic-security.tsx';
import { MayTheyCard } from './may-they.tsx';
import { PersonDetails } from './person-details.tsx';
import { ROLE_NAMES } from './role-names.ts';
import { RuleWords } from './rule-words.tsx';
import { Tokens } from './tokens.tsx';

type User = Answer<'/api/v1/users'>['items'][number];
type Roles = Answer<'/api/v1/roles'>;

const EVERY_MS = 5000;
const MOST = 1000;

/** View is the list or one person, by the address of the page; `?add=NAME` opens the dialog for a new one, `&kind=device` for a device. */
export function View() {
  const [username] = place.value.rest;
  return username === undefined ? <People /> : <PersonDetails key={username} username={username} />;
}

function People() {
  const added = place.value.query.get('add');
  const people = useLive(loadPeople, EVERY_MS);
  const known = people.data.value;
  const hasRules = known?.users.some((user) => user.hasRules !== null) ?? true;
  const taken = known?.users.map(({ username }) => username) ?? [];
  useEffect(() => {
    if (added !== null && taken.includes(added)) goInstead('people', [added]); // a link may be older than the account
  }, [added, known !== null]);
  const close = () => {
    go('people');
    void people.refresh();
  };
  return (
    <>
      <PageHeader
        title={t('people.title')}
        lead={t('people.lead')}
        actions={
          <Button look="primary" icon="plus" onClick={() => go('people', [], { add: '' })}>
            {t('people.add')}
          </Button>
        }
      />
      <Shown live={people}>
        {({ users, roles, isDynamic, mayBegin }) => (
          <div class="stack">
            {!hasRules && (
              <Card title={t('people.noRules')} look="info">
                <p>{t(isDynamic ? 'people.noRulesDynamic' : 'people.noRulesWords')}</p>
                {mayBegin ? <BeginRules done={() => void people.refresh()} /> : <p class="quiet">{t('people.noRulesAdvice')}</p>}
              </Card>
            )}
            <List users={users} roles={roles} isDynamic={isDynamic} />
            <MayTheyCard users={taken} />
            <Tokens />
            <DynamicSecurity />
          </div>
        )}
      </Shown>
      {added !== null && known !== null && (
        <AddPerson
          name={added}
          who={place.value.query.get('kind') === 'device' ? 'device' : 'somebody'}
          taken={taken}
          hasRules={hasRules}
          mayBegin={known.mayBegin}
          close={close}
        />
      )}
    </>
  );
}

async function loadPeople() {
  const [{ items: users }, roles, { model }, setup] = await Promise.all([
    ask(api.GET('/api/v1/users', { params: { query: { limit: MOST } } })),
    ask(api.GET('/api/v1/roles')),
    ask(api.GET('/api/v1/dynamic-security', { params: { query: { limit: 1 } } })),
    ask(api.GET('/api/v1/phone-setup')),
  ]);
  return { users, roles, isDynamic: model !== null, mayBegin: setup.beginsRules };
}

/** A search is of no use before. */
const MANY = 8;

function Name({ user: { username, locked } }: { readonly user: User }) {
  return (
    <>
      <a href={linkTo('people', [username])}>{username}</a> {locked && <Badge look="warn">{t('people.locked')}</Badge>}
    </>
  );
}

interface ListProps {
  readonly users: readonly User[];
  readonly roles: Roles;
  /** Where there is no ACL file, they may do nothing then, and else everything. */
  readonly isDynamic: boolean;
}

function List({ users, roles, isDynamic }: ListProps) {
  const [search, setSearch] = useState('');
  const found = users.filter(({ username }) => username.toLowerCase().includes(search.toLowerCase()));
  if (users.length === 0) return <Empty icon="people" words={t('people.none')} />;
  return (
    <Card>
      {users.length >= MANY && <SearchBox label={t('people.search')} value={search} change={setSearch} />}
      <Table
        name={t('people.title')}
        rows={found}
        keyOf={({ username }) => username}
        columns={[
          { title: t('people.name'), isHead: true, cell: (user) => <Name user={user} /> },
          {
            title: t('people.clients'),
            isNumber: true,
            cell: ({ clients }) => (clients === 0 ? <span class="quiet">0</span> : number(clients)),
          },
          { title: t('people.rules'), cell: (user) => <Rules user={user} isDynamic={isDynamic} /> },
          { title: t('people.page'), cell: ({ username }) => <PageRole roles={roles} username={username} /> },
        ]}
      />
    </Card>
  );
}

function Rules({ user: { hasRules, rules, inDynamicSecurity }, isDynamic }: Pick<ListProps, 'isDynamic'> & { readonly user: User }) {
  if (inDynamicSecurity) return <span>{t('people.inDynamic')}</span>;
  if (hasRules === null) return <span>{t(isDynamic ? 'people.nothing' : 'people.everything')}</span>;
  if (rules === null) return <span class="quiet">{t('people.noOwnRules')}</span>;
  return (
    <span>
      <RuleWords rule={{ ...rules.first, kind: 'topic' }} />
      {rules.count > 1 && <span class="hint"> {plural('people.moreRules', rules.count - 1)}</span>}
    </span>
  );
}

function PageRole({ roles, username }: { readonly roles: Roles; readonly username: string }) {
  const role = roles.find((each) => each.username === username)?.role;
  return role === undefined ? <span class="quiet">{t('people.noPage')}</span> : <Badge look="quiet">{t(ROLE_NAMES[role])}</Badge>;
}
