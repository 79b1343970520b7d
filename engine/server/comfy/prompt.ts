/** GET and POST /prompt. */
import { Router } from 'express';
import { stringifyJson } from '../../workflow/lossless-json.ts';
import { bodyJson, sendJson, sendJsonText } from '../answer.ts';
import { type SubmitOptions, submitPrompt } from '../submit.ts';

/** Routes of spec §1.1 and §1.2 about submitting. */
export function promptRoutes(options: SubmitOptions): Router {
  const router = Router();

  router.get('/prompt', (_req, res) => {
    sendJson(res, { exec_info: { queue_remaining: options.queue.remaining() } });
  });

  router.post('/prompt', async (req, res) => {
    const answer = await submitPrompt(bodyJson(req), options, req.get('Comfy-Usage-Source'));
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
