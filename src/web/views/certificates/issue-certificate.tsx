// A certificate for a client: asked for, and handed over once.

import { useEffect, useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import { saveAs } from '../../api/long-work.ts';
import type { paths } from '../../api/schema.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Dialog, Once } from '../../components/dialog.tsx';
import { Choice, Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { day, t } from '../../i18n.ts';

type Issued = paths['/api/v1/certificates/clients']['post']['responses'][200]['content']['application/json'];
type Format = 'p12' | 'pem';

export interface IssueCertificateProps {
  readonly close: () => void;
  readonly issued: () => void;
}

/** IssueCertificate asks for a name; then the file is there, and with the dialog it goes. */
export function IssueCertificate({ close, issued }: IssueCertificateProps) {
  const [name, setName] = useState('');
  const [format, setFormat] = useState<Format>('p12');
  const [made, setMade] = useState<Issued | null>(null);
  const [accounts, setAccounts] = useState<readonly string[] | null>(null);
  useEffect(() => {
    accountNames().then(setAccounts, () => {}); // without them the name is typed
  }, []);
  const issue = async () => {
    setMade(await ask(api.POST('/api/v1/certificates/clients', { body: { name, format } })));
    issued();
  };
  const isStranger = name !== '' && accounts?.every((each) => !each.startsWith(name)) === true;
  if (made !== null) return <HandOver made={made} close={close} />;
  return (
    <Dialog title={t('certificates.issueTitle')} close={close}>
      <Form action={t('certificates.issueDo')} send={issue} cancel={close}>
        <Field
          label={t('certificates.clientName')}
          name="name"
          value={name}
          change={setName}
          hint={isStranger ? t('certificates.noAccount', { name }) : t('certificates.clientNameHint')}
          offers={accounts ?? []}
          required
          isFirst
        />
        <Choice<Format>
          label={t('certificates.format')}
          value={format}
          choose={setFormat}
          options={[
            ['p12', t('certificates.p12')],
            ['pem', t('certificates.pem')],
          ]}
        />
      </Form>
    </Dialog>
  );
}

async function accountNames(): Promise<readonly string[]> {
  const { items } = await ask(api.GET('/api/v1/users', { params: { query: { limit: 1000 } } }));
  return items.map(({ username }) => username);
}

function HandOver({ made: { certificate, file }, close }: { readonly made: Issued; readonly close: () => void }) {
  const [isSaved, setSaved] = useState(false);
  const [isCopied, setCopied] = useState(file.password === null);
  const save = () => {
    const bytes = Uint8Array.from(atob(file.content), (character) => character.charCodeAt(0));
    saveAs({ name: file.name, content: new Blob([bytes], { type: file.mediaType }) });
    setSaved(true);
  };
  return (
    <Once title={t('certificates.madeTitle', { name: certificate.name })} close={close} isKept={isSaved && isCopied}>
      {(leave) => (
        <>
          <p>{t('certificates.madeWords', { date: day(certificate.until) })}</p>
          {file.password === null && <p class="hint">{t('certificates.pemUse')}</p>}
          {file.password !== null && (
            <>
              <p>{t('certificates.filePassword')}</p>
              <div class="secret">
                <code>{file.password}</code>
                <CopyButton text={file.password} copied={() => setCopied(true)} />
              </div>
            </>
          )}
          <div class="actions">
            <Button onClick={leave}>{t('dialog.close')}</Button>
            <Button look="primary" icon="download" onClick={save}>
              {t('certificates.save', { file: file.name })}
            </Button>
          </div>
        </>
      )}
    </Once>
  );
}
