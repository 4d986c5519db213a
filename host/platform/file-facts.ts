// What every platform reports about files and directories. Types only, so that public declarations do not
// depend on a platform.

/** An open directory: a descriptor where the host allows it. */
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
