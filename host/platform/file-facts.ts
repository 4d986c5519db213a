// What every platform says of files and directories. Types alone: public declarations reach them without a platform's own.

/** A directory that is open: by descriptor where the host allows it. */
export interface Directory {
  readonly path: string;
  readonly descriptor: number;
}

export type FileKind = 'file' | 'directory' | 'link' | 'character' | 'block' | 'socket' | 'unknown';

export interface FileFacts {
  readonly kind: FileKind;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly nlink: bigint;
  readonly size: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}
