/** Builds web/dist when it is missing or older than the page's sources; returns the folder's path. */
export function buildWeb(): Promise<string>;
