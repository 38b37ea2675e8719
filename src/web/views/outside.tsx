// The way from the Internet to the box: a name, a port of the router, a certificate, and whether it works - each with this box's own values.

import { useState } from 'preact/hooks';
import type { Answer } from '../api/answer.ts';
import { api, ask } from '../api/client.ts';
import type { paths } from '../api/schema.ts';
import { BoxSentence } from '../components/box-sentence.tsx';
import { Badge, Card, Facts, PageHeader } from '../components/card.tsx';
import { Shown } from '../components/faces.tsx';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { Progress } from '../components/progress.tsx';
import { SettingsLines } from '../components/settings-lines.tsx';
import { dateTime, day, type Key, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { useSending } from '../sending.ts';
import '../styles/outside.css';

type Status = Answer<'/api/v1/status'>;
type Checked = paths['/api/v1/internet/check']['post']['responses'][200]['content']['application/json'];

const EVERY_MS = 10_000;

/** View goes through it. */
export function View() {
  const status = useLive(() => ask(api.GET('/api/v1/status')), EVERY_MS);
  return (
    <>
      <PageHeader title={t('outside.title')} lead={t('outside.lead')} />
      <Shown live={status}>
        {(shown) => (
          <div class="stack">
            <NameCard status={shown} />
            <RouterCard status={shown} />
            <CertificateCard status={shown} />
            <CheckCard known={namesOf(shown)} />
          </div>
        )}
      </Shown>
    </>
  );
}

function NameCard({ status }: { readonly status: Status }) {
  const dynamic = status.internet?.dynamicDns ?? null;
  if (dynamic === null)
    return (
      <Card title={t('outside.name')}>
        <p>{t('outside.nameWhy')}</p>
        <SettingsLines
          lines={[
            'dynamic_dns_names home.example.org',
            'dynamic_dns_url https://dyn.example.org/nic/update',
            'dynamic_dns_username NAME',
            'dynamic_dns_password PASSWORD',
          ]}
        />
      </Card>
    );
  const { names, address, updatedAt, fault } = dynamic;
  return (
    <Card title={t('outside.name')} look={fault === null ? 'good' : 'bad'}>
      <Facts
        rows={[
          [t('outside.names'), names.join(', ')],
          [t('outside.address'), address ?? t('outside.addressUnknown')],
          [t('outside.told'), updatedAt === null ? '–' : dateTime(updatedAt)],
        ]}
      />
      {fault !== null && (
        <p class="trouble">
          <BoxSentence text={fault} />
        </p>
      )}
    </Card>
  );
}

function RouterCard({ status }: { readonly status: Status }) {
  const address = status.machine.addresses.find((each) => each.includes('.')) ?? '–';
  const ports = status.listeners.filter(({ tls, protocol }) => tls && protocol !== 'http').map(({ port }) => port);
  return (
    <Card title={t('outside.router')}>
      <p>{t('outside.routerWhy')}</p>
      {ports.length === 0 ? (
        <p class="trouble">{t('outside.noTls')}</p>
      ) : (
        <Facts rows={ports.map((port) => [t('outside.port', { port: String(port) }), `${address}:${port} (TCP)`])} />
      )}
      <p class="quiet">{t('outside.routerPlain')}</p>
    </Card>
  );
}

function CertificateCard({ status }: { readonly status: Status }) {
  const certificate = status.internet?.certificate ?? null;
  if (certificate === null)
    return (
      <Card title={t('outside.certificate')}>
        <p>{t('outside.certificateOwn')}</p>
        <SettingsLines lines={['certificate_names home.example.org']} />
        <p>{t('outside.certificateAcme')}</p>
        <SettingsLines lines={['acme_names home.example.org']} />
      </Card>
    );
  const { names, expires, fault, nextTry } = certificate;
  return (
    <Card title={t('outside.certificate')} look={fault === null ? (expires === null ? 'info' : 'good') : 'bad'}>
      <Facts
        rows={[
          [t('outside.names'), names.join(', ')],
          [t('outside.expires'), expires === null ? t('outside.ordered') : day(expires)],
          ...(fault === null || nextTry === null ? [] : [[t('outside.nextTry'), dateTime(nextTry)] as const]),
        ]}
      />
      {fault !== null && (
        <p class="trouble">
          <BoxSentence text={fault} />
        </p>
      )}
    </Card>
  );
}

function CheckCard({ known }: { readonly known: string }) {
  const [name, setName] = useState<string | null>(null);
  const sending = useSending();
  const [checked, setChecked] = useState<Checked | null>(null);
  const wanted = name ?? known;
  const check = async () => {
    const names = wanted.split(/[\s,]+/).filter((each) => each !== '');
    setChecked(null);
    setChecked((await ask(api.POST('/api/v1/internet/check', { body: { names } }))) as Checked); // no stream was asked for
  };
  return (
    <Card title={t('outside.check')}>
      <Form class="stack" action={t('outside.checkDo')} send={check} sending={sending}>
        <Field label={t('outside.checkName')} name="names" value={wanted} change={setName} hint={t('outside.checkHint')} />
      </Form>
      {sending.isBusy && <Progress label={t('outside.checking')} share={null} />}
      <div aria-live="polite">{checked !== null && <Steps checked={checked} />}</div>
    </Card>
  );
}

/** What each step says, and what to do. */
const WORDS: Readonly<Record<Checked['steps'][number]['code'], readonly [words: Key, advice: Key | null]>> = {
  'router-ok': ['outside.step.router-ok', null],
  'router-silent': ['outside.step.router-silent', 'outside.advice.router-silent'],
  'router-shared': ['outside.step.router-shared', 'outside.advice.router-shared'],
  'router-behind': ['outside.step.router-behind', 'outside.advice.router-behind'],
  'name-ok': ['outside.step.name-ok', null],
  'name-none': ['outside.step.name-none', 'outside.advice.name-none'],
  'name-other': ['outside.step.name-other', 'outside.advice.name-other'],
  'connection-here': ['outside.step.connection-here', null],
  'connection-silent': ['outside.step.connection-silent', 'outside.advice.connection-silent'],
  'connection-elsewhere': ['outside.step.connection-elsewhere', 'outside.advice.connection-elsewhere'],
};

function Steps({ checked }: { readonly checked: Checked }) {
  return (
    <ul class="outside-steps">
      {checked.steps.map(({ code, ok, values }) => {
        const [words, advice] = WORDS[code];
        return (
          <li key={`${code} ${values['name']} ${values['port']}`}>
            <Verdict isKnown={code !== 'router-silent'} isGood={ok} /> {t(words, values)}
            {advice !== null && <p class="quiet">{t(advice, values)}</p>}
          </li>
        );
      })}
    </ul>
  );
}

/** A router that tells nothing may be as good as any other. */
function Verdict({ isKnown, isGood }: { readonly isKnown: boolean; readonly isGood: boolean }) {
  if (!isKnown) return <Badge look="quiet">{t('outside.notKnown')}</Badge>;
  return <Badge look={isGood ? 'good' : 'bad'}>{t(isGood ? 'outside.fine' : 'outside.inTheWay')}</Badge>;
}

function namesOf({ internet }: Status): string {
  return [...new Set([...(internet?.dynamicDns?.names ?? []), ...(internet?.certificate?.names ?? [])])].join(' ');
}
