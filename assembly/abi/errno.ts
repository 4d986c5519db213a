// Error numbers, those of Linux. Portable: compiled by asc and by tsc. Calls return them negated.

export const EPERM: i32 = 1;
export const ENOENT: i32 = 2;
export const EINTR: i32 = 4;
export const EIO: i32 = 5;
export const EBADF: i32 = 9;
export const ECHILD: i32 = 10;
export const EAGAIN: i32 = 11;
export const ENOMEM: i32 = 12;
export const EACCES: i32 = 13;
export const EFAULT: i32 = 14;
export const EBUSY: i32 = 16;
export const EEXIST: i32 = 17;
export const ENOTDIR: i32 = 20;
export const EISDIR: i32 = 21;
export const EINVAL: i32 = 22;
export const EMFILE: i32 = 24;
export const ENOSPC: i32 = 28;
export const ENOSYS: i32 = 38;
export const EBADMSG: i32 = 74; // a page in storage differs from what was written there
export const EPROTO: i32 = 71; // a file of another format or version
export const ENOBUFS: i32 = 105; // a batch dirties more pages than fit into a pool with a log
export const EALREADY: i32 = 114;
export const EUCLEAN: i32 = 117; // a store that was not closed
export const ECANCELED: i32 = 125;
