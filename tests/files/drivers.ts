// What tests do in forks.

import type { Fork } from '../../host/index.ts';
import { Random } from '../random.ts';
import { audit } from './audit.ts';
import { compare, Model, step, type DirectoryNode } from './model.ts';

type Act =
  | { act: 'bytes' | 'text' | 'audit'; path: string }
  | { act: 'write'; path: string; text: string }
  | { act: 'model'; root: DirectoryNode; seed: number; steps: number };

export function main({ fs }: Fork, act: Act): unknown {
  switch (act.act) {
    case 'bytes':
      return fs.readFileSync(act.path);
    case 'text':
      return fs.readFileSync(act.path, 'utf8');
    case 'write':
      return fs.writeFileSync(act.path, act.text);
    case 'audit':
      audit(fs);
      return fs.statSync(act.path).size;
    case 'model':
      return live(fs, act);
  }
}

/** Random operations, compared with the model, which it returns. */
function live(fs: Fork['fs'], { root, seed, steps }: Act & { act: 'model' }): DirectoryNode {
  const model = new Model(root);
  const random = new Random(seed);
  compare(fs, model);
  for (let i = 0; i < steps; i++) step(fs, model, random);
  compare(fs, model);
  audit(fs);
  return model.root;
}
