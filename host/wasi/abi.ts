// WASI preview 1 by number: functions, errors, rights, flags, and the layouts of structures in guest memory,
// under the names of the specification (wasi_snapshot_preview1.witx).

/** In an order that gives each its system-call number: SYS_WASI + index. Append only. */
export const WASI_FUNCTIONS = [
  'args_get',
  'args_sizes_get',
  'environ_get',
  'environ_sizes_get',
  'clock_res_get',
  'clock_time_get',
  'fd_advise',
  'fd_allocate',
  'fd_close',
  'fd_datasync',
  'fd_fdstat_get',
  'fd_fdstat_set_flags',
  'fd_fdstat_set_rights',
  'fd_filestat_get',
  'fd_filestat_set_size',
  'fd_filestat_set_times',
  'fd_pread',
  'fd_prestat_get',
  'fd_prestat_dir_name',
  'fd_pwrite',
  'fd_read',
  'fd_readdir',
  'fd_renumber',
  'fd_seek',
  'fd_sync',
  'fd_tell',
  'fd_write',
  'path_create_directory',
  'path_filestat_get',
  'path_filestat_set_times',
  'path_link',
  'path_open',
  'path_readlink',
  'path_remove_directory',
  'path_rename',
  'path_symlink',
  'path_unlink_file',
  'poll_oneoff',
  'proc_exit',
  'proc_raise',
  'sched_yield',
  'random_get',
  'sock_accept',
  'sock_recv',
  'sock_send',
  'sock_shutdown',
] as const;

export type WasiFunction = (typeof WASI_FUNCTIONS)[number];

export const isWasiFunction = (name: string): name is WasiFunction =>
  (WASI_FUNCTIONS as readonly string[]).includes(name);

/** Parameters of each: i is i32, I is i64. All return an i32, proc_exit nothing. */
export const WASI_PARAMETERS: Record<WasiFunction, string> = {
  args_get: 'ii',
  args_sizes_get: 'ii',
  environ_get: 'ii',
  environ_sizes_get: 'ii',
  clock_res_get: 'ii',
  clock_time_get: 'iIi',
  fd_advise: 'iIIi',
  fd_allocate: 'iII',
  fd_close: 'i',
  fd_datasync: 'i',
  fd_fdstat_get: 'ii',
  fd_fdstat_set_flags: 'ii',
  fd_fdstat_set_rights: 'iII',
  fd_filestat_get: 'ii',
  fd_filestat_set_size: 'iI',
  fd_filestat_set_times: 'iIIi',
  fd_pread: 'iiiIi',
  fd_prestat_get: 'ii',
  fd_prestat_dir_name: 'iii',
  fd_pwrite: 'iiiIi',
  fd_read: 'iiii',
  fd_readdir: 'iiiIi',
  fd_renumber: 'ii',
  fd_seek: 'iIii',
  fd_sync: 'i',
  fd_tell: 'ii',
  fd_write: 'iiii',
  path_create_directory: 'iii',
  path_filestat_get: 'iiiii',
  path_filestat_set_times: 'iiiiIIi',
  path_link: 'iiiiiii',
  path_open: 'iiiiiIIii',
  path_readlink: 'iiiiii',
  path_remove_directory: 'iii',
  path_rename: 'iiiiii',
  path_symlink: 'iiiii',
  path_unlink_file: 'iii',
  poll_oneoff: 'iiii',
  proc_exit: 'i',
  proc_raise: 'i',
  sched_yield: '',
  random_get: 'ii',
  sock_accept: 'iii',
  sock_recv: 'iiiiii',
  sock_send: 'iiiii',
  sock_shutdown: 'ii',
};

