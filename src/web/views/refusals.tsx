// Who was turned away or hears nothing, why, and what to do about it.

import { api, ask } from '../api/client.ts';
import { Card } from '../components/card.tsx';
import { Asked, Empty } from '../components/faces.tsx';
import { ago, plural, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { isCalm, isRestless, openRowsOf, type Refused, refusedRowsOf, type Why } from '../refusal-rows.ts';
import { linkFor, toPerson, toRule } from './refusal-links.ts';
import { HeldReason, PlainReason, Reason } from './refusal-reason.tsx';

const EVERY_MS = 3000;

/** Refusals shows them all, or those about a client, a user or an address. */
export function Refusals({ about }: { readonly about?: string }) {
  const query = about === undefined ? {} : { about };
  const why = useLive(() => ask(api.GET('/api/v1/why', { params: { query } })), EVERY_MS, [about]);
  return (
    <Card title={t('refusals.title')}>
      <Asked live={why}>{(data) => <List why={data} ended={() => void why.refresh()} />}</Asked>
    </Card>
  );
}

interface ListProps {
  readonly why: Why;
  /** A hold was ended. */
  readonly ended: () => void;
}

function List({ why, ended }: ListProps) {
  const { refusals, held, deaf } = why;
  const restless = refusedRowsOf(refusals.filter(isRestless));
  const calm = refusals.filter((each) => !isRestless(each) && isCalm(each));
  const isNone = refusals.every(isRestless) && held.length + deaf.length === 0;
  return (
    <>
      {isNone ? <Empty icon="check" words={t('refusals.none')} /> : <Open why={why} ended={ended} />}
      {restless.length > 0 && (
        <>
          <h3>{t('refusals.restless')}</h3>
          <ul class="reasons">
            {restless.map((row) => (
              <PlainReason key={row.key} row={row} badge={null} />
            ))}
          </ul>
        </>
      )}
      {calm.length > 0 && (
        <details class="calm-reasons">
          <summary>
            {plural(
              'refusals.calm',
              calm.reduce((sum, { count }) => sum + count, 0),
            )}
          </summary>
          <ul class="reasons">
            {refusedRowsOf(calm).map((row) => (
              <PlainReason key={row.key} row={row} advice={calmAdvice(row.refusal)} />
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function calmAdvice({ cause, settled, topicName, adviceCode, clientId, username }: Refused): string {
  if (settled === null) return t('refusals.browser');
  if (topicName !== null) return t('refusals.allowed');
  if (adviceCode === 'unlock' || adviceCode === 'enable client') return t('refusals.letIn');
  if (cause === 'page') return t('refusals.settledPage', { time: ago(settled) });
  return t(username === null && clientId === '' ? 'refusals.settledThere' : 'refusals.settled', { time: ago(settled) });
}

function Open({ why, ended }: ListProps) {
  const rows = openRowsOf(why);
  if (rows.length + why.deaf.length === 0) return <Empty icon="check" words={t('refusals.noneOpen')} />;
  return (
    <ul class="reasons">
      {rows.map((row) =>
        row.held === null ? (
          <PlainReason key={row.key} row={row} link={linkFor(row.refusal)} />
        ) : (
          <HeldReason key={row.key} row={row} ended={ended} />
        ),
      )}
      {why.deaf.map(({ clientId, username, topicFilter, missing }) => (
        <Reason
          key={`deaf ${clientId} ${topicFilter}`}
          who={clientId}
          from={username ?? t('clients.nobody')}
          badge={t('refusals.deaf')}
          words={t('refusals.deafWords', { filter: topicFilter })}
          advice={missing === null ? null : t('refusals.deafAdvice', { filter: missing })}
          link={username === null ? null : missing === null ? toPerson(username) : toRule(username, missing, 'read')}
        />
      ))}
    </ul>
  );
}
