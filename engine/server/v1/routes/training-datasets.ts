/** /v1/training/datasets: pictures with captions, to be trained on. */
import { Type } from 'typebox';
import {
  type DatasetItem as Item,
  type DatasetSummary,
  changedCaption,
  datasetsIn,
} from '../../datasets/datasets.ts';
import {
  Caption,
  CaptionChange,
  CaptionsChanged,
  Dataset,
  DatasetItem,
  DatasetList,
  DatasetPage,
  NewDataset,
  PictureGone,
} from '../dataset-schemas.ts';
import { ok, route } from '../route.ts';
import { pageQuery } from '../schema-parts.ts';
import { isoTime } from '../training-run-json.ts';

const tag = 'Training';
const params = Type.Object({
  name: Type.String({ description: 'Name of the data set; `/` is written `%2F`.' }),
});
const pictureParams = Type.Object({
  ...params.properties,
  filename: Type.String({ description: 'Name of the picture.' }),
});
const NO_DATASET = {
  403: { description: 'The name leads out of the folder.' },
  404: { description: 'There is no such data set, or no such picture in it.' },
};

export const datasetRoutes = [
  route({
    method: 'get',
    path: '/v1/training/datasets',
    id: 'listDatasets',
    tag,
    summary: 'List data sets',
    responses: { 200: { description: 'The data sets.', schema: DatasetList } },
    run: (_call, { folders }) => ok({ datasets: datasetsIn(folders).list().map(datasetJson) }),
  }),
  route({
    method: 'post',
    path: '/v1/training/datasets',
    id: 'createDataset',
    tag,
    summary: 'Make an empty data set',
    description: 'Pictures come into it by POST /upload/image, with its name as `subfolder`.',
    body: NewDataset,
    bodyExample: { name: 'my-cat' },
    responses: {
      201: { description: 'The data set.', schema: Dataset },
      403: NO_DATASET[403],
      409: { description: 'There is one of that name.' },
    },
    run: ({ body: { name }, base }, { folders }) => {
      const Location = `${base}/v1/training/datasets/${encodeURIComponent(name)}`;
      const body = datasetJson(datasetsIn(folders).create(name));
      return { status: 201, headers: { Location }, body };
    },
  }),
  route({
    method: 'get',
    path: '/v1/training/datasets/{name}',
    id: 'getDataset',
    tag,
    summary: 'A data set with its pictures and captions',
    params,
    query: Type.Object({ ...pageQuery(100, 1000) }),
    responses: { 200: { description: 'The data set.', schema: DatasetPage }, ...NO_DATASET },
    run: ({ params: { name }, query: { limit = 100, offset = 0 } }, { folders }) => {
      const datasets = datasetsIn(folders);
      const page = datasets.pictures(name).slice(offset, offset + limit);
      const items = page.map((filename) => itemJson(name, datasets.item(name, filename)));
      return ok({ ...datasetJson(datasets.summary(name)), items, offset });
    },
  }),
  route({
    method: 'put',
    path: '/v1/training/datasets/{name}/captions/{filename}',
    id: 'writeCaption',
    tag,
    summary: 'Write the caption of a picture',
    params: pictureParams,
    body: Caption,
    bodyExample: { caption: 'sks cat on a sofa' },
    responses: { 200: { description: 'The picture.', schema: DatasetItem }, ...NO_DATASET },
    run: ({ params: { name, filename }, body: { caption } }, { folders }) => {
      const datasets = datasetsIn(folders);
      datasets.writeCaption(name, filename, caption);
      return ok(itemJson(name, datasets.item(name, filename)));
    },
  }),
  route({
    method: 'post',
    path: '/v1/training/datasets/{name}/captions',
    id: 'changeCaptions',
    tag,
    summary: 'Change all captions of a data set',
    params,
    body: CaptionChange,
    bodyExample: { prepend: 'sks cat' },
    responses: {
      200: { description: 'What was changed.', schema: CaptionsChanged },
      ...NO_DATASET,
    },
    run: ({ params: { name }, body }, { folders }) => {
      const change = (caption: string): string => changedCaption(caption, body);
      return ok({ changed: datasetsIn(folders).changeCaptions(name, change) });
    },
  }),
  route({
    method: 'delete',
    path: '/v1/training/datasets/{name}/pictures/{filename}',
    id: 'deletePicture',
    tag,
    summary: 'Delete a picture of a data set with its caption',
    params: pictureParams,
    responses: { 200: { description: 'It is gone.', schema: PictureGone }, ...NO_DATASET },
    run: ({ params: { name, filename } }, { folders }) => {
      datasetsIn(folders).remove(name, filename);
      return ok({ filename });
    },
  }),
];

const datasetJson = ({ name, pictures, captions, first }: DatasetSummary) => ({
  name,
  pictures,
  captions,
  picture: first === undefined ? null : thumbnail(name, first),
});

const itemJson = (name: string, { filename, caption, bytes, modified }: Item) => ({
  filename,
  caption,
  bytes,
  modified_at: isoTime(modified),
  url: `/view?${new URLSearchParams({ filename, subfolder: name, type: 'input' }).toString()}`,
  thumbnail_url: thumbnail(name, filename, `${modified}-${bytes}`),
});

function thumbnail(name: string, filename: string, version?: string): string {
  const query = new URLSearchParams({ path: `${name}/${filename}`, directory: 'input' });
  if (version !== undefined) query.set('v', version);
  return `/v1/outputs/thumbnail?${query.toString()}`;
}
