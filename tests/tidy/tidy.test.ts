// Goal: the tree stays as tidy as it is. Method: rules (rules.ts, rooms.ts, words.ts) over every file.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as rules from './rules.ts';
import { readSources, trackedFiles } from './sources.ts';

const tests = suite('tidiness');
const paths = trackedFiles();
const tree = { paths, sources: readSources(paths) };

const CLAIMS: Record<keyof typeof rules, string> = {
  rooms: 'a room imports only what is below it',
  circles: 'files that import each other at run time say so in a header',
  columns: 'lines have at most 110 columns',
  fileLengths: 'files have at most 400 lines',
  functionLengths: 'functions have at most 60 lines',
  ignores: 'no compiler is told to look away',
  waits: 'a test that waits says why',
  deadExports: 'what is exported is used',
  paths: 'files that comments and documents name exist',
  language: 'comments, documents and messages keep to plain English',
  invariants: 'every invariant is cited by a test or holds by construction',
};

for (const [name, claim] of Object.entries(CLAIMS))
  tests(claim, () => {
    const findings = rules[name as keyof typeof rules](tree);
    assert.equal(
      findings.map(({ path, text }) => `${path}: ${text}`),
      [],
    );
  });

tests.run();
