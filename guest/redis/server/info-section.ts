// The sections of INFO: their names, and which of them a command asks for.

import { isWord } from '../bytes/ascii.ts';

export const SERVER: u32 = 0;
export const CLIENTS: u32 = 1;
export const MEMORY: u32 = 2;
export const PERSISTENCE: u32 = 3;
export const STATS: u32 = 4;
export const REPLICATION: u32 = 5;
export const CPU: u32 = 6;
export const MODULES: u32 = 7;
export const COMMANDSTATS: u32 = 8;
export const ERRORSTATS: u32 = 9;
export const LATENCYSTATS: u32 = 10;
export const CLUSTER: u32 = 11;
export const KEYSPACE: u32 = 12;
export const RINGZERO: u32 = 13;
export const SECTIONS: u32 = 14;

export const ALL: u32 = 0x3fff; // a bit per section
export const BY_DEFAULT: u32 = 0x3aff; // ALL without the two long ones: commandstats, latencystats

export function nameOf(section: u32): string {
  switch (section) {
    case SERVER:
      return 'Server';
    case CLIENTS:
      return 'Clients';
    case MEMORY:
      return 'Memory';
    case PERSISTENCE:
      return 'Persistence';
    case STATS:
      return 'Stats';
    case REPLICATION:
      return 'Replication';
    case CPU:
      return 'CPU';
    case MODULES:
      return 'Modules';
    case COMMANDSTATS:
      return 'Commandstats';
    case ERRORSTATS:
      return 'Errorstats';
    case LATENCYSTATS:
      return 'Latencystats';
    case CLUSTER:
      return 'Cluster';
    case KEYSPACE:
      return 'Keyspace';
    default:
      return 'Ringzero';
  }
}

/** The sections that a word asks for, one bit each; a word that names none asks for nothing. */
export function wished(at: u32, bytes: u32): u32 {
  if (isWord(at, bytes, 'default')) return BY_DEFAULT;
  if (isWord(at, bytes, 'all') || isWord(at, bytes, 'everything')) return ALL;
  for (let section: u32 = 0; section < SECTIONS; section++) {
    if (isWord(at, bytes, nameOf(section))) return 1 << section;
  }
  return 0;
}
