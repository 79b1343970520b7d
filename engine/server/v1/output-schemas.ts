/** Shapes of the routes about files that were made. */
import { type Static, Type } from 'typebox';
import { MEDIA_KINDS } from '../outputs/media-files.ts';
import { SORTS } from '../outputs/media-page.ts';
import { count, nullable, text, words } from './schema-parts.ts';

const directory = (options: object) => words(['output', 'temp', 'input'], options);
const paths = (description: string) =>
  Type.Array(text('As a file lists it.', { minLength: 1, maxLength: 4096 }), {
    description,
    maxItems: 10_000,
  });

export const OutputQuery = Type.Object({
  directory: Type.Optional(directory({ default: 'output', description: 'The folder.' })),
  kind: Type.Optional(words(MEDIA_KINDS, { description: 'Only files of this kind.' })),
  q: Type.Optional(
    text('Words that all stand in the name, the prompt or the seed.', { maxLength: 500 }),
  ),
  sort: Type.Optional(words(SORTS, { default: 'newest', description: 'The order.' })),
  favourites: Type.Optional(Type.Boolean({ description: 'Only favourites.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })),
  cursor: Type.Optional(text('`next_cursor` of the page before.', { maxLength: 10_000 })),
});
export type OutputQuery = Static<typeof OutputQuery>;

export const OutputFile = Type.Object(
  {
    path: text('The file below its directory.', { examples: ['portraits/anna_00001_.png'] }),
    filename: text('Its name.'),
    subfolder: text("Its folder inside the directory; '' where it lies there itself."),
    directory: directory({ description: 'Where it lies.' }),
    kind: words(MEDIA_KINDS, { description: 'What it is.' }),
    media_type: text('Media type of the file.', { examples: ['image/png'] }),
    bytes: count('How large it is.'),
    modified_at: Type.String({ format: 'date-time', description: 'When it was last changed.' }),
    width: nullable(count('Pixels; null where unknown.')),
    height: nullable(count('Pixels; null where unknown.')),
    prompt: nullable(text('Words of the prompt that the file carries.')),
    seed: nullable(text('Seed of that prompt, digit for digit.')),
    favourite: Type.Boolean({ description: 'The user likes it.' }),
    url: text('Where the file can be fetched.'),
    thumbnail_url: nullable(text('Where a small picture of it can be fetched.')),
  },
  { title: 'OutputFile', description: 'A picture, film or sound in one of the folders.' },
);
export type OutputFile = Static<typeof OutputFile>;

export const OutputPage = Type.Object(
  {
    outputs: Type.Array(OutputFile),
    total: count('Files there are without paging.'),
    next_cursor: nullable(text('Asks for the next page; null at the end.')),
  },
  { title: 'OutputPage' },
);

export const ThumbnailQuery = Type.Object({
  path: text('`path` of the file.', { minLength: 1, maxLength: 4096 }),
  directory: Type.Optional(directory({ default: 'output', description: 'Its directory.' })),
  size: Type.Optional(
    Type.Integer({ minimum: 16, maximum: 1024, default: 320, description: 'Longest side.' }),
  ),
  v: Type.Optional(text('Any text; with it the answer may be kept for ever.', { maxLength: 100 })),
});

export const FavouritesChange = Type.Object(
  {
    add: Type.Optional(paths('New favourites.')),
    remove: Type.Optional(paths('Favourites no more.')),
  },
  { title: 'FavouritesChange', additionalProperties: false },
);

export const Favourites = Type.Object(
  { favourites: Type.Array(Type.String(), { description: 'All of them, by path.' }) },
  { title: 'Favourites' },
);

export const TrashRequest = Type.Object(
  { paths: paths('Files of the output directory.') },
  { title: 'TrashRequest', additionalProperties: false },
);

export const Trashed = Type.Object(
  {
    trash_id: text('Brings them back.'),
    moved: Type.Array(Type.String(), { description: 'What was deleted.' }),
    missing: Type.Array(Type.String(), { description: 'What was not there.' }),
  },
  { title: 'Trashed' },
);

export const RestoreRequest = Type.Object(
  { trash_id: text('Of the deletion.', { maxLength: 100 }) },
  { title: 'RestoreRequest', additionalProperties: false },
);

export const Restored = Type.Object(
  {
    restored: Type.Array(Type.String(), { description: 'What is back.' }),
    kept: Type.Array(Type.String(), {
      description: 'What stays deleted, for another file has its name now.',
    }),
  },
  { title: 'Restored' },
);
