// A form that sends something: it is busy until the answer is there, and then says what is wrong, beside the field that it is about or at the end.

import { type ComponentChildren, createContext } from 'preact';
import { useContext, useRef } from 'preact/hooks';
import { Refusal } from '../api/client.ts';
import { t } from '../i18n.ts';
import { type Sending, useSending } from '../sending.ts';
import { Button, type ButtonProps } from './button.tsx';
import { Trouble } from './faces.tsx';

/** Problem is why the form around was refused; null = it was not. */
const Problem = createContext<Error | null>(null);

/** useProblem gives it to a field. */
export function useProblem(): Error | null {
  return useContext(Problem);
}

export interface FormProps extends Pick<ButtonProps, 'icon' | 'look'> {
  /** The words on its button; null = there is nothing to send now. */
  readonly action: string | null;
  /** send carries it out. Throws what `ask` throws. */
  readonly send: () => Promise<unknown>;
  /** Where the view has more to do with it than the form. */
  readonly sending?: Sending;
  /** explain says in words of the page what the box refused, where it can. */
  readonly explain?: (problem: Error) => Error;
  /** Present where there is a button for it. */
  readonly cancel?: (() => void) | undefined;
  /** More buttons. */
  readonly others?: ComponentChildren;
  readonly disabled?: boolean;
  readonly class?: string;
  readonly children: ComponentChildren;
}

/** Form has its fields as children, and ends with its buttons. */
export function Form(props: FormProps) {
  const { action, send, sending, explain, cancel, others, look = 'primary', icon, disabled = false, children } = props;
  const own = useSending();
  const form = useRef<HTMLFormElement>(null);
  const { isBusy, problem, send: carryOut } = sending ?? own;
  const told = problem === null ? null : (explain?.(problem) ?? problem);
  const submit = (event: Event) => {
    event.preventDefault();
    void carryOut(send);
  };
  return (
    <form ref={form} class={props.class ?? 'form'} onSubmit={submit}>
      <Problem.Provider value={told}>{children}</Problem.Provider>
      {told !== null && !isBeside(told, form.current) && <Trouble problem={told} />}
      {(action ?? cancel ?? others) != null && (
        <div class="actions">
          {cancel !== undefined && <Button onClick={cancel}>{t('dialog.cancel')}</Button>}
          {others}
          {action !== null && (
            <Button type="submit" look={look} {...(icon === undefined ? {} : { icon })} isBusy={isBusy} disabled={disabled}>
              {action}
            </Button>
          )}
        </div>
      )}
    </form>
  );
}

/** Fields say themselves what is wrong with them. */
function isBeside(problem: Error, form: HTMLFormElement | null): boolean {
  const fields = problem instanceof Refusal ? problem.fields : [];
  return fields.length > 0 && fields.every(({ field }) => field !== '' && form?.elements.namedItem(field) != null);
}
