// The rules applied, and what each file may still have against each: exceptions.json, { rule: { path:
// findings } }.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as rules from './rules.ts';
import type { Finding } from './rules.ts';
import { readSources, readText, ROOT, trackedFiles } from './sources.ts';

const PATH = 'tests/tidy/exceptions.json';

type RuleName = keyof typeof rules;
type Found = Record<RuleName, Finding[]>;
type Exceptions = Partial<Record<RuleName, Record<string, number>>>;

export function examine(): Found {
  const paths = trackedFiles();
  const tree = { paths, sources: readSources(paths) };
  const entries = Object.entries(rules).map(([name, rule]) => [name, rule(tree)]);
  return Object.fromEntries(entries) as Found;
}

function byPath(findings: readonly Finding[]): Map<string, Finding[]> {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings)
    groups.set(finding.path, [...(groups.get(finding.path) ?? []), finding]);
  return groups;
}

const readExceptions = (): Exceptions => JSON.parse(readText(PATH)) as Exceptions;

/** Where findings are more than excepted, or fewer. */
export function differences(rule: RuleName, found: Found): string[] {
  const allowed = new Map(Object.entries(readExceptions()[rule] ?? {}));
  const groups = byPath(found[rule]);
  const texts = [...new Set([...groups.keys(), ...allowed.keys()])].map((path) => {
    const findings = groups.get(path) ?? [];
    const count = allowed.get(path) ?? 0;
    if (findings.length > count)
      return `${path}: ${findings.map(({ text }) => text).join('; ')} (${count} excepted)`;
    return findings.length < count
      ? `${path}: has only ${findings.length} of ${count} exceptions: run shrink.js`
      : '';
  });
  return texts.filter((text) => text !== '');
}

/** Lowers the counts to what there is; with `isFirst`, writes them as they are. */
export function shrink(isFirst = false): void {
  const found = examine();
  const old = readExceptions();
  const names = Object.keys(found).sort() as RuleName[];
  const counts = names.map((rule) => {
    const groups = [...byPath(found[rule])].sort(([a], [b]) => (a < b ? -1 : 1));
    const allowed = (path: string): number => (isFirst ? Infinity : (old[rule]?.[path] ?? 0));
    const entries = groups.map(([path, { length }]) => [path, Math.min(length, allowed(path))]);
    return [rule, Object.fromEntries(entries.filter(([, count]) => count !== 0))];
  });
  writeFileSync(join(ROOT, PATH), `${JSON.stringify(Object.fromEntries(counts), null, 2)}\n`);
}
