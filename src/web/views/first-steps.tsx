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

/** FirstSteps is a card until all is done, or somebody wants to see it no more. It asks what admins may know. */
export function FirstSteps({ status }: { readonly status: Status }) {
  const [isHidden, setHidden] = useState(recall('first-steps') === 'hidden');
  const people = useLive(() => ask(api.GET('/api/v1/users', { params: { query: { limit: 10 } } })), EVERY_MS);
  const accounts = people.data.value;
  if (isHidden || accounts === null) return null;
  const steps = stepsOf(
    status,
    accounts.total,
    accounts.items.some(({ hasRules }) => hasRules !== null),
  );
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

function stepsOf({ listeners, messages, clients, store }: Status, accounts: number, hasRules: boolean): readonly Step[] {
  const hasConnected = clients.connected + clients.away > 0 || messages.received > 0;
  return [
    { isDone: accounts > 1, title: 'steps.people', words: 'steps.peopleWords', view: 'people', query: { add: '' } },
    { isDone: hasConnected, title: 'steps.client', words: 'steps.clientWords', view: 'clients' },
    {
      isDone: listeners.some(({ tls, protocol }) => tls && protocol !== 'http'),
      title: 'steps.tls',
      words: 'steps.tlsWords',
      view: 'settings',
    },
    { isDone: hasRules, title: 'steps.rules', words: 'steps.rulesWords', view: 'settings' },
    { isDone: store !== null, title: 'steps.store', words: 'steps.storeWords', view: 'settings' },
    { isDone: recall('backup') !== null, title: 'steps.backup', words: 'steps.backupWords', view: 'backup' },
  ];
}

function StepLine({ step: { isDone, title, words, view, query } }: { readonly step: Step }) {
  const name = t(title);
  return (
    <li class={isDone ? 'is-done' : undefined}>
      <Icon name={isDone ? 'check' : 'circle'} />
      <span>
        {isDone || !isOffered(view) ? name : <a href={linkTo(view, [], query)}>{name}</a>}
        <span class="unseen">{t(isDone ? 'steps.done' : 'steps.open')}</span>
        {!isDone && <span class="hint">{t(words)}</span>}
      </span>
    </li>
  );
}
