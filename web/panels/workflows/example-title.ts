/** The name of an example for people, from that of its file; in English. */
export function exampleTitle(name: string): string {
  const words = name.replace(/[-_]+/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
