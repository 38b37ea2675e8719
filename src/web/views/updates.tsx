// Newer versions of midge: which there is and what it brings, having it installed, and whether the box does so by itself.

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Answer } from '../api/answer.ts';
import { api, ask, Unreachable } from '../api/client.ts';
import { isAborted, work } from '../api/long-work.ts';
import { BoxSentence } from '../components/box-sentence.tsx';
import { Button } from '../components/button.tsx';
import { Card, Facts, PageHeader } from '../components/card.tsx';
import { Shown, Trouble } from '../components/faces.tsx';
import { Field, Select } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { Progress } from '../components/progress.tsx';
import { bytes, dateTime, day, type Key, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { useSending } from '../sending.ts';
import { tryText } from '../settings/trial.ts';
import { mayNow } from '../visit.ts';
import '../styles/updates.css';

type Updates = Answer<'/api/v1/updates'>;
type Step = NonNullable<Updates['progress']>;
type Mode = Updates['automatic'];

const EVERY_MS = 3000;

/** View is the view of updates. */
export function View() {
  const updates = useLive(() => ask(api.GET('/api/v1/updates')), EVERY_MS);
  return (
    <>
      <PageHeader title={t('updates.title')} lead={t('updates.lead')} />
      <Shown live={updates}>
        {(shown) => (
          <div class="stack">
            <VersionCard updates={shown} refresh={() => updates.refresh()} />
            {shown.last?.outcome === 'failed' && <FailureCard last={shown.last} />}
            {mayNow('admin') && <AutomaticCard key={`${shown.automatic} ${shown.url}`} updates={shown} />}
          </div>
        )}
      </Shown>
    </>
  );
}

function VersionCard({ updates, refresh }: { readonly updates: Updates; readonly refresh: () => Promise<void> }) {
  const { current, built, newest, checked, nextCheck, way, last } = updates;
  const looking = useSending();
  const look = () =>
    looking.send(async () => {
      await ask(api.POST('/api/v1/updates/check', { body: {} }));
      await refresh();
    });
  return (
    <Card title={t('updates.version')} look={newest?.isNewer ? 'info' : 'normal'}>
      <Facts
        rows={[
          [t('updates.current'), t('updates.versionOf', { version: current, day: day(built) })],
          [
            t('updates.newest'),
            newest === null
              ? t('updates.unknown')
              : newest.isNewer
                ? t('updates.versionOf', { version: newest.version, day: day(newest.date) })
                : t('updates.isNewest'),
          ],
          [t('updates.checked'), checked === null ? t('updates.never') : dateTime(checked.at)],
          ...(last?.outcome === 'on trial' ? [[t('updates.trial'), t('updates.trialOf', { version: last.to ?? '–' })] as const] : []),
          ...(nextCheck === null ? [] : [[t('updates.nextCheck'), dateTime(nextCheck)] as const]),
        ]}
      />
      {checked?.fault && (
        <p class="trouble">
          <BoxSentence text={checked.fault} />
        </p>
      )}
      {looking.problem !== null && <Trouble problem={looking.problem} />}
      {newest?.isNewer && newest.notes !== '' && (
        <details class="notes" open>
          <summary>{t('updates.notes')}</summary>
          <pre>{newest.notes}</pre>
        </details>
      )}
      {newest?.isNewer && way !== 'service' && <p>{t(way === 'package' ? 'updates.byPackage' : 'updates.byHand')}</p>}
      {mayNow('operator') && (
        <div class="actions">
          <Button icon="refresh" isBusy={looking.isBusy} onClick={() => void look()}>
            {t('updates.check')}
          </Button>
        </div>
      )}
      {newest?.isNewer && way === 'service' && mayNow('admin') && (
        <Installation version={newest.version} progress={updates.progress} refresh={refresh} />
      )}
    </Card>
  );
}

interface InstallationProps {
  readonly version: string;
  /** Of an update that somebody else has begun, or this page before it was loaded again. */
  readonly progress: Step | null;
  readonly refresh: () => Promise<void>;
}

/** The box is away while it starts anew: that is no failure, and what came of it is asked for when it is back. */
function Installation({ version, progress, refresh }: InstallationProps) {
  const [step, setStep] = useState<Step | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Error | null>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const begin = async () => {
    running.current = new AbortController();
    setBusy(true);
    setProblem(null);
    try {
      await work('/api/v1/updates/installation', {}, (each) => setStep(each as Step), running.current.signal); // as its operation says
    } catch (error) {
      if (!isAborted(error) && !(error instanceof Unreachable)) setProblem(error as Error); // work throws nothing else
    }
    setBusy(false);
    setStep(null);
    await refresh();
  };
  const now = step ?? progress;
  return (
    <>
      {(isBusy || progress !== null) && <Progress label={labelOf(now)} share={shareOf(now)} />}
      {problem !== null && <Trouble problem={problem} />}
      <p class="quiet">{t('updates.installWhat')}</p>
      <div class="actions">
        <Button look="primary" icon="download" isBusy={isBusy || progress !== null} onClick={() => void begin()}>
          {t('updates.install', { version })}
        </Button>
      </div>
    </>
  );
}

function labelOf(step: Step | null): string {
  if (step === null) return t('updates.asking');
  if (step.step === 'installing') return t('updates.installing', { version: step.version });
  return t('updates.fetching', { version: step.version, bytes: bytes(step.bytes), size: bytes(step.size) });
}

function shareOf(step: Step | null): number | null {
  return step === null || step.step === 'installing' || step.size === 0 ? null : step.bytes / step.size;
}

function FailureCard({ last }: { readonly last: NonNullable<Updates['last']> }) {
  return (
    <Card title={t('updates.failed')} look="bad">
      <p>{t('updates.failedWhen', { version: last.to ?? '–', when: dateTime(last.at), kept: last.from })}</p>
      {last.reason !== null && (
        <pre class="reason">
          <BoxSentence text={last.reason} />
        </pre>
      )}
    </Card>
  );
}

const MODE_NAMES: Readonly<Record<Mode, Key>> = { off: 'updates.mode.off', check: 'updates.mode.check', install: 'updates.mode.install' };

/** The change is taken back unless somebody confirms it, as every change of the configuration. */
function AutomaticCard({ updates }: { readonly updates: Updates }) {
  const [mode, setMode] = useState<Mode>(updates.automatic);
  const [url, setUrl] = useState(updates.url ?? '');
  const [window, setWindow] = useState(`${updates.window.from}-${updates.window.to}`);
  const modes = Object.keys(MODE_NAMES) as Mode[]; // its keys
  const save = async () => {
    const { text, revision } = await ask(api.GET('/api/v1/configuration'));
    const changes = [
      { name: 'updates_url', values: url.trim() === '' ? [] : [url.trim()] },
      { name: 'automatic_updates', values: mode === 'off' ? [] : [mode] },
      { name: 'update_window', values: mode === 'off' ? [] : [window.trim()] },
    ];
    const edited = await ask(api.POST('/api/v1/configuration/edits', { body: { text, changes } }));
    if (edited.text !== text) await tryText(edited.text, revision, null);
  };
  return (
    <Card title={t('updates.automatic')}>
      <Form class="stack" action={t('updates.save')} look="normal" send={save}>
        <Field label={t('updates.url')} name="url" value={url} change={setUrl} hint={t('updates.urlHint')} />
        <Select
          label={t('updates.mode')}
          value={mode}
          choose={setMode}
          options={modes.map((each) => [each, t(MODE_NAMES[each])] as const)}
        />
        {mode !== 'off' && (
          <Field label={t('updates.window')} name="window" value={window} change={setWindow} hint={t('updates.windowHint')} />
        )}
      </Form>
    </Card>
  );
}
