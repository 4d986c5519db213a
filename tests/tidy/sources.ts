// The repository's files as the rules of tidiness see them: text, syntax tree, comments, imports.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface Comment {
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
}

interface Import {
  /** Path of the imported file, from the root. */
  readonly target: string;
  /** Erased by the compiler. */
  readonly isTypeOnly: boolean;
}

export interface Source {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly tree: ts.SourceFile;
  readonly comments: readonly Comment[];
  readonly imports: readonly Import[];
}

/** All files under version control, and those that are about to be. */
export function trackedFiles(): string[] {
  const words = ['ls-files', '--cached', '--others', '--exclude-standard'];
  const output = execFileSync('git', words, { cwd: ROOT, encoding: 'utf8' });
  return output.split('\n').filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function commentsOf(tree: ts.SourceFile): Comment[] {
  const text = tree.text;
  const found = new Map<number, Comment>();
  const add = (from: number, to: number): void => {
    const line = tree.getLineAndCharacterOfPosition(from).line + 1;
    found.set(from, { text: text.slice(from, to), line });
  };
  const visit = (node: ts.Node): void => {
    ts.forEachLeadingCommentRange(text, node.getFullStart(), add);
    ts.forEachTrailingCommentRange(text, node.end, add);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  ts.forEachLeadingCommentRange(text, tree.endOfFileToken.getFullStart(), add);
  return [...found.values()].sort((a, b) => a.line - b.line);
}

function targetOf(importer: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const path = posix.join(posix.dirname(importer), specifier);
  return [path, `${path}.ts`, `${path}/index.ts`].find(
    (candidate) => /\.[a-z]+$/.test(candidate) && existsSync(join(ROOT, candidate)),
  );
}

function importsOf(path: string, tree: ts.SourceFile): Import[] {
  return tree.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const { moduleSpecifier } = statement;
    if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return [];
    const target = targetOf(path, moduleSpecifier.text);
    if (target === undefined) return [];
    const clause = ts.isImportDeclaration(statement) ? statement.importClause : undefined;
    const isTypeOnly = ts.isExportDeclaration(statement)
      ? statement.isTypeOnly
      : clause?.isTypeOnly === true;
    return [{ target, isTypeOnly }];
  });
}

/** Every TypeScript and AssemblyScript file. */
export function readSources(paths: readonly string[]): Source[] {
  const modules = paths.filter((path) => /\.ts$/.test(path));
  return modules.map((path) => {
    const text = readText(path);
    const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
    const lines = text.split('\n');
    return { path, text, lines, tree, comments: commentsOf(tree), imports: importsOf(path, tree) };
  });
}