// prettier-ignore
const ERRORS = [
  'SUCCESS', '2BIG', 'ACCES', 'ADDRINUSE', 'ADDRNOTAVAIL', 'AFNOSUPPORT', 'AGAIN', 'ALREADY', 'BADF', 'BADMSG', 'BUSY',
  'CANCELED', 'CHILD', 'CONNABORTED', 'CONNREFUSED', 'CONNRESET', 'DEADLK', 'DESTADDRREQ', 'DOM', 'DQUOT', 'EXIST', 'FAULT',
  'FBIG', 'HOSTUNREACH', 'IDRM', 'ILSEQ', 'INPROGRESS', 'INTR', 'INVAL', 'IO', 'ISCONN', 'ISDIR', 'LOOP', 'MFILE', 'MLINK',
  'MSGSIZE', 'MULTIHOP', 'NAMETOOLONG', 'NETDOWN', 'NETRESET', 'NETUNREACH', 'NFILE', 'NOBUFS', 'NODEV', 'NOENT', 'NOEXEC',
  'NOLCK', 'NOLINK', 'NOMEM', 'NOMSG', 'NOPROTOOPT', 'NOSPC', 'NOSYS', 'NOTCONN', 'NOTDIR', 'NOTEMPTY', 'NOTRECOVERABLE',
  'NOTSOCK', 'NOTSUP', 'NOTTY', 'NXIO', 'OVERFLOW', 'OWNERDEAD', 'PERM', 'PIPE', 'PROTO', 'PROTONOSUPPORT', 'PROTOTYPE',
  'RANGE', 'ROFS', 'SPIPE', 'SRCH', 'STALE', 'TIMEDOUT', 'TXTBSY', 'XDEV', 'NOTCAPABLE',
] as const;

type WasiErrorName = (typeof ERRORS)[number];

const NUMBERS = new Map<string, number>(ERRORS.map((name, number) => [name, number]));

/** The number of an error, by its name without the E. */
export const errno = (name: WasiErrorName): number => NUMBERS.get(name)!;

/** The number of a host error such as ENOENT; IO when WASI has no equivalent. */
export function errnoOfHost(code: unknown): number {
  const known = typeof code === 'string' ? NUMBERS.get(code.slice(1)) : undefined;
  return known ?? (code === 'EOPNOTSUPP' ? errno('NOTSUP') : errno('IO'));
}

/** A failure that the program gets as an error number. */
export class WasiError extends Error {
  readonly number: number;
  constructor(name: WasiErrorName) {
    super(name);
    this.number = errno(name);
  }
}

// Rights: bits of what may be done with a descriptor, and with those opened through it. Programs pass them as
// 64 bits; 30 are defined.
export const RIGHT = {
  FD_DATASYNC: 1 << 0,
  FD_READ: 1 << 1,
  FD_SEEK: 1 << 2,
  FD_FDSTAT_SET_FLAGS: 1 << 3,
  FD_SYNC: 1 << 4,
  FD_TELL: 1 << 5,
  FD_WRITE: 1 << 6,
  FD_ADVISE: 1 << 7,
  FD_ALLOCATE: 1 << 8,
  PATH_CREATE_DIRECTORY: 1 << 9,
  PATH_CREATE_FILE: 1 << 10,
  PATH_LINK_SOURCE: 1 << 11,
  PATH_LINK_TARGET: 1 << 12,
  PATH_OPEN: 1 << 13,
  FD_READDIR: 1 << 14,
  PATH_READLINK: 1 << 15,
  PATH_RENAME_SOURCE: 1 << 16,
  PATH_RENAME_TARGET: 1 << 17,
  PATH_FILESTAT_GET: 1 << 18,
  PATH_FILESTAT_SET_SIZE: 1 << 19,
  PATH_FILESTAT_SET_TIMES: 1 << 20,
  FD_FILESTAT_GET: 1 << 21,
  FD_FILESTAT_SET_SIZE: 1 << 22,
  FD_FILESTAT_SET_TIMES: 1 << 23,
  PATH_SYMLINK: 1 << 24,
  PATH_REMOVE_DIRECTORY: 1 << 25,
  PATH_UNLINK_FILE: 1 << 26,
  POLL_FD_READWRITE: 1 << 27,
  SOCK_SHUTDOWN: 1 << 28,
  SOCK_ACCEPT: 1 << 29,
} as const;
export const RIGHT_BITS = 30;

