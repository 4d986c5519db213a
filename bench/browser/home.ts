// The demo on the home page of the site: 64 MiB, started when the page is there.

import { ForkDemo } from './fork-demo.ts';
import type { Recording } from './fork-feed.ts';

const LIMIT_MS = 30_000;

const recording = async (): Promise<Recording> => {
  const answer = await fetch(new URL('./recording.json', import.meta.url));
  return (await answer.json()) as Recording;
};

const demo = new ForkDemo(document.querySelector('.demo')!, { limitMs: LIMIT_MS, recording });
void demo.start();
