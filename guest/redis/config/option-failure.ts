// Why a text is not a value of an option, in Redis' words.

import * as config from './config.ts';
import * as option from './option.ts';
import * as optionText from './option-read.ts';
import * as text from '../bytes/text.ts';

export const NONE: u32 = 0;
export const BOOL: u32 = 1;
export const INT: u32 = 2;
export const BYTES: u32 = 3;
export const RANGE: u32 = 4;
export const ENUM: u32 = 5;
export const LONG: u32 = 6;
export const EMPTY: u32 = 7;
export const SAVE: u32 = 8;
export const LIMIT_COUNT: u32 = 9;
export const LIMIT_CLASS: u32 = 10;
export const LIMIT_VALUE: u32 = 11;
export const OCTAL: u32 = 12;
export const PATH: u32 = 13;
export const CLIENTS: u32 = 14;
export const SIGNAL: u32 = 15;
export const TITLE: u32 = 16;
export const FIXED: u32 = 17;
export const PERCENTILE: u32 = 18;
export const PERCENTILE_RANGE: u32 = 19;

/** Appends a reason. */
export function put(reason: u32, index: u32, clientsMost: i64): void {
  const row = config.at(index);
  switch (reason) {
    case BYTES:
      text.ascii('argument must be a memory ');
      return text.ascii(row.flags & option.PERCENT ? 'or percent value' : 'value');
    case RANGE:
      text.ascii('argument must be between ');
      text.integer(row.min);
      text.ascii(' and ');
      text.integer(row.max);
      return text.ascii(' inclusive');
    case ENUM:
      text.ascii('argument(s) must be one of the following: ');
      return putWords(row);
    case CLIENTS:
      text.ascii(
        'The operating system is not able to handle the specified number of clients, try with ',
      );
      return text.integer(clientsMost);
    default:
      text.ascii(sentence(reason));
  }
}

function sentence(reason: u32): string {
  switch (reason) {
    case BOOL:
      return "argument must be 'yes' or 'no'";
    case INT:
      return "argument couldn't be parsed into an integer";
    case OCTAL:
      return "argument couldn't be parsed as an octal number";
    case SAVE:
      return 'Invalid save parameters';
    case LIMIT_COUNT:
      return 'Wrong number of arguments in buffer limit configuration.';
    case LIMIT_CLASS:
      return 'Invalid client class specified in buffer limit configuration.';
    case LIMIT_VALUE:
      return 'Error in hard, soft or soft_seconds setting in buffer limit configuration.';
    case SIGNAL:
      return "shutdown options SAVE and NOSAVE can't be used simultaneously";
    case TITLE:
      return 'template format is invalid or contains unknown variables';
    case PATH:
      return "dbfilename can't be a path, just a filename";
    case FIXED:
      return 'argument(s) must be one of the following: no';
    case PERCENTILE:
      return 'Invalid latency-tracking-info-percentiles parameters';
    case PERCENTILE_RANGE:
      return 'latency-tracking-info-percentiles parameters should sit between [0.0,100.0]';
    case EMPTY:
      return 'this server accepts only an empty value';
    default:
      return 'argument is too long';
  }
}

function putWords(row: config.Row): void {
  const units: u32 = row.wordsUnits;
  for (let i: u32 = 0; i < units; i++) {
    const c: u32 = load<u16>(row.words + (i << 1));
    if (optionText.isSeparator(c)) text.ascii(', ');
    else text.byte(c);
  }
}
