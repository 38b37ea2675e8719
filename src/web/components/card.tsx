// What a view is made of: its header, and cards below it.

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

/** PageHeader is the title of a view, which gets the focus when somebody goes there, and what can be done in it. */
export function PageHeader({ title, lead, actions }: { title: string; lead?: ComponentChildren; actions?: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <header class="page-header">
      <div>
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {lead !== undefined && <p class="lead">{lead}</p>}
      </div>
      {actions !== undefined && <div class="actions">{actions}</div>}
    </header>
  );
}

export interface CardProps {
  readonly title?: string;
  /** 'bad' and 'warn' are for problems. */
  readonly look?: 'normal' | 'good' | 'info' | 'warn' | 'bad';
  /** A few quiet words at the right of the title. */
  readonly aside?: string;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** Card groups what belongs together. */
export function Card({ title, look = 'normal', aside, actions, children }: CardProps) {
  const id = useId();
  return (
    <section class={`card ${look}`} aria-labelledby={title === undefined ? undefined : id}>
      {(title !== undefined || actions !== undefined) && (
        <div class="card-head">
          {title !== undefined && <h2 id={id}>{title}</h2>}
          {aside !== undefined && <span class="hint">{aside}</span>}
          {actions !== undefined && <div class="actions">{actions}</div>}
        </div>
      )}
      {children}
    </section>
  );
}

/** Figure is a number with its name. */
export function Figure({ name, value, note }: { readonly name: string; readonly value: string; readonly note?: string | undefined }) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>
        <span class="figure-value">{value}</span>
        {note !== undefined && <span class="figure-note">{note}</span>}
      </dd>
    </div>
  );
}

/** Badge is a word about the state of something. */
export function Badge({ look, children }: { readonly look: 'good' | 'warn' | 'bad' | 'quiet'; readonly children: ComponentChildren }) {
  return <span class={`badge ${look}`}>{children}</span>;
}

/** Facts are names with their values, one below the other. */
export function Facts({ rows }: { readonly rows: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
