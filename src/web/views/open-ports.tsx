// A dialog of two steps that opens the ports which something needs: what changes, and whether it stays. Nothing is begun that a port which is taken back would undo.

import { useEffect, useMemo, useState } from 'preact/hooks';
import { Dialog } from '../components/dialog.tsx';
import { Trouble } from '../components/faces.tsx';
import { TrialBanner } from '../components/trial-banner.tsx';
import { plural, t } from '../i18n.ts';
import { Draft } from '../settings/draft.ts';
import { portsOf, withLines } from '../settings/setting-form.ts';
import { waiting } from '../settings/trial.ts';
import { Review } from './settings/review.tsx';
import '../styles/settings.css';

/** firstFree gives the first of some ports that no listener has. */
export function firstFree(ports: readonly [number, ...number[]], listeners: readonly { readonly port: number }[]): number {
  return ports.find((each) => listeners.every(({ port }) => port !== each)) ?? ports[0];
}

export interface OpenPortsProps {
  readonly lines: readonly string[];
  /** Is called when the ports stay open. */
  readonly kept: () => void;
  readonly close: () => void;
}

/** OpenPorts puts lines in force on trial, as all settings, and asks whether they stay. */
export function OpenPorts({ lines, kept, close }: OpenPortsProps) {
  const [isTried, setTried] = useState(false);
  const draft = useMemo(() => new Draft((text) => withLines(text, lines)), []);
  useEffect(() => void draft.read(true), []);
  if (isTried) return <KeepPorts lines={lines} kept={kept} close={close} />;
  if (draft.problem.value === null) return <Review draft={draft} close={close} tried={() => setTried(true)} />;
  return (
    <Dialog title={t('settings.review')} close={close}>
      <Trouble problem={draft.problem.value} />
    </Dialog>
  );
}

function KeepPorts({ lines, kept, close }: OpenPortsProps) {
  const isOver = waiting.value === null;
  useEffect(() => {
    if (isOver) close();
  }, [isOver]);
  return (
    <Dialog title={plural('ports.keep', portsOf(lines).length)} close={close}>
      <p>{t('ports.keepWords')}</p>
      <TrialBanner kept={kept} />
    </Dialog>
  );
}
