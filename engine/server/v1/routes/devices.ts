/** /v1/devices: what models can run on, and what of it is in use. */
import { type Device, allDevices } from '../../../worker/engines.ts';
import { type DeviceView, deviceViews } from '../../device-view.ts';
import { ok, route } from '../route.ts';
import { type DeviceEntry, DeviceList } from '../schemas.ts';

export const deviceRoutes = [
  route({
    method: 'get',
    path: '/v1/devices',
    id: 'listDevices',
    tag: 'Catalog',
    summary: 'List devices, their memory, and what runs where',
    description:
      'Everything that models could run on, with the engines that do. The first call looks at the ' +
      "machine, which takes some seconds where drivers are slow; its answer is kept for the server's life.",
    responses: { 200: { description: 'The devices.', schema: DeviceList } },
    run: async (_, { inventory, dispatcher }) => {
      const { devices, missing } = await allDevices(await inventory());
      const views = deviceViews(dispatcher.states());
      return ok({
        devices: devices.map((device) =>
          deviceEntry(
            device,
            views.find((view) => view.device.id === device.id),
          ),
        ),
        missing: Object.entries(missing).map(([kind, reason]) => ({ kind, reason })),
      });
    },
  }),
];

function deviceEntry(device: Device, view: DeviceView | undefined): DeviceEntry {
  const { id, kind, index, name, type, vendor = null, precisions, problem = null } = device;
  return {
    id,
    kind,
    index,
    name,
    type,
    vendor,
    precisions: [...precisions],
    problem,
    precision: view?.precision ?? null,
    memory_total: view?.memoryTotal ?? device.memory ?? null,
    memory_free: view?.memoryFree ?? null,
    memory_budget: view?.budget ?? null,
    memory_used: view?.used ?? null,
    memory_streamed: view?.streamed ?? null,
    engines: (view?.engines ?? []).map(({ state, job = null, report }) => ({
      state,
      job_id: job,
      models: [...(report?.models ?? [])],
    })),
  };
}
