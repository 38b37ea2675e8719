// Everything in one file, and back again.

import { useEffect, useRef, useState } from 'preact/hooks';
import { fetchFile, isAborted, saveAs } from '../api/long-work.ts';
import { Button } from '../components/button.tsx';
import { Card, PageHeader } from '../components/card.tsx';
import { Trouble } from '../components/faces.tsx';
import { Progress } from '../components/progress.tsx';
import { toast } from '../components/toast.tsx';
import { bytes, t } from '../i18n.ts';
import { remember } from '../remembered.ts';
import { RestoreCard } from './backup/restore-card.tsx';
import '../styles/backup.css';

/** View is the view of backup and restore. */
export function View() {
  return (
    <>
      <PageHeader title={t('backup.title')} lead={t('backup.lead')} />
      <div class="columns backup">
        <BackupCard />
        <RestoreCard />
      </div>
    </>
  );
}

function BackupCard() {
  const [came, setCame] = useState<number | null>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  const work = useRef<AbortController | null>(null);
  useEffect(() => () => work.current?.abort(), []);
  const begin = async () => {
    work.current = new AbortController();
    setProblem(null);
    setCame(0);
    try {
      const file = await fetchFile('/api/v1/backup', setCame, work.current.signal);
      saveAs(file);
      remember('backup', new Date().toISOString());
      toast(t('backup.done', { file: file.name, size: bytes(file.content.size) }));
    } catch (error) {
      if (!isAborted(error)) setProblem(error as Error); // fetchFile throws nothing else
    }
    setCame(null);
  };
  return (
    <Card title={t('backup.take')}>
      <p>{t('backup.takeWords')}</p>
      <p class="hint">{t('backup.secret')}</p>
      {problem !== null && <Trouble problem={problem} />}
      {came === null ? (
        <div class="actions">
          <Button look="primary" icon="download" onClick={() => void begin()}>
            {t('backup.takeDo')}
          </Button>
        </div>
      ) : (
        <>
          <Progress label={t('backup.coming', { size: bytes(came) })} share={null} />
          <div class="actions">
            <Button onClick={() => work.current?.abort()}>{t('dialog.cancel')}</Button>
          </div>
        </>
      )}
    </Card>
  );
}
