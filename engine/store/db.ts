/**
 * The little of SQLite that the queue and the assets use. Equal to `node:sqlite`, so that module
 * (or another with its interface) can replace this package in one line.
 */
import { DatabaseSync } from '@photostructure/sqlite';

export type SqlValue = null | number | bigint | string | Uint8Array;
export type Row = Record<string, SqlValue>;

export interface Statement {
  run(...values: SqlValue[]): { readonly changes: number | bigint };
  get(...values: SqlValue[]): Row | undefined;
  all(...values: SqlValue[]): Row[];
}

export interface Db {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  /** Runs `change` whole or not at all; what it throws passes through. */
  transaction<T>(change: () => T): T;
  close(): void;
}

/** Opens a database file (or ':memory:'); waits up to `timeout` ms for another process's lock. */
export function openDb(path: string, timeout = 5000): Db {
  const database = new DatabaseSync(path, { timeout });
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => database.prepare(sql),
    transaction: (change) => {
      database.exec('BEGIN IMMEDIATE');
      try {
        const result = change();
        database.exec('COMMIT');
        return result;
      } catch (error) {
        database.exec('ROLLBACK');
        throw error;
      }
    },
    close: () => database.close(),
  };
}
