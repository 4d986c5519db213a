// A name from outside never indexes a plain object: `toString`, `constructor` and `__proto__` would be found
// in it.
//
// Looked for in the sources: an object literal of many names (`Record<string, ...>`) that is read under an
// expression, or asked by `in`, in a file that does not ask Object.hasOwn of it. What is for that: Map, Set,
// an object without a prototype.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('names from outside');
const HOST = fileURLToPath(new URL('../../../host/', import.meta.url));

const isLiteral = (node: ts.Node | undefined): boolean =>
  node !== undefined && ts.isObjectLiteralExpression(node) && !hasNoPrototype(node);

const hasNoPrototype = (node: ts.ObjectLiteralExpression): boolean =>
  node.properties.some((property) => property.name?.getText() === '__proto__');

/** Names of the constants and fields that are literals of many names. */
function tables(source: ts.SourceFile): Set<string> {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (
      (ts.isVariableDeclaration(node) || ts.isPropertyDeclaration(node)) &&
      isLiteral(node.initializer) &&
      /^(Readonly<)?Record<string,/.test(node.type?.getText() ?? '')
    )
      found.add(node.name.getText());
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Where a file reads one of its tables under a name that is computed. */
function misuses(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const names = tables(source);
  const found: string[] = [];
  const look = (table: ts.Node, node: ts.Node): void => {
    const name = ts.isPropertyAccessExpression(table) ? table.name.text : table.getText();
    if (!names.has(name) || text.includes(`Object.hasOwn(${table.getText()}, `)) return;
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    found.push(`${file}:${line + 1}: ${node.getText()}`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isElementAccessExpression(node) && !isWritten(node)) {
      const index = node.argumentExpression;
      if (!ts.isStringLiteral(index) && !ts.isNumericLiteral(index)) look(node.expression, node);
    }
    if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.InKeyword)
      look(node.right, node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** What a program writes for itself is read by its own users. */
const isWritten = ({ parent }: ts.Node): boolean =>
  ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;

test('IMPORT-3: no source indexes a plain object by a name that is not its own', () => {
  const files = readdirSync(HOST, { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => file.endsWith('.ts'));
  assert.ok(sources.length > 100, HOST);
  const found = sources.flatMap((file) => misuses(file, readFileSync(join(HOST, file), 'utf8')));
  assert.equal(found, []);
});

test('IMPORT-3: what is looked for is found', () => {
  const code = `const CODES: Record<string, string> = { a: 'A' };
    const SAFE: Record<string, string> = { __proto__: null, a: 'A' };
    const ASKED: Record<string, string> = { a: 'A' };
    const of = (name: string) => CODES[name] ?? (name in CODES) ?? SAFE[name] ?? CODES['a'];
    const asked = (name: string) => Object.hasOwn(ASKED, name) && ASKED[name];`;
  assert.equal(misuses('x.ts', code), ['x.ts:4: CODES[name]', 'x.ts:4: name in CODES']);
});

test.run();
