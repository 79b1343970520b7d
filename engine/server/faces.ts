/** The faces of the server, in the order their routes are tried. */
import { comfyFace } from './comfy/face.ts';
import type { FaceMaker } from './face.ts';
import { v1Face } from './v1/face.ts';

export const faces: readonly FaceMaker[] = [comfyFace, v1Face];
