/** Shapes of the routes about data sets. */
import { Type } from 'typebox';
import { count, nullable, text, time } from './schema-parts.ts';

export const Dataset = Type.Object(
  {
    name: text('The folder below the input folder.', { examples: ['my-cat'] }),
    pictures: count('Pictures in it.'),
    captions: count('Pictures that have a caption.'),
    picture: nullable(text('Where a small picture of its first picture can be fetched.')),
  },
  { title: 'Dataset', description: 'A folder of pictures with captions.' },
);

export const DatasetList = Type.Object(
  { datasets: Type.Array(Dataset, { description: 'By name.' }) },
  { title: 'Datasets' },
);

export const NewDataset = Type.Object(
  { name: text('Name of the folder.', { minLength: 1, maxLength: 200 }) },
  { title: 'NewDataset', additionalProperties: false },
);

export const DatasetItem = Type.Object(
  {
    filename: text('Name of the picture.'),
    caption: nullable(text('What stands in the text file beside it; null: there is none.')),
    bytes: count('How large the picture is.'),
    modified_at: time('When the picture was last changed.'),
    url: text('Where the picture can be fetched.'),
    thumbnail_url: text('Where a small one can be fetched.'),
  },
  { title: 'DatasetItem', description: 'A picture of a data set with its caption.' },
);

export const DatasetPage = Type.Object(
  {
    ...Dataset.properties,
    items: Type.Array(DatasetItem, { description: 'By name, numbers as people count.' }),
    offset: count('Pictures before these.'),
  },
  { title: 'DatasetPage', description: 'A data set with a page of its pictures.' },
);

export const Caption = Type.Object(
  { caption: text('The text; an empty one is kept too.', { maxLength: 100_000 }) },
  { title: 'Caption', additionalProperties: false },
);

const words = (description: string) => Type.Optional(text(description, { maxLength: 10_000 }));

export const CaptionChange = Type.Object(
  {
    find: words('Each place that holds these words …'),
    replace: words('… holds these from now on.'),
    prepend: words('Stands before captions that do not begin with it, with a comma behind it.'),
    append: words('Stands behind captions that do not end with it, with a comma before it.'),
  },
  {
    title: 'CaptionChange',
    description: 'A change of all captions, in this order.',
    additionalProperties: false,
  },
);

export const CaptionsChanged = Type.Object(
  { changed: count('Captions that are others now.') },
  { title: 'CaptionsChanged' },
);

export const PictureGone = Type.Object(
  { filename: text('The picture that is gone.') },
  { title: 'DeletedPicture' },
);
