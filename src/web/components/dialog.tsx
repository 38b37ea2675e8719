// Dialogs above the page, and the question before something that cannot be undone.

import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n.ts';
import { useSending } from '../sending.ts';
import { Button, IconButton } from './button.tsx';
import { Trouble } from './faces.tsx';

export interface DialogProps {
  readonly title: string;
  readonly close: () => void;
  readonly children: ComponentChildren;
  /** True = `close` decides whether it goes. */
  readonly holds?: boolean;
}

/** Dialog is there for as long as it is rendered. Escape closes it; the focus goes back to where it was. */
export function Dialog({ title, close, children, holds = false }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before the effects of its fields: the first of them takes the focus when the dialog is open.
  useLayoutEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const closed = () => {
    if (holds) element.current?.showModal(); // browsers let a second Escape close whatever says no to the first
    close();
  };
  return (
    <dialog ref={element} aria-labelledby={id} onClose={closed}>
      <div class="dialog-head">
        <h2 id={id}>{title}</h2>
        <IconButton name={t('dialog.close')} icon="close" onClick={close} />
      </div>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}

export interface ConfirmProps {
  /** Names what it does and to what: "Remove the user "tom"?" */
  readonly title: string;
  /** What goes with it. */
  readonly children: ComponentChildren;
  /** The word on the button: "Remove". */
  readonly action: string;
  /** What is done; the dialog stays open with the reason if it fails. */
  readonly act: () => Promise<unknown>;
  readonly close: () => void;
  /** False = there is nothing to do, or it is not yet known what. */
  readonly isReady?: boolean;
  /** 'primary' = it takes nothing away. */
  readonly look?: 'danger' | 'primary';
}

/** Confirm asks before something that cannot be undone. */
export function Confirm({ title, children, action, act, close, isReady = true, look = 'danger' }: ConfirmProps) {
  const { isBusy, problem, send } = useSending();
  const run = () =>
    send(async () => {
      await act();
      close();
    });
  return (
    <Dialog title={title} close={close}>
      {children}
      {problem !== null && <Trouble problem={problem} />}
      <div class="actions">
        <Button onClick={close}>{t('dialog.cancel')}</Button>
        <Button look={look} isBusy={isBusy} disabled={!isReady} onClick={() => void run()}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}

export interface OnceProps extends Pick<DialogProps, 'title' | 'close'> {
  /** Somebody has saved or copied all that is shown. */
  readonly isKept: boolean;
  /** Its content, which may leave it: that asks, too. */
  readonly children: (leave: () => void) => ComponentChildren;
}

/** Once is a dialog with what nobody can see again: until that is kept, it asks before it closes. */
export function Once({ title, close, isKept, children }: OnceProps) {
  const [isAsking, setAsking] = useState(false);
  const leave = isKept ? close : () => setAsking(true);
  return (
    <>
      <Dialog title={title} close={leave} holds={!isKept}>
        {children(leave)}
      </Dialog>
      {isAsking && (
        <Confirm title={t('dialog.loseTitle')} action={t('dialog.lose')} act={async () => close()} close={() => setAsking(false)}>
          <p>{t('dialog.loseWords')}</p>
        </Confirm>
      )}
    </>
  );
}

/** Done ends a dialog that has nothing more to ask. */
export function Done({ close }: Pick<DialogProps, 'close'>) {
  return (
    <div class="actions">
      <Button look="primary" onClick={close}>
        {t('dialog.done')}
      </Button>
    </div>
  );
}
