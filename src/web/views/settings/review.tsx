// What a draft changes, before it is put in force; and what to do when somebody else was faster.

import { useEffect } from 'preact/hooks';
import { Refusal } from '../../api/client.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Loading, Trouble } from '../../components/faces.tsx';
import { t } from '../../i18n.ts';
import { useSending } from '../../sending.ts';
import type { Draft } from '../../settings/draft.ts';
import { tryText } from '../../settings/trial.ts';
import { Diff } from './diff.tsx';
import { Remarks } from './remarks.tsx';

export interface ReviewProps {
  readonly draft: Draft;
  readonly close: () => void;
  /** Is called in the place of `close` when the draft is in force for the time being. */
  readonly tried?: () => void;
}

/** Review shows the diff and applies it for the time being. */
export function Review({ draft, close, tried = close }: ReviewProps) {
  const { isBusy, problem, clear, send } = useSending();
  useEffect(() => void draft.read(false), []); // what somebody else has written since is no removal of ours
  const checked = draft.checked.value;
  const isStale = problem instanceof Refusal && problem.status === 412;
  const apply = () => {
    clear();
    return send(async () => {
      const movedTo = draft.movedTo.value;
      draft.applied(await tryText(draft.text.value, draft.current.value?.revision ?? '', movedTo));
      tried();
      void draft.read(true);
    });
  };
  const take = async (isTheirs: boolean) => {
    await draft.read(isTheirs);
    clear();
    if (isTheirs) close();
  };
  return (
    <Dialog title={t('settings.review')} close={close}>
      {draft.others.value !== 'nothing' && (
        <p class="remarks warn" role="status">
          {t(draft.others.value === 'something' ? 'settings.onTheirs' : 'settings.samePlace')}
        </p>
      )}
      {checked === null ? <Loading /> : <Diff diff={checked.diff} />}
      <Remarks look="bad" remarks={checked?.mistakes ?? []} file={draft.current.value?.file ?? ''} />
      <Remarks look="warn" remarks={checked?.warnings ?? []} file={draft.current.value?.file ?? ''} />
      {isStale ? (
        <div class="conflict" role="alert">
          <p>
            <strong>{t('settings.conflict')}</strong> {t('settings.conflictWords')}
          </p>
          <div class="actions">
            <Button onClick={() => void take(true)}>{t('settings.takeTheirs')}</Button>
            <Button look="primary" onClick={() => void take(false)}>
              {t('settings.putMine')}
            </Button>
          </div>
        </div>
      ) : (
        <>
          {problem !== null && <Trouble problem={problem} />}
          <p class="hint">{t('settings.applyHint')}</p>
          {draft.movedTo.value !== null && <p class="remarks warn">{t('settings.moves', { address: draft.movedTo.value })}</p>}
          {draft.isPageGone.value && <p class="remarks warn">{t('settings.pageGoes')}</p>}
          <div class="actions">
            <Button onClick={close}>{t('dialog.cancel')}</Button>
            <Button look="primary" isBusy={isBusy} disabled={checked === null || checked.mistakes.length > 0} onClick={() => void apply()}>
              {t('settings.apply')}
            </Button>
          </div>
        </>
      )}
    </Dialog>
  );
}
