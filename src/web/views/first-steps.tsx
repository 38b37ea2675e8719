// The first steps with a new box, each checked by what the box itself says.

import { useState } from 'preact/hooks';
import { api, ask } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Card } from '../components/card.tsx';
import { Icon } from '../components/icon.tsx';
import { type Key, plural, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { recall, remember } from '../remembered.ts';
import { isOffered, linkTo } from '../router.ts';
import { findTrust, type Trust } from '../trust.ts';
import type { Status } from './overview-troubles.ts';

const EVERY_MS = 15_000;

interface Step {
  readonly isDone: boolean;
  readonly title: Key;
  readonly words: Key;
  /** The view where it is done. */
  readonly view: string;
  readonly query?: Readonly<Record<string, string>>;
}

const TRUST_WORDS: Readonly<Record<Trust, Key>> = {
  trusted: 'steps.trustWarned', // not shown
  warned: 'steps.trustWarned',
  plain: 'steps.trustPlain',
  unknown: 'steps.trustUnknown',
};

/** FirstSteps is a card until all is done, or somebody wants to see it no more. It asks what admins may know. */
export function FirstSteps({ status }: { readonly status: Status }) {
  const [isHidden, setHidden] = useState(recall('first-steps') === 'hidden');
  const facts = useLive(findFacts, EVERY_MS).data.value;
  if (isHidden || facts === null) return null;
  const steps = stepsOf(status, facts);
  const left = steps.filter(({ isDone }) => !isDone).length;
  if (left === 0) return null;
  const hide = () => {
    remember('first-steps', 'hidden');
    setHidden(true);
  };
  return (
    <Card
      title={t('steps.title')}
      aside={plural('steps.left', left)}
      actions={
        <Button look="plain" onClick={hide}>
          {t('steps.hide')}
        </Button>
      }
    >
      <ul class="steps">
        {steps.map((step) => (
          <StepLine key={step.title} step={step} />
        ))}
      </ul>
    </Card>
  );
}

interface Facts {
  readonly accounts: number;
  readonly phones: number;
  readonly hasRules: boolean;
  readonly trust: Trust;
}

async function findFacts(): Promise<Facts> {
  const [users, phones, trust] = await Promise.all([
    ask(api.GET('/api/v1/users', { params: { query: { limit: 10 } } })),
    ask(api.GET('/api/v1/phones')),
    trustHere(),
  ]);
  return { accounts: users.total, phones: phones.length, hasRules: users.items.some((each) => each.hasRules !== null), trust };
}

/** A certificate is trusted after this page was loaded anew: it is asked for once. */
let asked: Promise<Trust> | null = null;

function trustHere(): Promise<Trust> {
  asked ??= findTrust();
  return asked;
}

function stepsOf({ listeners, messages, clients, store }: Status, { accounts, phones, hasRules, trust }: Facts): readonly Step[] {
  const hasConnected = clients.connected + clients.away > 0 || messages.received > 0;
  return [
    { isDone: trust === 'trusted', title: 'steps.trust', words: TRUST_WORDS[trust], view: 'certificates' },
    { isDone: accounts > 1, title: 'steps.people', words: 'steps.peopleWords', view: 'people', query: { add: '', kind: 'device' } },
    { isDone: phones > 0, title: 'steps.phone', words: 'steps.phoneWords', view: 'phones', query: { add: '' } },
    { isDone: hasConnected, title: 'steps.client', words: 'steps.clientWords', view: 'clients' },
    {
      isDone: listeners.some(({ tls, protocol }) => tls && protocol !== 'http'),
      title: 'steps.tls',
      words: 'steps.tlsWords',
      view: 'settings',
    },
    { isDone: hasRules, title: 'steps.rules', words: 'steps.rulesWords', view: 'people' },
    { isDone: store !== null, title: 'steps.store', words: 'steps.storeWords', view: 'settings', query: { find: 'persistence' } },
    { isDone: recall('backup') !== null, title: 'steps.backup', words: 'steps.backupWords', view: 'backup' },
  ];
}

function StepLine({ step: { isDone, title, words, view, query } }: { readonly step: Step }) {
  const name = t(title);
  return (
    <li class={isDone ? 'is-done' : undefined}>
      <Icon name={isDone ? 'check' : 'circle'} />
      <span>
        {!isOffered(view) ? name : <a href={linkTo(view, [], query)}>{name}</a>}
        <span class="unseen">{t(isDone ? 'steps.done' : 'steps.open')}</span>
        {!isDone && <span class="hint">{t(words)}</span>}
      </span>
    </li>
  );
}
