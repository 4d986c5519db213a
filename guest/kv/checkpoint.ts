// A checkpoint: data.rz gets everything, and the log restarts. A crash may happen after any of these steps:
//
//   1  pages that the previous checkpoint does not have, to their places in data.rz                  waits for the device
//   2  pages that it has and that have changed, to the log; then a superblock; then CHECKPOINT       waits: now the checkpoint exists
//   3  the same pages and the superblock to their places                                             waits
//   4  the log restarts                                                                              waits
//
// Interface   isDue(), run(). 0 or -errno: until step 2 is done nothing has happened; after it the log
//             continues after the checkpoint, and the next one does the rest.
// Invariants  CKPT-1  data.rz, overlaid with the images of all checkpoints in the log, is the store as of the
//                     last of them. So between two checkpoints no page that the earlier one has is written:
//                     the pool retains them (assembly/tabby/retained.ts).
// Concurrency Under BATCH_LOCK: no vCPU changes anything. Readers continue.
// Cost        a changed page is written twice, a new one once; four waits for the device.

import { FRAME_BYTES } from '../../assembly/abi/limits';
import { SYS_SYNC } from '../../assembly/abi/syscall';
import { syscall } from '../../assembly/index';
import { pool, poolArea, poolHeader, poolRetained } from '../../assembly/linked';
import * as log from './log';
import * as format from './log-format';
import * as map from './memory-map';
import * as overflow from './overflow';
import * as superblock from './superblock';

/**
 * Size of the log, without one more batch or value: replaying it takes about as long as writing it did, about
 * 0.2 s.
 */
const LOG_BYTES_MAX: u64 = 64 << 20;

export function isDue(): bool {
  return poolRetained.isPressed() || log.position() > LOG_BYTES_MAX;
}

export function run(): i32 {
  overflow.retryPostponed();
  const start = log.boundary();
  let result = pool.writeBack(poolRetained.limit());
  if (result == 0) result = syncData();
  if (result == 0) result = logImages();
  if (result != 0) {
    if (log.position() != start) log.end(format.ABORT);
    return result;
  }
  log.end(format.CHECKPOINT);
  poolRetained.below(atomic.load<u32>(map.HIGH)); // even if this fails: the record may reach the device later
  result = log.settle();
  if (result != 0) return result;
  atomic.add<u64>(map.LOG_CHECKPOINTS, 1);
  return toPlaces();
}

function syncData(): i32 {
  return syscall(SYS_SYNC, load<i32>(map.STORAGE), 0, 0, 0, 0);
}

function logImages(): i32 {
  let result: i32 = 0;
  let frame = poolRetained.next(poolArea.first);
  while (frame != 0 && result == 0) {
    result = log.image(frame, poolHeader.pageOf(load<u64>(frame)));
    frame = poolRetained.next(frame + FRAME_BYTES);
  }
  if (result != 0) return result;
  const page = superblock.compose(poolArea.scratch, superblock.LOGGED);
  return log.image(poolArea.scratch, page);
}

function toPlaces(): i32 {
  let result = pool.writeBack();
  if (result == 0) result = superblock.write(superblock.LOGGED);
  return result == 0 ? log.restart(load<u64>(map.SEQUENCE)) : result;
}
