/** GET and POST /prompt. */
import { Router } from 'express';
import { stringifyJson } from '../../workflow/lossless-json.ts';
import { bodyJson, sendJson, sendJsonText } from '../answer.ts';
import type { Core } from '../face.ts';
import { ownerOf } from '../user.ts';

/** Routes of spec §1.1 and §1.2 about submitting. */
export function promptRoutes({
  queue,
  submit,
  users,
}: Pick<Core, 'queue' | 'submit' | 'users'>): Router {
  const router = Router();

  router.get('/prompt', (_req, res) => {
    sendJson(res, { exec_info: { queue_remaining: queue.remaining() } });
  });

  router.post('/prompt', async (req, res) => {
    const answer = await submit(bodyJson(req), {
      owner: ownerOf(res, users),
      usageSource: req.get('Comfy-Usage-Source'),
    });
    if (!answer.ok) {
      return sendJson(res, { error: answer.error, node_errors: answer.nodeErrors }, answer.status);
    }
    const { promptId, numberText, nodeErrors } = answer;
    sendJsonText(
      res,
      `{"prompt_id": ${stringifyJson(promptId)}, "number": ${numberText}, ` +
        `"node_errors": ${stringifyJson(nodeErrors)}}`,
    );
  });

  return router;
}
