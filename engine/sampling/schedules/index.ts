/** All schedules and the tools that cut them: one module to load when the first is asked for. */
export * from './cut.ts';
export * from './fixed.ts';
export * from './free.ts';
export { betaSigmas, exponentialSigmas, karrasSigmas } from './schedules.ts';