const r = RIGHT;
/** Rights of a file's descriptor. */
export const FILE_RIGHTS =
  r.FD_DATASYNC |
  r.FD_READ |
  r.FD_SEEK |
  r.FD_FDSTAT_SET_FLAGS |
  r.FD_SYNC |
  r.FD_TELL |
  r.FD_WRITE |
  r.FD_ADVISE |
  r.FD_ALLOCATE |
  r.FD_FILESTAT_GET |
  r.FD_FILESTAT_SET_SIZE |
  r.FD_FILESTAT_SET_TIMES |
  r.POLL_FD_READWRITE;
/** Rights of a directory's descriptor. */
export const DIRECTORY_RIGHTS =
  r.FD_FDSTAT_SET_FLAGS |
  r.FD_SYNC |
  r.FD_ADVISE |
  r.PATH_CREATE_DIRECTORY |
  r.PATH_CREATE_FILE |
  r.PATH_LINK_SOURCE |
  r.PATH_LINK_TARGET |
  r.PATH_OPEN |
  r.FD_READDIR |
  r.PATH_READLINK |
  r.PATH_RENAME_SOURCE |
  r.PATH_RENAME_TARGET |
  r.PATH_FILESTAT_GET |
  r.PATH_FILESTAT_SET_SIZE |
  r.PATH_FILESTAT_SET_TIMES |
  r.FD_FILESTAT_GET |
  r.FD_FILESTAT_SET_TIMES |
  r.PATH_SYMLINK |
  r.PATH_REMOVE_DIRECTORY |
  r.PATH_UNLINK_FILE |
  r.POLL_FD_READWRITE;
/** Every right that can change the file system. */
export const CHANGING_RIGHTS =
  r.FD_WRITE |
  r.FD_ALLOCATE |
  r.FD_FILESTAT_SET_SIZE |
  r.FD_FILESTAT_SET_TIMES |
  r.PATH_CREATE_DIRECTORY |
  r.PATH_CREATE_FILE |
  r.PATH_LINK_SOURCE |
  r.PATH_LINK_TARGET |
  r.PATH_RENAME_SOURCE |
  r.PATH_RENAME_TARGET |
  r.PATH_FILESTAT_SET_SIZE |
  r.PATH_FILESTAT_SET_TIMES |
  r.PATH_SYMLINK |
  r.PATH_REMOVE_DIRECTORY |
  r.PATH_UNLINK_FILE;
/** Rights of a stream (terminal, pipe): no seeking, by which programs recognise a terminal. */
export const STREAM_RIGHTS =
  r.FD_READ |
  r.FD_WRITE |
  r.FD_FDSTAT_SET_FLAGS |
  r.FD_SYNC |
  r.FD_DATASYNC |
  r.FD_FILESTAT_GET |
  r.POLL_FD_READWRITE;

export const FDFLAG = { APPEND: 1, DSYNC: 2, NONBLOCK: 4, RSYNC: 8, SYNC: 16 } as const;
export const OFLAG = { CREAT: 1, DIRECTORY: 2, EXCL: 4, TRUNC: 8 } as const;
export const LOOKUP_FOLLOW = 1;
export const TIME = { ATIM: 1, ATIM_NOW: 2, MTIM: 4, MTIM_NOW: 8 } as const;
export const WHENCE = { SET: 0, CUR: 1, END: 2 } as const;
export const CLOCK = { REALTIME: 0, MONOTONIC: 1, PROCESS_CPUTIME: 2, THREAD_CPUTIME: 3 } as const;
export const EVENT = { CLOCK: 0, FD_READ: 1, FD_WRITE: 2 } as const;
export const CLOCK_ABSOLUTE = 1;
export const ADVICE_LAST = 5;
export const SIGNAL_LAST = 30;

export const FILETYPE = {
  unknown: 0,
  block: 1,
  character: 2,
  directory: 3,
  file: 4,
  socket: 6,
  link: 7,
} as const;

// Sizes of the structures in bytes; their fields are written where they are used.
export const FDSTAT_BYTES = 24;
export const FILESTAT_BYTES = 64;
export const PRESTAT_BYTES = 8;
export const DIRENT_BYTES = 24;
export const SUBSCRIPTION_BYTES = 48;
export const EVENT_BYTES = 32;
export const IOVEC_BYTES = 8;
