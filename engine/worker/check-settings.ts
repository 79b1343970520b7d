/** What can be said of an engine's settings before its process starts. */
import type { EngineSettings } from '../config.ts';

/**
 * Throws BAD_INPUT for settings with which no engine can start. The tables of providers are read only
 * where something was asked for.
 */
export async function checkSettings({ precision }: EngineSettings): Promise<void> {
  if (Object.keys(precision).length === 0) return;
  const { precisionsOf } = await import('../runtime/precision.ts');
  precisionsOf({ kind: 'cpu' }, precision);
}
