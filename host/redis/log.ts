// Messages in Redis's format, and one progress line on a terminal.

export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning';
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'verbose', 'notice', 'warning'];
const MARKS = ['.', '-', '*', '#'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const BAR_STEPS = 30;

/** Where lines go: standard output, or a file. */
export interface LogTarget {
  write(text: string): void;
  isTerminal: boolean;
}

export class Log {
  level: LogLevel = 'notice';
  readonly #target: LogTarget;
  readonly #pid: number;
  #progress = '';

  constructor(target: LogTarget, pid: number) {
    this.#target = target;
    this.#pid = pid;
  }

  /** `level`: 0 debug to 3 warning. */
  write(level: number, message: string, role = 'M'): void {
    if (level < LOG_LEVELS.indexOf(this.level)) return;
    this.#clearProgress();
    this.#target.write(
      `${this.#pid}:${role} ${timestamp(new Date())} ${MARKS[level] ?? '#'} ${message}\n`,
    );
  }

  /** Writes text unchanged, whatever the level. */
  plain(text: string): void {
    this.#target.write(text);
  }

  /** Whether the output is a terminal. */
  get isTerminal(): boolean {
    return this.#target.isTerminal;
  }

  verbose(message: string): void {
    this.write(1, message);
  }
  notice(message: string): void {
    this.write(2, message);
  }
  warning(message: string): void {
    this.write(3, message);
  }

  /** `what`: 1 load, 2 save. Nothing unless the output is a terminal. */
  progress(what: number, perMille: number): void {
    if (!this.#target.isTerminal) return;
    if (perMille >= 1000) {
      this.#clearProgress();
      return;
    }
    const done = Math.floor((perMille * BAR_STEPS) / 1000);
    const bar = '#'.repeat(done) + '.'.repeat(BAR_STEPS - done);
    const line = `${what === 1 ? 'Loading' : 'Saving'} [${bar}] ${(perMille / 10).toFixed(1)}%`;
    if (line === this.#progress) return;
    this.#progress = line;
    this.#target.write(`\r${line}`);
  }

  #clearProgress(): void {
    if (this.#progress === '') return;
    this.#target.write(`\r${' '.repeat(this.#progress.length)}\r`);
    this.#progress = '';
  }
}

/** "23 Nov 2026 08:15:00.123", local time. */
function timestamp(now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
  const ms = String(now.getMilliseconds()).padStart(3, '0');
  return `${two(now.getDate())} ${MONTHS[now.getMonth()]} ${now.getFullYear()} ${time}.${ms}`;
}
