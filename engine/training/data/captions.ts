/** Captions as they are trained with: parts left out and shuffled, the trigger and other words put in. */
import type { PythonRandom } from '../../sampling/noise/python-random.ts';
import type { CaptionSettings } from './settings.ts';

/** What stands for the trigger word in captions and prompts. */
const PLACES = ['[name]', '[trigger]'];

/**
 * The caption of a picture for one step, from the text beside it. Draws in ai-toolkit's order; parts between
 * commas keep the blanks around them.
 */
export function captionFor(text: string, settings: CaptionSettings, random: PythonRandom): string {
  const { captionDropoutRate: dropout, shuffleTokens, triggerWord, isReg } = settings;
  if (dropout > 0 && random.random() < dropout) return '';
  const shuffled = (parts: readonly string[]): string =>
    (shuffleTokens ? random.shuffled(parts) : parts).join(', ');
  const kept = shuffled(withoutSome(text.split(','), settings, random));
  const words = drawTriggers(settings, random);
  const caption = [withTrigger(kept, triggerWord, !isReg), ...words].join(', ');
  // A second time, over the trigger too: what was kept in front does not stay there.
  return shuffleTokens ? shuffled(caption.split(',')) : caption;
}

/** The caption without anything that is left to chance: for what is encoded once for all. */
export function plainCaption(text: string, { triggerWord, isReg }: CaptionSettings): string {
  return withTrigger(text.split(',').join(', '), triggerWord, !isReg);
}

/** `[trigger]` and `[name]` replaced (by nothing without one); `add`: put in front where it is missing. */
export function withTrigger(text: string, trigger = '', add = false): string {
  const replaced = PLACES.reduce((sum, place) => sum.replaceAll(place, () => trigger), text);
  const isMissing = trigger.trim() !== '' && !replaced.includes(trigger);
  return isMissing && add ? `${trigger} ${replaced}` : replaced;
}

function withoutSome(
  parts: readonly string[],
  { tokenDropoutRate: rate, keepTokens }: CaptionSettings,
  random: PythonRandom,
): readonly string[] {
  if (rate <= 0) return parts;
  if (rate >= 1) return parts.slice(0, keepTokens);
  return parts.filter((_, i) => i < keepTokens || random.random() >= rate);
}

function drawTriggers(
  { randomTriggers: words, randomTriggersMax: most }: CaptionSettings,
  random: PythonRandom,
): readonly string[] {
  if (words.length === 0) return [];
  const count = most > 1 ? Number(random.randint(0n, BigInt(most))) : 1;
  return random.sample(words, Math.min(count, words.length));
}
