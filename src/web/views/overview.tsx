// How the box fares, at one glance: a sentence, what needs attention, and how it was until now.

import { useState } from 'preact/hooks';
import type { Answer } from '../api/answer.ts';
import { api, ask } from '../api/client.ts';
import { Badge, Card, Figure, PageHeader } from '../components/card.tsx';
import { Shown } from '../components/faces.tsx';
import { Choice } from '../components/field.tsx';
import { connected } from '../connection.ts';
import { ago, bytes, number, percent, plural, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { mayNow } from '../visit.ts';
import { FirstSteps } from './first-steps.tsx';
import { Charts, type Range } from './overview-charts.tsx';
import { type Status, type Trouble, troublesOf } from './overview-troubles.ts';
import { TroubleCard } from './trouble-card.tsx';

const EVERY_MS = 3000;

const NOTHING_REFUSED = { refusals: [], held: [] };

/** View is the overview. */
export function View() {
  const status = useLive(() => ask(api.GET('/api/v1/status')), EVERY_MS);
  const why = useLive(() => readRefused(status.data.peek()), EVERY_MS);
  const [range, setRange] = useState<Range>('10m');
  const data = status.data.value;
  const troubles = data === null ? [] : troublesOf(data, why.data.value ?? NOTHING_REFUSED);
  return (
    <>
      <PageHeader title={t('overview.title')} lead={data === null ? undefined : <Sentence status={data} troubles={troubles} />} />
      <Shown live={status}>
        {(shown) => (
          <div class="stack">
            {troubles.map((trouble) => (
              <TroubleCard key={trouble.id} trouble={trouble} refresh={() => void status.refresh()} />
            ))}
            {mayNow('admin') && <FirstSteps status={shown} />}
            <Figures status={shown} />
            <div class="charts-head">
              <h2>{t('overview.history')}</h2>
              <Choice
                label={t('overview.range')}
                isLabelHidden
                value={range}
                choose={setRange}
                options={[
                  ['10m', t('overview.range10m')],
                  ['24h', t('overview.range24h')],
                  ['30d', t('overview.range30d')],
                ]}
              />
            </div>
            <Charts range={range} />
          </div>
        )}
      </Shown>
    </>
  );
}

/** The box looks through all subscriptions to answer: where the status tells of nothing, it is not asked. */
async function readRefused(status: Status | null) {
  const isNothing = status !== null && status.refusals + status.held.length === 0;
  return isNothing ? NOTHING_REFUSED : ask(api.GET('/api/v1/why'));
}

/** Sentence says it all for who has no time. */
function Sentence({ status, troubles }: { readonly status: Status; readonly troubles: readonly Trouble[] }) {
  if (!connected.value) {
    return (
      <>
        <Badge look="warn">{t('overview.silent')}</Badge> {t('overview.silentWords')}
      </>
    );
  }
  const urgent = troubles.filter(({ look }) => look !== 'info').length;
  const clients = plural('overview.clientsConnected', status.clients.connected);
  if (urgent > 0) {
    return (
      <>
        <Badge look="warn">{t('overview.attention')}</Badge> {plural('overview.troubleSentence', urgent, { clients })}
      </>
    );
  }
  const isQuiet = troubles.length === 0;
  return (
    <>
      <Badge look="good">{t(isQuiet ? 'overview.good' : 'overview.goodBox')}</Badge>{' '}
      {t(isQuiet ? 'overview.wellSentence' : 'overview.refusedSentence', { clients })}
    </>
  );
}

function Figures({ status }: { readonly status: Answer<'/api/v1/status'> }) {
  const { clients, messages, machine, since } = status;
  const rate = (value: number | null) => (value === null ? '–' : number(value));
  return (
    <div class="columns">
      <Card title={t('overview.broker')} aside={t('overview.since', { time: ago(since) })}>
        <dl class="figures">
          <Figure name={t('overview.clients')} value={number(clients.connected)} note={plural('overview.away', clients.away)} />
          <Figure name={t('overview.received')} value={rate(messages.receivedPerSecond)} note={t('overview.perSecond')} />
          <Figure name={t('overview.sent')} value={rate(messages.sentPerSecond)} note={t('overview.perSecond')} />
          <Figure name={t('overview.retained')} value={number(messages.retained)} note={t('overview.topics')} />
        </dl>
      </Card>
      <Card title={machine.hostName} aside={t('overview.up', { time: ago(Date.now() - machine.uptime * 1000) })}>
        <dl class="figures">
          <Figure name={t('overview.load')} value={number(machine.load[0] ?? 0)} note={t('overview.loadNote')} />
          <Figure
            name={t('overview.memory')}
            value={percent(1 - machine.memory.available / machine.memory.total)}
            note={t('overview.of', { total: bytes(machine.memory.total) })}
          />
          {machine.disk !== null && (
            <Figure
              name={t('overview.disk')}
              value={bytes(machine.disk.free)}
              note={t('overview.of', { total: bytes(machine.disk.total) })}
            />
          )}
          {machine.cpuTemperature !== null && (
            <Figure
              name={t('overview.temperature')}
              value={`${number(machine.cpuTemperature, 0)} °C`}
              note={t('overview.temperatureNote')}
            />
          )}
        </dl>
      </Card>
    </div>
  );
}
