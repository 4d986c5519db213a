// Random operations on the files of a VM, and the model that they are compared with: a tree of JavaScript
// objects.

import type { Files } from '../../host/index.ts';
import { Random } from '../random.ts';

interface FileNode {
  content: Uint8Array;
  links: number;
}
export interface DirectoryNode {
  entries: Map<string, Node>;
}
type Node = FileNode | DirectoryNode;

const isDirectory = (node: Node | undefined): node is DirectoryNode =>
  node !== undefined && 'entries' in node;
const isFile = (node: Node | undefined): node is FileNode =>
  node !== undefined && 'content' in node;

class Failure extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** A tree of files with the operations that the test performs. It can be posted by its root. */
export class Model {
  readonly root: DirectoryNode;

  /** A root that was posted is the same tree in another thread. */
  constructor(root: DirectoryNode = { entries: new Map() }) {
    this.root = root;
  }

  #parent(path: string): [DirectoryNode, string] {
    const parts = path.split('/').slice(1);
    const name = parts.pop()!;
    let here: Node = this.root;
    for (const part of parts) {
      if (!isDirectory(here)) throw new Failure('ENOTDIR');
      const next: Node | undefined = here.entries.get(part);
      if (next === undefined) throw new Failure('ENOENT');
      here = next;
    }
    if (!isDirectory(here)) throw new Failure('ENOTDIR');
    return [here, name];
  }

  write(path: string, data: Uint8Array, at: 'w' | 'a'): void {
    const [parent, name] = this.#parent(path);
    const node = parent.entries.get(name);
    if (isDirectory(node)) throw new Failure('EISDIR');
    if (node === undefined) parent.entries.set(name, { content: data, links: 1 });
    else if (isFile(node))
      node.content = at === 'w' ? data : Uint8Array.from([...node.content, ...data]);
  }

  truncate(path: string, bytes: number): void {
    const [parent, name] = this.#parent(path);
    const node = parent.entries.get(name);
    if (node === undefined) throw new Failure('ENOENT');
    if (!isFile(node)) throw new Failure('EISDIR');
    const content = new Uint8Array(bytes);
    content.set(node.content.subarray(0, bytes));
    node.content = content;
  }

  mkdir(path: string): void {
    const [parent, name] = this.#parent(path);
    if (parent.entries.has(name)) throw new Failure('EEXIST');
    parent.entries.set(name, { entries: new Map() });
  }

  rm(path: string): void {
    const [parent, name] = this.#parent(path);
    const node = parent.entries.get(name);
    if (node === undefined) throw new Failure('ENOENT');
    const drop = (gone: Node): void => {
      if (isDirectory(gone)) for (const child of gone.entries.values()) drop(child);
      else if (isFile(gone)) gone.links--;
    };
    drop(node);
    parent.entries.delete(name);
  }

  rename(from: string, to: string): void {
    const [parent, name] = this.#parent(from);
    const [newParent, newName] = this.#parent(to);
    const node = parent.entries.get(name);
    if (node === undefined) throw new Failure('ENOENT');
    const old = newParent.entries.get(newName);
    if (isDirectory(node) && (to === from || to.startsWith(`${from}/`))) {
      if (to === from) return;
      throw new Failure('EINVAL');
    }
    if (isDirectory(old) && from.startsWith(`${to}/`)) throw new Failure('ENOTEMPTY');
    if (old === node) return;
    if (old !== undefined) {
      if (isDirectory(node) && !isDirectory(old)) throw new Failure('ENOTDIR');
      if (!isDirectory(node) && isDirectory(old)) throw new Failure('EISDIR');
      if (isDirectory(old) && old.entries.size > 0) throw new Failure('ENOTEMPTY');
      if (isFile(old)) old.links--;
    }
    parent.entries.delete(name);
    newParent.entries.set(newName, node);
  }

  link(from: string, to: string): void {
    const [parent, name] = this.#parent(from);
    const node = parent.entries.get(name);
    if (node === undefined) throw new Failure('ENOENT');
    const [newParent, newName] = this.#parent(to);
    if (newParent.entries.has(newName)) throw new Failure('EEXIST');
    if (!isFile(node)) throw new Failure('EPERM');
    node.links++;
    newParent.entries.set(newName, node);
  }
}

/** One random operation on both; throws when they differ. */
export function step(files: Files, model: Model, random: Random): void {
  const name = (): string => 'abcdefgh'[random.below(8)]!.repeat(1 + random.below(3) ** 4);
  const path = (): string => `/${Array.from({ length: 1 + random.below(3) }, name).join('/')}`;
  const bytes = (): Uint8Array =>
    new Uint8Array(random.below(4) === 0 ? random.below(20000) : random.below(300)).fill(
      random.below(256),
    );
  const [first, second, data] = [path(), path(), bytes()];
  const size = random.below(30000);
  const acts: [string, () => void, () => void][] = [
    ['write', () => files.writeFileSync(first, data), () => model.write(first, data, 'w')],
    ['append', () => files.appendFileSync(first, data), () => model.write(first, data, 'a')],
    ['truncate', () => files.truncateSync(first, size), () => model.truncate(first, size)],
    ['mkdir', () => files.mkdirSync(first), () => model.mkdir(first)],
    ['mkdir', () => files.mkdirSync(first), () => model.mkdir(first)],
    ['rm', () => files.rmSync(first, { recursive: true }), () => model.rm(first)],
    ['rename', () => files.renameSync(first, second), () => model.rename(first, second)],
    ['link', () => files.linkSync(first, second), () => model.link(first, second)],
  ];
  const [what, actual, expected] = acts[random.below(acts.length)]!;
  const results = [actual, expected].map((act) => {
    try {
      act();
      return 'done';
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === undefined) throw error;
      return code;
    }
  });
  if (results[0] !== results[1])
    throw new Error(`${what} ${first} ${second}: ${results[0]}, expected ${results[1]}`);
}

/** Throws when the files are not those of the model. */
export function compare(files: Files, model: Model): void {
  const visit = (path: string, node: Node): void => {
    if (isFile(node)) {
      const actual = files.readFileSync(path);
      const isSame =
        actual.length === node.content.length &&
        actual.every((byte, i) => byte === node.content[i]);
      if (!isSame) throw new Error(`content of ${path}: ${actual.length}, ${node.content.length}`);
      if (files.statSync(path).nlink !== node.links) throw new Error(`links of ${path}`);
      return;
    }
    const names = files.readdirSync(path === '' ? '/' : path).sort();
    const expected = [...node.entries.keys()].sort();
    if (names.join() !== expected.join()) throw new Error(`${path}: ${names}, not ${expected}`);
    for (const [name, child] of node.entries) visit(`${path}/${name}`, child);
  };
  visit('', model.root);
}
