// What somebody chooses for an own phone: the card that others see, and the places that it has names for.

import { useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import { saveAs } from '../../api/long-work.ts';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Shown } from '../../components/faces.tsx';
import { Field } from '../../components/field.tsx';
import { FileField } from '../../components/file-field.tsx';
import { Form } from '../../components/form.tsx';
import { Table } from '../../components/table.tsx';
import { toast } from '../../components/toast.tsx';
import { length, plural, t } from '../../i18n.ts';
import { useLive } from '../../live.ts';
import { useSending } from '../../sending.ts';
import { Face } from './face.tsx';
import { smallPicture } from './small-picture.ts';
import { isTyped, type NamedPlace, type Typed, typedPlace } from './typed-place.ts';

const EVERY_MS = 30_000;

export interface PhoneSelfProps {
  readonly person: string;
  readonly device: string;
}

/** PhoneSelf shows them, and changes them in dialogs. */
export function PhoneSelf({ person, device }: PhoneSelfProps) {
  const [open, setOpen] = useState<'card' | 'places' | null>(null);
  const phones = useLive(() => ask(api.GET('/api/v1/locations')), EVERY_MS);
  const phone = phones.data.value?.phones.find((each) => each.person === person && each.device === device) ?? null;
  const close = () => setOpen(null);
  const done = () => {
    close();
    void phones.refresh();
  };
  const [name, picture, places] = [phone?.name ?? null, phone?.picture ?? null, phone?.waypoints ?? []];
  return (
    <Shown live={phones}>
      {() => (
        <>
          <Card title={t('where.card')} actions={<Button onClick={() => setOpen('card')}>{t('where.cardChange')}</Button>}>
            <p class="who">
              <Face picture={picture} /> <span>{name ?? person}</span>
            </p>
            <p class="hint">{t('where.cardWords')}</p>
          </Card>
          <Card title={t('where.places')} actions={<Button onClick={() => setOpen('places')}>{t('where.placesSend')}</Button>}>
            {places.length === 0 ? <p class="hint">{t('where.placesNone')}</p> : <Places places={places} />}
          </Card>
          {open === 'card' && <ChangeCard {...{ person, device, name: name ?? '', picture, done, close }} />}
          {open === 'places' && <SendPlaces {...{ person, device, places, done, close }} />}
        </>
      )}
    </Shown>
  );
}

function Places({ places }: { readonly places: readonly NamedPlace[] }) {
  return (
    <Table
      name={t('where.places')}
      rows={places}
      keyOf={({ name, lat, lon }) => `${name} ${lat} ${lon}`}
      columns={[
        { title: t('where.placeName'), isHead: true, cell: ({ name }) => name },
        { title: t('where.where'), cell: ({ lat, lon }) => `${lat.toFixed(5)}, ${lon.toFixed(5)}` },
        { title: t('where.radius'), isNumber: true, cell: ({ radius }) => (radius === 0 ? '' : length(radius)) },
      ]}
    />
  );
}

interface DialogDone extends PhoneSelfProps {
  readonly done: () => void;
  readonly close: () => void;
}

interface ChangeCardProps extends DialogDone {
  readonly name: string;
  readonly picture: string | null;
}

/** ChangeCard sends what has been changed: a picture is large, and one that the phone has sent may be of a kind that the box does not take from here. */
function ChangeCard({ person, device, name: first, picture: before, done, close }: ChangeCardProps) {
  const [name, setName] = useState(first);
  const [picture, setPicture] = useState(before);
  const sending = useSending();
  const take = (file: File) => void sending.send(async () => setPicture(await smallPicture(file)));
  const save = async () => {
    const body = { device, ...(name === first ? {} : { name: name.trim() }), ...(picture === before ? {} : { picture }) };
    await ask(api.PATCH('/api/v1/phones/{person}/card', { params: { path: { person } }, body }));
    toast(t('where.cardSaved'));
    done();
  };
  return (
    <Dialog title={t('where.cardChange')} close={close}>
      <Form
        action={t('where.save')}
        send={save}
        sending={sending}
        others={picture !== null && <Button onClick={() => setPicture(null)}>{t('where.cardNoPicture')}</Button>}
      >
        <p class="who">
          <Face picture={picture} /> <span>{name || person}</span>
        </p>
        <Field label={t('where.cardName')} name="name" value={name} change={setName} isFirst />
        <FileField label={t('where.cardPicture')} hint={t('where.cardPictureHint')} accept="image/*" take={take} />
      </Form>
    </Dialog>
  );
}

interface SendPlacesProps extends DialogDone {
  readonly places: readonly NamedPlace[];
}

/** What is sent: a place that is typed, those of a file, or where neither is there those that the phone has told. */
function SendPlaces({ person, device, places: known, done, close }: SendPlacesProps) {
  const [typed, setTyped] = useState<Typed>({ name: '', lat: '', lon: '', radius: '100' });
  const [otrw, setOtrw] = useState<string | null>(null);
  const sending = useSending();
  const isBegun = isTyped(typed);
  const places = () => {
    if (!isBegun) return otrw === null ? known : [];
    const place = typedPlace(typed);
    if (place === null) throw new Error(t('where.placeNotWhole'));
    return [place];
  };
  const deliver = async (isSent: boolean) => {
    const body = { places: [...places()], otrw, send: isSent };
    const path = { person, device };
    const { file, places: all } = await ask(api.POST('/api/v1/phones/{person}/{device}/places', { params: { path }, body }));
    if (!isSent) return saveAs({ name: file.name, content: new Blob([file.content], { type: 'application/json' }) });
    toast(plural('where.placesSent', all.length));
    done();
  };
  const field = (name: keyof Typed) => ({
    name,
    value: typed[name],
    change: (text: string) => setTyped({ ...typed, [name]: text }),
  });
  return (
    <Dialog title={t('where.placesSend')} close={close}>
      <Form
        action={t('where.placesSend')}
        send={() => deliver(true)}
        sending={sending}
        others={
          <Button isBusy={sending.isBusy} onClick={() => void sending.send(() => deliver(false))}>
            {t('where.placesSave')}
          </Button>
        }
      >
        <p class="hint">{t('where.placesWords')}</p>
        <Field label={t('where.placeName')} {...field('name')} required={isBegun} isFirst />
        <Field label={t('where.placeLat')} {...field('lat')} required={isBegun} />
        <Field label={t('where.placeLon')} {...field('lon')} required={isBegun} />
        <Field label={t('where.placeRadius')} {...field('radius')} />
        <FileField
          label={t('where.placesFile')}
          accept=".otrw,.json"
          take={(file) => void sending.send(async () => setOtrw(await file.text()))}
        />
      </Form>
    </Dialog>
  );
}
