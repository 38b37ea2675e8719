// The Bearer tokens of programs: whose each is, what it may do and until when. A token can be made, its secret is shown once, and it can be revoked.

import { useState } from 'preact/hooks';
import type { Answer } from '../api/answer.ts';
import { api, ask, Refusal } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Badge, Card } from '../components/card.tsx';
import { Command } from '../components/command.tsx';
import { Confirm, Dialog, Done, Once } from '../components/dialog.tsx';
import { Empty, Shown } from '../components/faces.tsx';
import { Field, Select } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { Table } from '../components/table.tsx';
import { toast } from '../components/toast.tsx';
import { day, plural, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { linkTo } from '../router.ts';
import type { Right } from '../visit.ts';
import { ROLE_NAMES } from './role-names.ts';

type Token = Answer<'/api/v1/tokens'>[number];

const EVERY_MS = 10_000;

/** Tokens lists those of one account, or all. Only among all can one be made: it belongs to who makes it. */
export function Tokens({ account = null }: { readonly account?: string | null }) {
  const [isMaking, setMaking] = useState(false);
  const [leaving, setLeaving] = useState<Token | null>(null);
  const tokens = useLive(() => ask(api.GET('/api/v1/tokens')), EVERY_MS);
  const refresh = () => void tokens.refresh();
  const make = (
    <Button icon="plus" onClick={() => setMaking(true)}>
      {t('tokens.make')}
    </Button>
  );
  return (
    <Card title={t('tokens.title')} actions={account === null && make}>
      <p class="hint">{t(account === null ? 'tokens.words' : 'tokens.wordsOf')}</p>
      <Shown live={tokens}>
        {(all) => (
          <List tokens={account === null ? all : all.filter((each) => each.account === account)} account={account} revoke={setLeaving} />
        )}
      </Shown>
      {isMaking && <MakeToken close={() => setMaking(false)} made={refresh} />}
      {leaving !== null && <Revoke token={leaving} close={() => setLeaving(null)} revoked={refresh} />}
    </Card>
  );
}

interface ListProps {
  readonly tokens: readonly Token[];
  /** Null = they may be of anybody. */
  readonly account: string | null;
  readonly revoke: (token: Token) => void;
}

function List({ tokens, account, revoke }: ListProps) {
  if (tokens.length === 0) return <Empty icon="key" words={t('tokens.none')} />;
  const owner = { title: t('tokens.account'), cell: (token: Token) => <Owner token={token} /> };
  return (
    <Table
      name={t('tokens.title')}
      rows={tokens}
      keyOf={({ name }) => name}
      columns={[
        { title: t('tokens.name'), isHead: true, cell: ({ name }) => name },
        ...(account === null ? [owner] : []),
        { title: t('tokens.may'), cell: (token) => <Holds token={token} /> },
        { title: t('tokens.since'), cell: ({ created }) => day(created) },
        { title: t('tokens.until'), cell: (token) => <End token={token} /> },
        {
          title: t('tokens.actions'),
          isActions: true,
          cell: (token) => (
            <Button look="danger" name={t('tokens.revokeName', { name: token.name })} onClick={() => revoke(token)}>
              {t('tokens.revoke')}
            </Button>
          ),
        },
      ]}
    />
  );
}

function Owner({ token: { account } }: { readonly token: Token }) {
  return account === null ? <span class="quiet">{t('tokens.machine')}</span> : <a href={linkTo('people', [account])}>{account}</a>;
}

/** A token holds no more than its account does at the moment. */
function Holds({ token: { right, holds } }: { readonly token: Token }) {
  if (holds === null) return <Badge look="warn">{t('tokens.nothing')}</Badge>;
  return (
    <span>
      {t(ROLE_NAMES[holds])}
      {holds !== right && <span class="quiet"> {t('tokens.limited', { role: t(ROLE_NAMES[right]) })}</span>}
    </span>
  );
}

function End({ token: { ends } }: { readonly token: Token }) {
  if (ends === null) return <span class="quiet">{t('tokens.never')}</span>;
  return Date.parse(ends) > Date.now() ? <span>{day(ends)}</span> : <Badge look="quiet">{t('tokens.ended')}</Badge>;
}

const DAYS = ['30', '90', '365'] as const;

type Days = (typeof DAYS)[number] | 'never';

interface MakeTokenProps {
  readonly close: () => void;
  readonly made: () => void;
}

/** MakeToken begins with the least that a program can be given. */
function MakeToken({ close, made }: MakeTokenProps) {
  const [name, setName] = useState('');
  const [right, setRight] = useState<Right>('monitoring');
  const [days, setDays] = useState<Days>('365');
  const [secret, setSecret] = useState<string | null>(null);
  const make = async () => {
    const body = { name: name.trim(), right, days: days === 'never' ? null : Number(days) };
    setSecret((await ask(api.POST('/api/v1/tokens', { body }))).token);
    made();
  };
  if (secret !== null) return <MadeToken name={name.trim()} secret={secret} close={close} />;
  const roles = Object.entries(ROLE_NAMES) as [Right, (typeof ROLE_NAMES)[Right]][]; // its keys
  return (
    <Dialog title={t('tokens.make')} close={close}>
      <Form action={t('tokens.make')} send={make} explain={inOurWords}>
        <Field label={t('tokens.name')} name="name" value={name} change={setName} hint={t('tokens.nameHint')} required isFirst />
        <Select<Right> label={t('tokens.may')} value={right} choose={setRight} options={roles.map(([each, words]) => [each, t(words)])} />
        <p class="hint">{t('people.pageHint')}</p>
        <Select<Days>
          label={t('tokens.until')}
          value={days}
          choose={setDays}
          options={[...DAYS.map((each) => [each, plural('tokens.days', Number(each))] as const), ['never', t('tokens.neverHint')]]}
        />
        <p class="hint">{t('tokens.makeHint')}</p>
      </Form>
    </Dialog>
  );
}

function inOurWords(problem: Error): Error {
  return problem instanceof Refusal && problem.status === 409 ? new Error(t('tokens.taken')) : problem;
}

interface MadeTokenProps {
  readonly name: string;
  readonly secret: string;
  readonly close: () => void;
}

function MadeToken({ name, secret, close }: MadeTokenProps) {
  const [isKept, setKept] = useState(false);
  return (
    <Once title={t('tokens.madeTitle', { name })} close={close} isKept={isKept}>
      {() => (
        <>
          <p>{t('tokens.once')}</p>
          <Command text={secret} copied={() => setKept(true)} />
          <p class="hint">{t('tokens.header')}</p>
          <p>
            <code>Authorization: Bearer …</code>
          </p>
          <Done close={close} />
        </>
      )}
    </Once>
  );
}

interface RevokeProps {
  readonly token: Token;
  readonly close: () => void;
  readonly revoked: () => void;
}

function Revoke({ token: { name, account }, close, revoked }: RevokeProps) {
  const act = async () => {
    await ask(api.DELETE('/api/v1/tokens/{name}', { params: { path: { name } } }));
    toast(t('tokens.revoked', { name }));
    revoked();
  };
  return (
    <Confirm title={t('tokens.revokeTitle', { name })} action={t('tokens.revoke')} act={act} close={close}>
      <p>{account === null ? t('tokens.revokeMachine') : t('tokens.revokeWords', { account })}</p>
    </Confirm>
  );
}
