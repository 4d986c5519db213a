// The end of the server: saving first where that is wished, then telling the host.
//
// SAVE, NOSAVE or neither decide whether to save: without a word, where save points are set. FORCE ends
// the server even if saving fails. NOW has nothing to skip: the server has no replicas to wait for.

import * as admission from '../run/admission.ts';
import * as config from '../config/config.ts';
import * as io from '../run/io.ts';
import * as log from '../border/log.ts';
import * as observe from '../stats/observe.ts';
import * as option from '../config/option.ts';
import * as persistence from '../persist/persistence.ts';
import * as savePoint from '../config/save-point.ts';
import {
  SHUTDOWN_FORCE,
  SHUTDOWN_NOSAVE,
  SHUTDOWN_SAVE,
  SHUTDOWN_SIGINT,
  SHUTDOWN_SIGTERM,
} from '../abi.ts';

/** The flags that an option such as shutdown-on-sigterm stands for. */
function flagsOf(index: u32): u32 {
  const words = <u32>config.number(index);
  return (
    (words & option.ON_SIGNAL_SAVE ? SHUTDOWN_SAVE : 0) |
    (words & option.ON_SIGNAL_NOSAVE ? SHUTDOWN_NOSAVE : 0) |
    (words & option.ON_SIGNAL_FORCE ? SHUTDOWN_FORCE : 0)
  );
}

/** Saves if asked, and tells the host to end; false when saving failed, and then the server continues. */
export function begin(flags: u32): bool {
  if (flags & SHUTDOWN_SIGTERM) flags = flagsOf(option.SHUTDOWN_ON_SIGTERM);
  else if (flags & SHUTDOWN_SIGINT) flags = flagsOf(option.SHUTDOWN_ON_SIGINT);
  log.line(log.WARNING, 'User requested shutdown...');
  persistence.cancelSave();
  // A part of the file must not replace it.
  if (admission.loading()) flags = (flags & ~SHUTDOWN_SAVE) | SHUTDOWN_NOSAVE;
  const isWished = flags & SHUTDOWN_SAVE || (!(flags & SHUTDOWN_NOSAVE) && savePoint.count() != 0);
  if (isWished) log.line(log.NOTICE, 'Saving the final RDB snapshot before exiting.');
  const isSaved = !isWished || persistence.save();
  if (!isSaved && !(flags & SHUTDOWN_FORCE)) {
    log.line(log.WARNING, "Error trying to save the DB, can't exit.");
    return false;
  }
  if (!isSaved) log.line(log.WARNING, 'Error trying to save the DB. Exit anyway.');
  io.postShutdown(isSaved ? 0 : 1);
  return true;
}
