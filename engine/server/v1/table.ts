/** All routes of the public API: the router and the OpenAPI document are made of this one table. */
import type { Route } from './route.ts';
import { batchRoutes } from './routes/batches.ts';
import { catalogRoutes } from './routes/catalog.ts';
import { deviceRoutes } from './routes/devices.ts';
import { formRoutes } from './routes/forms.ts';
import { jobRoutes } from './routes/jobs.ts';
import { libraryRoutes } from './routes/library.ts';
import { outputRoutes } from './routes/outputs.ts';
import { queueRoutes } from './routes/queue.ts';
import { serviceRoutes } from './routes/service.ts';
import { trainingRoutes } from './routes/training.ts';
import { datasetRoutes } from './routes/training-datasets.ts';
import { trainingOptionRoutes } from './routes/training-options.ts';
import { workflowRoutes } from './routes/workflows.ts';

export const routeTable: readonly Route[] = [
  ...workflowRoutes,
  ...libraryRoutes,
  ...formRoutes,
  ...batchRoutes,
  ...jobRoutes,
  ...queueRoutes,
  ...outputRoutes,
  ...trainingRoutes,
  ...trainingOptionRoutes,
  ...datasetRoutes,
  ...catalogRoutes,
  ...deviceRoutes,
  ...serviceRoutes(() => routeTable),
];
