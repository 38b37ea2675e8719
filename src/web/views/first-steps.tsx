// The first steps with a new box, each checked by what the box itself says.

import { useEffect, useState } from 'preact/hooks';
import { api, ask } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Card } from '../components/card.tsx';
import { Icon } from '../components/icon.tsx';
import { type Key, plural, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { recall, remember } from '../remembered.ts';
import { isOffered, linkTo } from '../router.ts';
import { waiting } from '../settings/trial.ts';
import { findTrust, type Trust } from '../trust.ts';
import { firstFree, OpenPorts } from './open-ports.tsx';
import type { Status } from './overview-troubles.ts';

const EVERY_MS = 15_000;

/** What this browser remembers of them. */
const CARD = 'first-steps';
const CONNECTED = 'first-steps.connected';

/** beginFirstSteps is for a box that was claimed just now: there may have been another at its address. */
export function beginFirstSteps(): void {
  remember(CARD, 'shown');
  remember(CONNECTED, 'no');
}

/** What others use for MQTT with TLS. */
const TLS_PORTS = [8883, 8885, 8886] as const;

interface Step {
  readonly isDone: boolean;
  readonly title: Key;
  readonly words: Key;
  /** Where it is done: a view, or here by a port that is opened. */
  readonly way: { readonly view: string; readonly query?: Readonly<Record<string, string>> } | { readonly port: number };
}

const TRUST_WORDS: Readonly<Record<Trust, Key>> = {
  trusted: 'steps.trustWarned', // not shown
  warned: 'steps.trustWarned',
  plain: 'steps.trustPlain',
  unknown: 'steps.trustUnknown',
};

/** FirstSteps is a card until all is done, or somebody wants to see it no more. It asks what admins may know. */
export function FirstSteps({ status }: { readonly status: Status }) {
  const [isHidden, setHidden] = useState(recall(CARD) === 'hidden');
  const [opening, setOpening] = useState<number | null>(null);
  const facts = useLive(findFacts, EVERY_MS).data.value;
  const hasConnected = isConnected(status) || recall(CONNECTED) === 'yes';
  useEffect(() => {
    if (hasConnected) remember(CONNECTED, 'yes'); // devices come and go
  }, [hasConnected]);
  if (isHidden || facts === null) return null;
  const steps = stepsOf(status, { ...facts, hasConnected });
  const left = steps.filter(({ isDone }) => !isDone).length;
  if (left === 0) return null;
  const hide = () => {
    remember(CARD, 'hidden');
    setHidden(true);
  };
  const closePorts = () => setOpening(null);
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
          <StepLine key={step.title} step={step} open={setOpening} />
        ))}
      </ul>
      {opening !== null && <OpenPorts lines={[`listener ${opening}`, 'secure true']} kept={closePorts} close={closePorts} />}
    </Card>
  );
}

interface Facts {
  /** A device was there once. */
  readonly hasConnected: boolean;
  readonly accounts: number;
  readonly phones: number;
  readonly hasRules: boolean;
  readonly trust: Trust;
}

async function findFacts(): Promise<Omit<Facts, 'hasConnected'>> {
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

function isConnected({ clients, bridges, messages }: Status): boolean {
  const hasDevices = clients.connected + clients.away > bridges.length; // each bridge has an end here
  return hasDevices || (bridges.length === 0 && messages.received > 0);
}

function stepsOf({ listeners, store }: Status, { accounts, phones, hasRules, trust, hasConnected }: Facts): readonly Step[] {
  return [
    { isDone: trust === 'trusted', title: 'steps.trust', words: TRUST_WORDS[trust], way: { view: 'certificates' } },
    {
      isDone: accounts > 1,
      title: 'steps.people',
      words: 'steps.peopleWords',
      way: { view: 'people', query: { add: '', kind: 'device' } },
    },
    { isDone: phones > 0, title: 'steps.phone', words: 'steps.phoneWords', way: { view: 'phones', query: { add: '' } } },
    { isDone: hasConnected, title: 'steps.client', words: 'steps.clientWords', way: { view: 'clients' } },
    {
      isDone: listeners.some(({ tls, protocol }) => tls && protocol !== 'http'),
      title: 'steps.tls',
      words: 'steps.tlsWords',
      way: { port: firstFree(TLS_PORTS, listeners) },
    },
    { isDone: hasRules, title: 'steps.rules', words: 'steps.rulesWords', way: { view: 'people' } },
    { isDone: store !== null, title: 'steps.store', words: 'steps.storeWords', way: { view: 'settings', query: { find: 'persistence' } } },
    { isDone: recall('backup') !== null, title: 'steps.backup', words: 'steps.backupWords', way: { view: 'backup' } },
  ];
}

interface StepLineProps {
  readonly step: Step;
  /** open begins to open a port. */
  readonly open: (port: number) => void;
}

function StepLine({ step: { isDone, title, words, way }, open }: StepLineProps) {
  const name = t(title);
  return (
    <li class={isDone ? 'is-done' : undefined}>
      <Icon name={isDone ? 'check' : 'circle'} />
      <span>
        {'view' in way && isOffered(way.view) ? <a href={linkTo(way.view, [], way.query)}>{name}</a> : name}
        <span class="unseen">{t(isDone ? 'steps.done' : 'steps.open')}</span>
        {!isDone && <span class="hint">{t(words)}</span>}
        {!isDone && 'port' in way && (
          <Button disabled={waiting.value !== null} onClick={() => open(way.port)}>
            {plural('ports.open', 1, { ports: `${way.port}` })}
          </Button>
        )}
      </span>
    </li>
  );
}
