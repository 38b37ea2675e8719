// A row of the form: its words on one side, its control on the other, and below that why what was typed is refused.

import type { ComponentChildren } from 'preact';
import { BoxSentence } from '../../components/box-sentence.tsx';
import { wordsOf } from '../../components/faces.tsx';

export interface SettingRowProps {
  /** Of the control, which is described by `ID-hint`. */
  readonly id: string;
  readonly label: string;
  readonly hint: ComponentChildren;
  readonly marks?: ComponentChildren;
  readonly isSet?: boolean;
  /** Null = nothing is. */
  readonly problem: Error | null;
  /** What the box says of the value that stands in the text. */
  readonly mistakes?: readonly string[];
  readonly children: ComponentChildren;
}

/** SettingRow has the control as its child. */
export function SettingRow({ id, label, hint, marks, isSet = false, problem, mistakes = [], children }: SettingRowProps) {
  return (
    <div class={isSet ? 'setting is-set' : 'setting'}>
      <div class="setting-words">
        <label for={id}>{label}</label>
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
        {marks !== undefined && <p class="setting-marks">{marks}</p>}
      </div>
      <div class="setting-control">
        {children}
        {problem !== null && (
          <p class="field-error" role="alert">
            {wordsOf(problem)}
          </p>
        )}
        {mistakes.map((words) => (
          <p key={words} class="field-error" role="alert">
            <BoxSentence text={words} />
          </p>
        ))}
      </div>
    </div>
  );
}
