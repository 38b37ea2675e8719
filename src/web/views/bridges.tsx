// The bridges to other brokers: how each is doing, in words, and a trial of one.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Answer } from '../api/answer.ts';
import { api, ask } from '../api/client.ts';
import { isAborted, work } from '../api/long-work.ts';
import { BoxSentence } from '../components/box-sentence.tsx';
import { Button } from '../components/button.tsx';
import { Badge, Card, Figure, PageHeader } from '../components/card.tsx';
import { Confirm } from '../components/dialog.tsx';
import { Empty, Shown, Trouble } from '../components/faces.tsx';
import { Icon } from '../components/icon.tsx';
import { toast } from '../components/toast.tsx';
import { ago, dateTime, number, plural, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { mayNow } from '../visit.ts';
import { AcceptInvitation } from './bridges/accept-invitation.tsx';
import { BridgeTopics } from './bridges/bridge-topics.tsx';
import { ClusterCards } from './bridges/cluster-cards.tsx';
import { ConnectBroker } from './bridges/connect-broker.tsx';
import { EditBridge } from './bridges/edit-bridge.tsx';
import { GuestCards } from './bridges/guest-cards.tsx';
import { InviteBridge } from './bridges/invite-bridge.tsx';
import '../styles/bridges.css';

type Bridge = Answer<'/api/v1/bridges'>[number];

const EVERY_MS = 3000;

/** View is the view of bridges. */
export function View() {
  const bridges = useLive(loadBridges, EVERY_MS);
  const [open, setOpen] = useState<'invite' | 'accept' | 'connect' | null>(null);
  const close = () => setOpen(null);
  const actions = mayNow('admin') ? (
    <>
      <Button onClick={() => setOpen('connect')}>{t('bridges.connect')}</Button>
      <Button onClick={() => setOpen('accept')}>{t('bridges.accept')}</Button>
      <Button look="primary" onClick={() => setOpen('invite')}>
        {t('bridges.invite')}
      </Button>
    </>
  ) : undefined;
  return (
    <>
      <PageHeader title={t('bridges.title')} lead={t('bridges.lead')} actions={actions} />
      {open === 'invite' && <InviteBridge close={close} invited={() => void bridges.refresh()} />}
      {open === 'connect' && <ConnectBroker close={close} added={() => void bridges.refresh()} />}
      {open === 'accept' && <AcceptInvitation close={close} added={() => void bridges.refresh()} />}
      <ClusterCards />
      <Shown live={bridges}>
        {({ own, guests }) =>
          own.length + guests.length === 0 ? (
            <NoBridge />
          ) : (
            <div class="stack bridges">
              {own.map((bridge) => (
                <BridgeCard key={bridge.name} bridge={bridge} changed={() => void bridges.refresh()} />
              ))}
              <GuestCards guests={guests} />
            </div>
          )
        }
      </Shown>
    </>
  );
}

async function loadBridges() {
  const [own, guests] = await Promise.all([ask(api.GET('/api/v1/bridges')), ask(api.GET('/api/v1/bridge-invitations'))]);
  return { own, guests };
}

function NoBridge() {
  return (
    <Card>
      <Empty icon="bridge" words={t('bridges.none')} />
      {mayNow('admin') && (
        <div class="bridge-how">
          <p>{t('bridges.how')}</p>
          <ol>
            <li>{t('bridges.howInvite')}</li>
            <li>{t('bridges.howAccept')}</li>
          </ol>
          <p>{t('bridges.howConnect')}</p>
        </div>
      )}
    </Card>
  );
}

const LOOKS = { connected: 'good', connecting: 'quiet', idle: 'quiet', waiting: 'warn', stopped: 'bad' } as const;

const PHASES = {
  connected: 'bridges.connected',
  connecting: 'bridges.connecting',
  idle: 'bridges.idle',
  waiting: 'bridges.waiting',
  stopped: 'bridges.stopped',
} as const;

function BridgeCard({ bridge, changed }: { readonly bridge: Bridge; readonly changed: () => void }) {
  const [isEditing, setEditing] = useState(false);
  const [edits, setEdits] = useState(0);
  const edited = () => {
    setEdits(edits + 1);
    changed();
  };
  const { name, topics, phase, since, nextAttempt, address, lastError, refusedFilters, received, sent, queued, oldestQueued, dropped } =
    bridge;
  const isDown = phase === 'waiting' || phase === 'stopped';
  return (
    <Card
      title={name}
      look={phase === 'stopped' ? 'bad' : isDown ? 'warn' : 'normal'}
      actions={<Badge look={LOOKS[phase]}>{t(PHASES[phase])}</Badge>}
    >
      <p class="hint">
        {address} · {t('bridges.since', { time: dateTime(since) })}
        {nextAttempt !== null && ` · ${isDue(nextAttempt) ? t('bridges.nextNow') : t('bridges.next', { time: ago(nextAttempt) })}`}
      </p>
      {lastError !== null && (
        <p class={isDown ? 'remarks bad' : 'remarks'}>
          {isDown ? '' : `${t('bridges.earlier', { time: ago(lastError.at) })} `}
          <BoxSentence text={lastError.words} />
        </p>
      )}
      {isDown && lastError !== null && lastError.advice !== null && (
        <p class="remarks">
          <BoxSentence text={lastError.advice} />
        </p>
      )}
      {refusedFilters.length > 0 && <p class="remarks warn">{t('bridges.refused', { filters: refusedFilters.join(', ') })}</p>}
      <BridgeTopics topics={topics} />
      <dl class="figures">
        <Figure name={t('bridges.received')} value={number(received)} />
        <Figure name={t('bridges.sent')} value={number(sent)} />
        <Figure
          name={t('bridges.queued')}
          value={number(queued)}
          note={oldestQueued === null ? undefined : t('bridges.oldest', { time: dateTime(oldestQueued) })}
        />
        <Figure name={t('bridges.dropped')} value={number(dropped)} />
      </dl>
      {mayNow('operator') && (
        <Trial name={name} of={edits} isUp={phase === 'connected'}>
          {mayNow('admin') && (
            <>
              <Button icon="edit" name={t('bridges.editTitle', { name })} onClick={() => setEditing(true)}>
                {t('bridges.edit')}
              </Button>
              <Removal bridge={bridge} removed={changed} />
            </>
          )}
        </Trial>
      )}
      {isEditing && <EditBridge name={name} close={() => setEditing(false)} changed={edited} />}
    </Card>
  );
}

/** To the second, as `ago` counts. */
function isDue(attempt: string): boolean {
  return Date.parse(attempt) - Date.now() < 500;
}

function Removal({ bridge: { name, queued }, removed }: { readonly bridge: Bridge; readonly removed: () => void }) {
  const [isAsking, setAsking] = useState(false);
  const act = async () => {
    await ask(api.DELETE('/api/v1/bridges/{name}', { params: { path: { name } } }));
    toast(t('bridges.removed', { name }));
    removed();
  };
  return (
    <>
      <Button icon="trash" look="danger" name={t('bridges.removeName', { name })} onClick={() => setAsking(true)}>
        {t('bridges.remove')}
      </Button>
      {isAsking && (
        <Confirm title={t('bridges.removeTitle', { name })} action={t('bridges.remove')} act={act} close={() => setAsking(false)}>
          <p>{t('bridges.removeWords')}</p>
          {queued > 0 && <p>{plural('bridges.removeQueued', queued)}</p>}
        </Confirm>
      )}
    </>
  );
}

interface Step {
  readonly step: string;
  readonly ok: boolean;
  readonly text: string;
}

interface TrialProps {
  readonly name: string;
  /** Counts the edits: when there is another one, the result says nothing any more. */
  readonly of: number;
  /** The bridge is connected: a result that says something else is of before. */
  readonly isUp: boolean;
  readonly children: ComponentChildren;
}

function Trial({ name, of, isUp, children }: TrialProps) {
  const [steps, setSteps] = useState<readonly Step[]>([]);
  const [isBusy, setBusy] = useState(false);
  const [isOver, setOver] = useState(false);
  const [problem, setProblem] = useState<Error | null>(null);
  const running = useRef<AbortController | null>(null);
  const found = useRef<HTMLOListElement>(null);
  useEffect(() => found.current?.scrollIntoView({ block: 'nearest' }), [steps]);
  useEffect(() => () => running.current?.abort(), []);
  const forget = () => {
    setSteps([]);
    setProblem(null);
    setOver(false);
  };
  useEffect(() => {
    running.current?.abort();
    forget();
  }, [of]);
  useEffect(() => {
    const last = steps.slice(steps.findLastIndex(({ step }) => step === 'address')); // one address that answers is enough
    const wasGood = problem === null && last.every(({ ok }) => ok);
    if (!isBusy && wasGood !== isUp) forget();
  }, [isUp]);
  const begin = async () => {
    running.current = new AbortController();
    forget();
    setBusy(true);
    try {
      const path = `/api/v1/bridges/${encodeURIComponent(name)}/test`;
      await work(path, {}, (step) => setSteps((old) => [...old, step as Step]), running.current.signal); // as the path says
      setOver(true);
    } catch (error) {
      if (!isAborted(error)) setProblem(error as Error); // work throws nothing else
    }
    setBusy(false);
  };
  return (
    <div class="bridge-trial">
      <div class="actions">
        <Button icon="refresh" isBusy={isBusy} onClick={() => void begin()}>
          {t('bridges.test')}
        </Button>
        {children}
      </div>
      {problem !== null && <Trouble problem={problem} />}
      {steps.length > 0 && (
        <ol ref={found} aria-label={t('bridges.steps')} aria-live="polite">
          {steps.map(({ step, ok, text }) => (
            <li key={`${step} ${text}`} class={step === 'advice' || step === 'address' ? step : ok ? 'good' : 'bad'}>
              <Icon name={step === 'address' ? 'bridge' : step === 'advice' ? 'info' : ok ? 'check' : 'warning'} />
              <BoxSentence text={text} />
            </li>
          ))}
        </ol>
      )}
      {isOver && steps.every(({ ok }) => ok) && <p class="hint">{t('bridges.allGood')}</p>}
    </div>
  );
}
