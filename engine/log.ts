/** How every part of the program speaks to its log. */
export const LOG_LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Writes a line, or several, of one level. */
export type Log = (level: LogLevel, text: string) => void;
