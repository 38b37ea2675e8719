// An invitation for another box: asked for, and handed over once.

import { useEffect, useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import { saveAs } from '../../api/long-work.ts';
import type { paths } from '../../api/schema.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { t } from '../../i18n.ts';
import { linkTo } from '../../router.ts';
import { isHomeOnly } from '../phones/home-only.ts';
import { type Direction, topicsOf } from './bridge-block.ts';
import { DirectionChoice } from './direction-choice.tsx';

type Made = paths['/api/v1/bridge-invitations']['post']['responses'][200]['content']['application/json'];

/** InviteBridge asks for name and topics; then the invitation is there, and with the dialog it goes. */
export function InviteBridge({ close, invited }: { readonly close: () => void; readonly invited: () => void }) {
  const [name, setName] = useState('');
  const [filter, setFilter] = useState('');
  const [direction, setDirection] = useState<Direction>('both');
  const [host, setHost] = useState('');
  const [hosts, setHosts] = useState<readonly string[]>([]);
  const [made, setMade] = useState<Made | null>(null);
  useEffect(() => {
    ask(api.GET('/api/v1/phone-setup')).then(
      (setup) => setHosts(setup.hosts.map((each) => each.host)),
      () => {}, // whoever knows a name can type it
    );
  }, []);
  const called = host.trim() || (hosts[0] ?? '');
  const invite = async () => {
    const body = { name, topics: topicsOf(filter, direction), host: host.trim() || null };
    setMade(await ask(api.POST('/api/v1/bridge-invitations', { body })));
    invited();
  };
  if (made !== null) return <HandOver made={made} close={close} />;
  return (
    <Dialog title={t('bridges.invite')} close={close}>
      <Form action={t('bridges.inviteDo')} send={invite} cancel={close}>
        <p class="hint">{t('bridges.inviteWords')}</p>
        <Field label={t('bridges.name')} name="name" value={name} change={setName} hint={t('bridges.nameHint')} required isFirst />
        <Field label={t('bridges.topics')} name="topics" value={filter} change={setFilter} hint={t('bridges.topicsHint')} required />
        <DirectionChoice value={direction} choose={setDirection} />
        <Field label={t('bridges.host')} name="host" value={host} change={setHost} hint={t('bridges.hostHint')} offers={hosts} />
        {called !== '' && isHomeOnly(called) && (
          <p class="remarks warn">
            {t('bridges.hostHome', { host: called })} <a href={linkTo('outside')}>{t('outside.title')}</a>
          </p>
        )}
      </Form>
    </Dialog>
  );
}

function HandOver({ made, close }: { readonly made: Made; readonly close: () => void }) {
  const file = `${made.name}.conf`;
  return (
    <Dialog title={t('bridges.madeTitle', { name: made.name })} close={close}>
      <p>{t('bridges.madeWords', { host: made.host, port: made.port })}</p>
      <textarea
        class="bridge-invitation"
        rows={12}
        readOnly
        aria-label={t('bridges.madeTitle', { name: made.name })}
        value={made.invitation}
      />
      <div class="actions">
        <Button onClick={close}>{t('dialog.close')}</Button>
        <CopyButton text={made.invitation} />
        <Button
          look="primary"
          icon="download"
          onClick={() => saveAs({ name: file, content: new Blob([made.invitation], { type: 'text/plain' }) })}
        >
          {t('certificates.save', { file })}
        </Button>
      </div>
    </Dialog>
  );
}
