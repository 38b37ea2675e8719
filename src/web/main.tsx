// Starts the page in a browser.

import { render } from 'preact';
import { App } from './app.tsx';
import { applyTheme } from './appearance.ts';
import { loadLanguage } from './i18n.ts';
import { startVisit } from './visit.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/components.css';
import './styles/layout.css';

applyTheme();
await loadLanguage();
render(<App />, document.getElementById('page')!); // index.html has it
await startVisit();
