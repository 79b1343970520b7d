/** Which names a file can have: by the rules of the system that the server runs on. */

// Windows opens these as devices in every folder and with every extension.
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?: *\..*)?$/i;

/** Longest name of one file or folder: bytes of UTF-8, on Windows UTF-16 units. */
const LONGEST_NAME = 255;

/**
 * Why one part of a path can be no file's name here, in words that continue "path 'x' …"; undefined
 * when it can. Control characters and names of dots and spaces alone are refused everywhere: lists,
 * logs and headers cannot carry the ones, and the others mean folders elsewhere.
 */
export function nameProblem(part: string, platform = process.platform): string | undefined {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const control = /[\u0000-\u001f]/.exec(part)?.[0];
  if (control !== undefined) return `has ${CONTROL[control] ?? controlName(control)} in a name`;
  if (/^[. ]+$/.test(part)) return 'has a name of dots and spaces only';
  const windows = platform === 'win32';
  if (windows && DEVICE.test(part.replace(/[. ]+$/, ''))) return 'names a device of Windows';
  if (windows && /[:*?"<>|]/.test(part)) return 'has a character that Windows reserves';
  const length = windows ? part.length : Buffer.byteLength(part);
  if (length > LONGEST_NAME) {
    return `has a name of ${length} bytes, more than the ${LONGEST_NAME} that the system takes`;
  }
  return undefined;
}

const CONTROL: Readonly<Record<string, string>> = {
  '\n': 'a line break',
  '\r': 'a line break',
  '\t': 'a tab',
};

const controlName = (character: string): string =>
  `the control character U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
