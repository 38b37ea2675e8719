// Beside the name of somebody: that no phone could belong to it, and a name that would do.

import { Button } from '../components/button.tsx';
import { t } from '../i18n.ts';
import { canHavePhone, nameForPhone } from '../phone-name.ts';

export interface PhoneNameAdviceProps {
  readonly name: string;
  readonly take: (name: string) => void;
}

/** PhoneNameAdvice is nothing where the name will do, or is not typed so far. */
export function PhoneNameAdvice({ name, take }: PhoneNameAdviceProps) {
  if (name === '' || canHavePhone(name)) return null;
  const offered = nameForPhone(name);
  return (
    <div class="remarks warn" role="status">
      <p>{t('phoneName.words', { name })}</p>
      {offered !== null && <Button onClick={() => take(offered)}>{t('phoneName.take', { name: offered })}</Button>}
    </div>
  );
}
