// How the box fares, at one glance.

import type { Answer } from '../api/answer.ts';
import { api, ask } from '../api/client.ts';
import { Card, Figure, PageHeader } from '../components/card.tsx';
import { Shown } from '../components/faces.tsx';
import { ago, bytes, number, percent, plural, t } from '../i18n.ts';
import { useLive } from '../live.ts';

type Status = Answer<'/api/v1/status'>;

const EVERY_MS = 3000;

/** View is the overview. */
export function View() {
  const status = useLive(() => ask(api.GET('/api/v1/status')), EVERY_MS);
  return (
    <>
      <PageHeader title={t('overview.title')} />
      <Shown live={status}>{(data) => <Figures status={data} />}</Shown>
    </>
  );
}

function Figures({ status }: { readonly status: Status }) {
  const { clients, messages, machine, since } = status;
  const rate = (value: number | null) => (value === null ? '–' : number(value));
  return (
    <div class="columns">
      <Card title={t('overview.broker')}>
        <dl class="figures">
          <Figure name={t('overview.clients')} value={number(clients.connected)} note={plural('overview.away', clients.away)} />
          <Figure name={t('overview.received')} value={rate(messages.receivedPerSecond)} note={t('overview.perSecond')} />
          <Figure name={t('overview.sent')} value={rate(messages.sentPerSecond)} note={t('overview.perSecond')} />
          <Figure name={t('overview.retained')} value={number(messages.retained)} note={t('overview.since', { time: ago(since) })} />
        </dl>
      </Card>
      <Card title={t('overview.machine')}>
        <dl class="figures">
          <Figure name={t('overview.load')} value={number(machine.load[0] ?? 0)} />
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
          {machine.cpuTemperature !== null && <Figure name={t('overview.temperature')} value={`${number(machine.cpuTemperature)} °C`} />}
        </dl>
      </Card>
    </div>
  );
}
