// The bench page: three experiments, each with its worker, plots that move while they run, and what
// was measured as a file. The page's own thread only draws and looks; it never waits.

import { startForks } from './forks-panel.ts';
import { save, trouble } from './panel.ts';
import { startPool } from './pool-panel.ts';
import { startStores } from './stores-panel.ts';
import { explainTerms } from './terms.ts';

document.querySelector('#save')!.addEventListener('click', save);
if (!crossOriginIsolated)
  trouble(
    'Nothing here can run: the browser shares memory between threads only on pages whose ' +
      'server sends the headers Cross-Origin-Opener-Policy: same-origin and ' +
      'Cross-Origin-Embedder-Policy: require-corp.',
  );
explainTerms();
startForks();
startPool();
startStores();
