// A few out of many: boxes to tick.

import { Check } from './check.tsx';

export interface CheckListProps {
  readonly label: string;
  readonly options: readonly string[];
  readonly chosen: readonly string[];
  readonly choose: (chosen: readonly string[]) => void;
  /** What is said where there is nothing to choose. */
  readonly none: string;
}

/** CheckList keeps the order of what was chosen first. */
export function CheckList({ label, options, chosen, choose, none }: CheckListProps) {
  const turn = (option: string, isOn: boolean) => choose(isOn ? [...chosen, option] : chosen.filter((each) => each !== option));
  return (
    <fieldset class="check-list">
      <legend>{label}</legend>
      {options.length === 0 && <p class="hint">{none}</p>}
      {options.map((option) => (
        <Check key={option} label={option} isOn={chosen.includes(option)} turn={(isOn) => turn(option, isOn)} />
      ))}
    </fieldset>
  );
}
