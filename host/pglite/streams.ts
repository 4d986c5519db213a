// Open files of a database as data, and opened again in another thread under the same numbers.

import { RingzeroError } from '../errors.ts';
import type { Mountable, OpenFile } from '../vm/emscripten-files.ts';
import type { FileSystem, Stream } from './emscripten.ts';

const O_CREATE_EXCLUSIVE_TRUNCATE = 0o100 | 0o200 | 0o1000;
const O_ACCESS = 3;
/** Standard input, output and error: each thread has its own. */
const FIRST = 3;

export interface OpenStream {
  readonly fd: number;
  readonly path: string;
  readonly flags: number;
  readonly position: number;
  /** Streams with the same number share flags and position. */
  readonly shared: number;
  /** Of a file in the VM. */
  readonly file: OpenFile | undefined;
  /** Number of the pipe that it is an end of. */
  readonly pipe: number | undefined;
}

/** Makes a pipe; returns its two ends. */
type PipeMaker = () => readonly [reader: Stream, writer: Stream];

const isOpen = (stream: Stream | null | undefined): stream is Stream =>
  stream !== null && stream !== undefined && stream.fd >= FIRST;

function numberer<T>(): (value: T) => number {
  const numbers = new Map<T, number>();
  return (value) => {
    if (!numbers.has(value)) numbers.set(value, numbers.size);
    return numbers.get(value)!;
  };
}

/** Fails with RZ_MODULE_UNSUPPORTED for a stream that cannot be carried. */
export function captureStreams(fs: FileSystem, files: Mountable): OpenStream[] {
  const sharedOf = numberer<object>();
  const pipeOf = numberer<object>();
  return fs.streams.filter(isOpen).map((stream): OpenStream => {
    const { fd, path, flags, position, node, shared } = stream;
    const file = files.openFile(stream);
    const isPath = fs.isFile(node.mode) || fs.isDir(node.mode) || fs.isChrdev(node.mode);
    if (file === undefined && !isPath && node.pipe === undefined)
      throw new RingzeroError(
        'RZ_MODULE_UNSUPPORTED',
        `a fork cannot have the open descriptor ${fd} (\`${path}\`): it is neither a file nor a pipe`,
      );
    if (node.pipe?.buckets.some(({ offset, roffset }) => offset > roffset) === true)
      throw new RingzeroError(
        'RZ_MODULE_UNSUPPORTED',
        `a fork cannot have a pipe with content (descriptor ${fd})`,
      );
    const pipe = node.pipe && pipeOf(node.pipe);
    return { fd, path, flags, position, shared: sharedOf(shared), file, pipe };
  });
}

/** Forgets what is open from a previous use. */
export function dropStreams(fs: FileSystem): void {
  for (const { fd } of fs.streams.filter(isOpen)) fs.closeStream(fd);
}

export function restoreStreams(
  fs: FileSystem,
  files: Mountable,
  streams: readonly OpenStream[],
  makePipe: PipeMaker,
): void {
  // Beyond all numbers that are to be given, so that none is taken by what is opened on the way.
  const first = streams.reduce((most, { fd }) => Math.max(most, fd), FIRST) + 1;
  const temporary: number[] = [];
  const aside = (stream: Stream): Stream => {
    const moved = fs.createStream(stream, first + temporary.length);
    fs.closeStream(stream.fd);
    temporary.push(moved.fd);
    return moved;
  };
  const pipes = new Map<number, readonly [Stream, Stream]>();
  const open = ({ path, flags, file, pipe }: OpenStream): object => {
    if (file !== undefined) return { ...files.streamOn(file), path };
    if (pipe === undefined) return aside(fs.open(path, flags & ~O_CREATE_EXCLUSIVE_TRUNCATE));
    if (!pipes.has(pipe)) {
      const [reader, writer] = makePipe();
      pipes.set(pipe, [aside(reader), aside(writer)]);
    }
    return pipes.get(pipe)![(flags & O_ACCESS) === 0 ? 0 : 1];
  };
  const shared = new Map<number, object>();
  for (const saved of streams) {
    const stream = fs.createStream({ ...open(saved) }, saved.fd);
    const known = shared.get(saved.shared);
    if (known !== undefined) stream.shared = known;
    shared.set(saved.shared, stream.shared);
    stream.flags = saved.flags;
    stream.position = saved.position;
  }
  for (const fd of temporary) fs.closeStream(fd);
}
