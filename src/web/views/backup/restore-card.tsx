// A backup that is brought, looked at, and put in the place of what is there.

import { useEffect, useRef, useState } from 'preact/hooks';
import { api, ask, Refusal } from '../../api/client.ts';
import { isAborted, sendFile } from '../../api/long-work.ts';
import type { paths } from '../../api/schema.ts';
import { readable } from '../../box-words.ts';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { Check } from '../../components/check.tsx';
import { Command } from '../../components/command.tsx';
import { Confirm } from '../../components/dialog.tsx';
import { Shown, Trouble } from '../../components/faces.tsx';
import { FileField } from '../../components/file-field.tsx';
import { Progress } from '../../components/progress.tsx';
import { dateTime, type Key, percent, t } from '../../i18n.ts';
import { useLive } from '../../live.ts';
import { awaitEnding, expectRestore } from '../../visit.ts';

type Prepared = paths['/api/v1/restores']['post']['responses'][200]['content']['application/json'];

/** It seldom changes. */
const EVERY_MS = 60_000;

const HELD: Readonly<Record<Prepared['stays'][number]['holds'], Key>> = {
  accounts: 'backup.holdsAccounts',
  rules: 'backup.holdsRules',
  settings: 'backup.holdsSettings',
};

type Stage =
  | { readonly kind: 'none' }
  | { readonly kind: 'bringing'; readonly share: number }
  | { readonly kind: 'brought'; readonly prepared: Prepared };

/** RestoreCard says first where a backup cannot be restored here, and with which command it can. */
export function RestoreCard() {
  const possibility = useLive(() => ask(api.GET('/api/v1/restores')), EVERY_MS);
  return (
    <Card title={t('backup.restore')}>
      <Shown live={possibility}>
        {({ obstacle, command }) =>
          obstacle === null ? (
            <Restore />
          ) : (
            <>
              <p class="remarks warn">{readable(obstacle)}</p>
              <p>{t('backup.byCommand')}</p>
              <Command text={command} />
            </>
          )
        }
      </Shown>
    </Card>
  );
}

/** Restore changes nothing before somebody has confirmed what it would replace. */
function Restore() {
  const [stage, setStage] = useState<Stage>({ kind: 'none' });
  const [withConfiguration, setWithConfiguration] = useState(true);
  const [problem, setProblem] = useState<Error | null>(null);
  const work = useRef<AbortController | null>(null);
  useEffect(() => () => work.current?.abort(), []);
  const bring = async (file: File) => {
    work.current = new AbortController();
    setProblem(null);
    setStage({ kind: 'bringing', share: 0 });
    try {
      const path = `/api/v1/restores?withConfiguration=${withConfiguration}`;
      const prepared = await sendFile(path, file, (share) => setStage({ kind: 'bringing', share }), work.current.signal);
      setStage({ kind: 'brought', prepared: prepared as Prepared }); // of this path
    } catch (error) {
      if (!isAborted(error)) setProblem(named(error as Error, file.name)); // sendFile throws nothing else
      setStage({ kind: 'none' });
    }
  };
  const discard = async ({ id: brought }: Prepared) => {
    await ask(api.DELETE('/api/v1/restores/{id}', { params: { path: { id: brought } } })).catch(() => {}); // the box forgets it by itself
    setStage({ kind: 'none' });
  };
  return (
    <>
      <p>{t('backup.restoreWords')}</p>
      <Check
        label={t('backup.withConfiguration')}
        hint={t('backup.withConfigurationHint')}
        isOn={withConfiguration}
        turn={setWithConfiguration}
        disabled={stage.kind !== 'none'}
      />
      {problem !== null && <Trouble problem={problem} />}
      {stage.kind === 'none' && <FileField label={t('backup.file')} accept=".gz,.tgz,application/gzip" take={(file) => void bring(file)} />}
      {stage.kind === 'bringing' && (
        <>
          <Progress
            label={stage.share < 1 ? t('backup.going', { share: percent(stage.share) }) : t('backup.looking')}
            share={stage.share < 1 ? stage.share : null}
          />
          <div class="actions">
            <Button onClick={() => work.current?.abort()}>{t('dialog.cancel')}</Button>
          </div>
        </>
      )}
      {stage.kind === 'brought' && (
        <Ask prepared={stage.prepared} discard={() => void discard(stage.prepared)} done={() => setStage({ kind: 'none' })} />
      )}
    </>
  );
}

/** The box does not know how the file is called. */
function named(problem: Error, file: string): Error {
  return problem instanceof Refusal ? new Error(t('backup.refused', { file, reason: readable(problem.message) })) : problem;
}

interface AskProps {
  readonly prepared: Prepared;
  readonly discard: () => void;
  readonly done: () => void;
}

function Ask({ prepared: { id, host, time, writes, stays, revivals, losses, damage }, discard, done }: AskProps) {
  const isConfirmed = useRef(false);
  const keepsAccounts = stays.some(({ holds }) => holds === 'accounts');
  const when = Number.isNaN(Date.parse(time)) ? time : dateTime(time);
  const act = async () => {
    await ask(api.POST('/api/v1/restores/{id}/confirmation', { params: { path: { id } }, body: {} }));
    expectRestore(keepsAccounts ? 'restored-without-accounts' : 'restored');
    isConfirmed.current = true;
    void awaitEnding();
  };
  const close = () => (isConfirmed.current ? done() : discard());
  return (
    <Confirm title={t('backup.restoreTitle', { host, time: when })} action={t('backup.restoreDo')} act={act} close={close}>
      <p>{t('backup.replaces')}</p>
      <Listed name={t('backup.writes')} items={writes} />
      <p>{t('backup.messages')}</p>
      {revivals.length + losses.length > 0 && (
        <div class="remarks warn">
          <p>{t('backup.undoes')}</p>
          <Listed name={t('backup.undoesList')} items={[...losses, ...revivals].map(readable)} />
        </div>
      )}
      {damage !== null && <p class="remarks bad">{t('backup.damage', { damage: readable(damage) })}</p>}
      {stays.length > 0 && (
        <div class="remarks">
          <p>{t('backup.stays')}</p>
          <Listed name={t('backup.staysList')} items={stays.map(({ path, holds }) => `${path}: ${t(HELD[holds])}`)} />
        </div>
      )}
      <p class="hint">{t(keepsAccounts ? 'backup.afterWithoutAccounts' : 'backup.after')}</p>
    </Confirm>
  );
}

function Listed({ name, items }: { readonly name: string; readonly items: readonly string[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and the keyboard must reach it
    <ul class="file-list" aria-label={name} tabIndex={0}>
      {items.map((each) => (
        <li key={each}>{each}</li>
      ))}
    </ul>
  );
}
