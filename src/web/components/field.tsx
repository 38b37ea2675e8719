// Fields of forms, with what is wrong with them beside them.

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Refusal } from '../api/client.ts';
import { readable } from '../box-words.ts';
import { t } from '../i18n.ts';
import { useProblem } from './form.tsx';

export interface FieldProps {
  readonly label: string;
  /** Name of the field in the request: the answer says by it what is wrong. */
  readonly name: string;
  readonly value: string;
  readonly change: (value: string) => void;
  readonly hint?: ComponentChildren;
  readonly type?: 'text' | 'password' | 'number' | 'search' | 'date';
  readonly autocomplete?: string;
  readonly required?: boolean;
  readonly minLength?: number;
  /** It gets the focus when it appears. */
  readonly isFirst?: boolean;
  /** What may be meant; anything else can be typed as well. */
  readonly offers?: readonly string[];
}

/** Field is one line of text. In a Form it says what is wrong with it. */
export function Field(props: FieldProps) {
  const {
    label,
    name,
    value,
    change,
    hint,
    type = 'text',
    autocomplete = 'off',
    required = false,
    minLength,
    isFirst = false,
    offers = [],
  } = props;
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    if (isFirst) input.current?.focus();
  }, []);
  const error = fieldError(useProblem(), name);
  const described = [hint === undefined ? '' : `${id}-hint`, error === null ? '' : `${id}-error`].filter((each) => each !== '').join(' ');
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="field-line">
        <input
          ref={input}
          id={id}
          name={name}
          type={(isSeen ? 'text' : type) as 'text'} // Preact's types know each kind of input apart
          value={value}
          onInput={(event) => change(event.currentTarget.value)}
          autocomplete={autocomplete}
          autocapitalize="none"
          spellcheck={false}
          required={required}
          minLength={minLength}
          list={offers.length === 0 ? undefined : `${id}-offers`}
          aria-invalid={error !== null}
          aria-describedby={described === '' ? undefined : described}
        />
        {offers.length > 0 && (
          <datalist id={`${id}-offers`}>
            {offers.map((each) => (
              <option key={each} value={each} />
            ))}
          </datalist>
        )}
        {type === 'password' && (
          <button type="button" class="reveal" aria-pressed={isSeen} onClick={() => setSeen(!isSeen)}>
            {t(isSeen ? 'field.hide' : 'field.show')}
          </button>
        )}
      </div>
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error !== null && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

/** What an answer says about a field; null = nothing. */
function fieldError(problem: Error | null, name: string): string | null {
  if (!(problem instanceof Refusal)) return null;
  const detail = problem.fields.find(({ field }) => field === name)?.detail;
  return detail === undefined ? null : readable(detail);
}

export interface ChoiceProps<T extends string> {
  readonly label: string;
  /** The place says already what is chosen. */
  readonly isLabelHidden?: boolean;
  readonly value: T;
  readonly choose: (value: T) => void;
  readonly options: readonly (readonly [value: T, words: string])[];
}

/** Choice is one of a few, all of which are seen. */
export function Choice<T extends string>({ label, isLabelHidden = false, value, choose, options }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class={isLabelHidden ? 'unseen' : undefined}>{label}</legend>
      <div class="choice-options">
        {options.map(([each, words]) => (
          <label key={each}>
            <input type="radio" name={name} checked={each === value} onChange={() => choose(each)} />
            <span>{words}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** Select is one of many. */
export function Select<T extends string>({ label, value, choose, options }: ChoiceProps<T>) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => choose(event.currentTarget.value as T)}>
        {options.map(([each, words]) => (
          <option key={each} value={each}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}
